"""Spec string -> plug-in: ``greedy(coverage=0.3)`` names a file of a folder and its options.

A spec is parsed as Python literals and never evaluated. One file of a folder is one plug-in: the
file name is its name, and the file defines a frozen dataclass called after the folder
(``selectors/top_k.py`` defines ``Selector``) whose fields are its options and whose docstring's
first line describes it. Third parties add plug-ins through entry points: group ``hfs.selectors``,
name -> class.
"""

import ast
import dataclasses
import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import Any, Literal, get_args, get_origin, get_type_hints

from hfs.errors import SpecError

Group = Literal[
    "decoders",
    "samplers",
    "readers",
    "backbones",
    "encoders",
    "scorers",
    "selectors",
    "exporters",
    "answerers",
    "benchmarks",
]


@dataclass(frozen=True)
class Spec:
    """A plug-in's name and the options that differ from its defaults; ``str`` gives it back."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        if not self.options:
            return self.name
        return f"{self.name}({', '.join(f'{k}={_show(v)}' for k, v in self.options.items())})"


def _show(value: object) -> str:
    if value is dataclasses.MISSING:  # an option that has to be given
        return "..."
    if isinstance(value, list):
        return f"[{', '.join(map(_show, value))}]"
    return str(value) if isinstance(value, Spec) else repr(value)


def parse(text: str | Spec) -> Spec:
    """``name`` or ``name(option=literal, ...)``; an option may itself be a spec or a list of them.

    Raises SpecError when the text is anything else: it is read, never run.
    """
    if isinstance(text, Spec):
        return text
    try:
        return _spec(ast.parse(text.strip(), mode="eval").body)
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise SpecError(
            f"expected a spec such as top_k or hfs(coverage=0.3), got {text!r}: {_reason(error)}"
        ) from None


def _reason(error: BaseException) -> str:
    return str(error.msg) if isinstance(error, SyntaxError) else str(error) or type(error).__name__


def _spec(node: ast.expr) -> Spec:
    match node:
        case ast.Name(id=name):
            return Spec(name)
        case ast.Call(func=ast.Name(id=name), args=[], keywords=keywords):
            if any(k.arg is None for k in keywords):
                raise ValueError("options are written name=value")
            return Spec(name, {str(k.arg): _value(k.value) for k in keywords})
        case ast.Call(func=ast.Name()):
            raise ValueError("options are written name=value")
    raise ValueError("not a name with options")


def _value(node: ast.expr) -> Any:
    match node:
        case ast.Name() | ast.Call():
            return _spec(node)
        case ast.List(elts=items):
            return [_value(item) for item in items]
    return ast.literal_eval(node)


def names(group: Group) -> list[str]:
    """The plug-ins of a folder by name, those of other packages included, sorted."""
    package = importlib.import_module(f"hfs.{group}")
    own = {m.name for m in pkgutil.iter_modules(package.__path__)}
    return sorted(own | {e.name for e in entry_points(group=f"hfs.{group}")})


def load(group: Group, name: str) -> type:
    """The plug-in class of that name. Raises SpecError with the known names if there is none."""
    package = importlib.import_module(f"hfs.{group}")
    if any(m.name == name for m in pkgutil.iter_modules(package.__path__)):
        module = importlib.import_module(f"hfs.{group}.{name}")
        return getattr(module, group.removesuffix("s").capitalize())
    for entry in entry_points(group=f"hfs.{group}", name=name):
        return entry.load()
    raise SpecError(f"expected one of the {group} ({', '.join(names(group))}), got {name!r}")


def options(plugin: type) -> dict[str, Any]:
    """A plug-in's options with their defaults (``dataclasses.MISSING`` where one must be given)."""
    return {f.name: f.default for f in dataclasses.fields(plugin) if f.init}


def build(group: Group, spec: str | Spec) -> Any:
    """The plug-in that a spec names, made with the spec's options.

    Raises SpecError for an unknown name, an unknown or missing option, or a refused value.
    """
    wanted = parse(spec)
    plugin = load(group, wanted.name)
    known = options(plugin)
    if unknown := set(wanted.options) - set(known):
        raise SpecError(
            f"{wanted.name} has no option {', '.join(sorted(unknown))}; "
            f"its options are {', '.join(known) or 'none'}"
        )
    kinds = get_type_hints(plugin)
    values = {k: _typed(wanted.name, k, v, kinds[k]) for k, v in wanted.options.items()}
    missing = [k for k, v in known.items() if v is dataclasses.MISSING and k not in values]
    if missing:
        raise SpecError(f"{wanted.name} needs the option {', '.join(missing)}")
    try:
        return plugin(**values)
    except (TypeError, ValueError) as error:
        raise SpecError(f"{wanted}: {error}") from error


def _typed(name: str, option: str, value: Any, kind: Any) -> Any:
    """The value as the option's type: a spec as its text, a whole number as a float if need be."""
    given = str(value) if isinstance(value, Spec) else value
    allowed = get_args(kind) or (kind,)
    if get_origin(kind) is Literal:
        if given not in allowed:
            words = ", ".join(map(repr, allowed))
            raise SpecError(f"{name} expects {option} to be one of {words}, got {value!r}")
        return given
    if type(given) in allowed or (given is None and type(None) in allowed):
        return given
    if type(given) is int and float in allowed:
        return float(given)
    simple = {bool, int, float, str, type(None)}
    if set(allowed) <= simple:
        wanted = " or ".join("None" if t is type(None) else t.__name__ for t in allowed)
        raise SpecError(f"{name} expects {option} to be {wanted}, got {value!r}")
    return given


def describe(plugin: type) -> str:
    """The first line of a plug-in's docstring: what it does, in one sentence."""
    return (plugin.__doc__ or "").strip().splitlines()[0]
