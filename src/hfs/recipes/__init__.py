"""Recipes: whole training runs as functions, one file each; ``hfs train NAME`` runs one.

A recipe file defines ``recipe(**options) -> Recipe`` (`hfs.training.recipe`); its docstring states
the command, the hardware and what to expect. Options are the function's parameters, and the fields
of `Run`, which every recipe has.
"""

import ast
import dataclasses
import importlib
import importlib.util
import inspect
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, cast, get_args, get_type_hints

from hfs.errors import MissingExtra, UsageError
from hfs.plugins import Spec
from hfs.training.recipe import Recipe, Run

EXTRA = ("accelerate", "peft", "transformers")
"""Packages that only training needs."""
APART = ("micro", "every", "keep", "log_with")
"""Settings of the machine, not of the training: a run may be resumed with others."""


def names() -> list[str]:
    """The recipes that come with the library."""
    return sorted(m.name for m in pkgutil.iter_modules(__path__))


def load(recipe: str, given: Sequence[str] = ()) -> Recipe:
    """The recipe of that name, or of the .py file at that path, with options ``name=value``.

    A value is a Python literal, and otherwise the text itself: ``slm=Qwen/Qwen3-0.6B``. A file is
    run as the user's own code. Raises UsageError naming what is known.
    """
    function = _function(recipe)
    own, shared = get_type_hints(function), get_type_hints(Run)
    known = list(inspect.signature(function).parameters)
    options: dict[str, Any] = {}
    for item in given:
        name, equals, text = item.partition("=")
        if not equals or not name.isidentifier():
            raise UsageError(f"expected an option name=value, got {item!r}")
        if name not in known and name not in shared:
            raise UsageError(
                f"expected an option of {recipe}, got {name!r}: its own are "
                f"{', '.join(known) or 'none'}; every recipe has {', '.join(shared)}"
            )
        options[name] = _value(name, text, own.get(name, shared.get(name, Any)))
    _complete(recipe, function, options)
    made = function(**{name: value for name, value in options.items() if name in known})
    run = {name: value for name, value in options.items() if name in shared}
    stem = Path(recipe).stem if recipe.endswith(".py") else recipe
    said = {name: value for name, value in options.items() if name not in APART}
    return dataclasses.replace(
        made, run=dataclasses.replace(made.run, **run), spec=str(Spec(stem, said))
    )


def _function(recipe: str) -> Callable[..., Recipe]:
    module = _module(recipe)
    function: Any = getattr(module, "recipe", None)
    if not callable(function):
        raise UsageError(f"expected a function recipe(...) in {recipe}, which defines none")
    return cast("Callable[..., Recipe]", function)


def _module(recipe: str) -> ModuleType:
    if recipe in names():
        try:
            return importlib.import_module(f"{__name__}.{recipe}")
        except ModuleNotFoundError as error:
            if error.name not in EXTRA:
                raise
            raise MissingExtra(f"the recipe {recipe}", error.name, "train") from error
    path = Path(recipe)
    if not (path.suffix == ".py" and path.is_file()):
        raise UsageError(
            f"expected a recipe ({', '.join(names())}) or the path of a .py file that defines one, "
            f"got {recipe!r}"
        )
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _value(name: str, text: str, kind: Any) -> Any:
    """The literal that a text is, or the text, as the option's type allows."""
    allowed = get_args(kind) or (kind,)
    try:
        value = ast.literal_eval(text)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        value = text
    if type(value) is int and int not in allowed and float in allowed:
        return float(value)
    simple = {bool, int, float, str, type(None)}
    if not set(allowed) <= simple or type(value) in allowed:
        return value
    if str in allowed:  # a name that happens to be a literal, such as a folder 2024
        return text
    words = " or ".join("None" if t is type(None) else t.__name__ for t in allowed)
    raise UsageError(f"expected {name} to be {words}, got {text!r}")


def _complete(recipe: str, function: Callable[..., Recipe], options: Mapping[str, Any]) -> None:
    missing = [
        name
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.default is inspect.Parameter.empty and name not in options
    ]
    if missing:
        raise UsageError(f"{recipe} needs the options {', '.join(f'{m}=...' for m in missing)}")
