"""Frozen dataclasses <-> plain JSON values, strictly, by the types of their fields.

Floats are written in full, so that reading gives back exactly what was written: a time rounded down
by a microsecond would name the frame before.
"""

import dataclasses
import functools
import json
import math
import re
import reprlib
import sys
import types
import typing
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

from hfs.errors import UsageError

Record = TypeVar("Record")

MAX_BYTES = 64 * 2**20
"""Largest document that is read."""


def encode(value: Any, at: str = "") -> Any:
    """The JSON value of a dataclass, or of what its fields may hold. Raises UsageError for nan."""
    match value:
        case None | bool() | int() | str():
            return value
        case float() if math.isfinite(value):
            return value
        case Fraction():
            return f"{value.numerator}/{value.denominator}"
        case tuple() | list():
            return [encode(item, f"{at}[{i}]") for i, item in enumerate(value)]
        case dict():
            return {key: encode(item, _join(at, key)) for key, item in value.items()}
    _expect(dataclasses.is_dataclass(value), "a finite number", value, at)
    names = [f.name for f in dataclasses.fields(value)]
    return {name: encode(getattr(value, name), _join(at, name)) for name in names}


def decode(kind: type[Record], value: Any, at: str = "") -> Record:
    """The dataclass of that type from its JSON value.

    A field may be absent only if it has a default. Raises UsageError naming the first field that is
    missing, unknown or of another type.
    """
    values = _fields(kind, value, at)
    for f in dataclasses.fields(kind):  # pyright: ignore[reportArgumentType]
        required = f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
        if required and f.name not in values:
            raise UsageError(f"expected a field {_join(at, f.name)!r}, and there is none")
    return kind(**values)


_hints = functools.cache(typing.get_type_hints)


def _fields(kind: type, value: Any, at: str) -> dict[str, Any]:
    _expect(isinstance(value, Mapping), "an object", value, at)
    kinds = _hints(kind)
    if unknown := [str(key) for key in value if key not in kinds]:
        raise UsageError(
            f"expected no field {_join(at, unknown[0])!r}; the fields here are {', '.join(kinds)}"
        )
    return {key: _value(kinds[key], item, _join(at, key)) for key, item in value.items()}


def text(record: Mapping[str, Any]) -> str:
    """An object as JSON text that any encoding can carry: lone surrogates are escaped."""
    plain = json.dumps(record, ensure_ascii=False, indent=2, allow_nan=False)
    return plain.encode("utf-8", "backslashreplace").decode("utf-8") + "\n"


def load(source: Mapping[str, Any] | str | Path, name: str) -> Mapping[str, Any]:
    """The JSON object that a mapping is, a text holds, or a file; ``name`` is its name in a folder.

    A text is told from a path by the ``{`` it starts with.
    """
    if isinstance(source, Mapping):
        return source
    is_text = isinstance(source, str) and source.lstrip().startswith("{")
    try:
        document = json.loads(str(source) if is_text else _read(Path(source), name))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"expected a JSON document, got text that is not: {error}") from None
    _expect(isinstance(document, Mapping), "an object", document, "")
    return document


def _read(path: Path, name: str) -> str:
    try:
        path = path / name if path.is_dir() else path
        size = path.stat().st_size
        text = path.read_text(encoding="utf-8") if size <= MAX_BYTES else ""
    except (OSError, ValueError) as error:
        raise UsageError(f"expected a readable UTF-8 JSON file, got {path}: {error}") from None
    if size > MAX_BYTES:
        raise UsageError(f"expected a document of at most {MAX_BYTES} bytes, got {size} in {path}")
    return text


def _value(kind: Any, value: Any, at: str) -> Any:
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return None if value is None else _value(args[0], value, at)
    if dataclasses.is_dataclass(kind):
        return decode(kind, value, at)  # pyright: ignore[reportArgumentType]
    if typing.is_typeddict(kind):
        return _fields(kind, value, at)
    if origin is dict:
        _expect(isinstance(value, Mapping), "an object", value, at)
        return {key: _value(args[1], item, _join(at, key)) for key, item in value.items()}
    if origin in (list, tuple):
        _expect(isinstance(value, list | tuple), "a list", value, at)
        args = args if origin is tuple and args[-1] is not Ellipsis else args[:1] * len(value)
        _expect(len(args) == len(value), f"a list of {len(args)}", value, at)
        return origin(_value(args[i], item, f"{at}[{i}]") for i, item in enumerate(value))
    return _scalar(kind, value, at)


def _scalar(kind: type, value: Any, at: str) -> Any:
    if kind is float:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        _expect(number and abs(value) <= sys.float_info.max, "a finite number", value, at)
        return float(value)
    if kind is Fraction:
        ratio = isinstance(value, str) and re.fullmatch(r"[0-9]{1,40}/[1-9][0-9]{0,39}", value)
        _expect(bool(ratio), 'a fraction such as "30000/1001"', value, at)
        return Fraction(value)
    words = {int: "a whole number", str: "text", bool: "true or false"}
    _expect(type(value) is kind, words[kind], value, at)
    return value


def _join(at: str, name: str) -> str:
    return f"{at}.{name}" if at else name


def _expect(met: bool, wanted: str, value: object, at: str) -> None:
    if not met:
        shown = reprlib.repr(value)
        raise UsageError(f"expected {wanted} in {at or 'the document'}, got {shown}")
