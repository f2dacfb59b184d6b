"""A template's name -> the template, escaping everything that is put into it."""

from collections.abc import Callable

from jinja2 import Environment, PackageLoader, StrictUndefined, Template


def template(name: str, **filters: Callable[..., str]) -> Template:
    """A template of the package; a name that is not given to it is an error, not a blank."""
    environment = Environment(
        loader=PackageLoader("hfs", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= filters
    return environment.get_template(name)
