"""A kind and a key -> what was computed for them before: a folder of content-addressed files.

An entry is one file, ``ROOT/KIND/SHA256.safetensors`` or ``.json``, named by the digest of its key.
The key itself and a digest of the content lie inside, so an entry answers only for its own key, and
only whole. Entries appear by rename: processes may share a folder, and one of them may clear it.
"""

import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import platformdirs
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from hfs.errors import CacheError

log = logging.getLogger(__name__)

Entry = TypeVar("Entry")


class Usage(NamedTuple):
    """How much one kind of entry holds."""

    entries: int
    bytes: int


@dataclass(frozen=True)
class Cache:
    """What was computed before, in the folder ``root``; with None, nothing is kept or found."""

    root: Path | None

    def __post_init__(self) -> None:
        """Raises CacheError where the folder cannot be made or written to."""
        if self.root is not None:
            try:
                self.root.mkdir(parents=True, exist_ok=True)
                tempfile.TemporaryFile(dir=self.root).close()
            except OSError as error:
                raise self._unusable(error) from error

    @staticmethod
    def default() -> "Cache":
        """The user's own cache, where the operating system wants it."""
        return Cache(Path(platformdirs.user_cache_dir("hfs", appauthor=False)))

    def tensors(self, kind: str, key: Mapping[str, str]) -> dict[str, Tensor] | None:
        """The tensors put under this key, or None."""
        return self._get(self._path(kind, key, "safetensors"), key, _read_tensors)

    def put_tensors(self, kind: str, key: Mapping[str, str], tensors: Mapping[str, Tensor]) -> None:
        """Keeps the tensors under this key, in place of what was there."""
        if path := self._path(kind, key, "safetensors"):
            tight = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
            inside = {"key": _canonical(dict(key)), "sha256": _digest(tight)}
            self._put(path, save(tight, metadata=inside))

    def json(self, kind: str, key: Mapping[str, str]) -> Any | None:
        """The value put under this key, or None."""
        return self._get(self._path(kind, key, "json"), key, _read_json)

    def put_json(self, kind: str, key: Mapping[str, str], value: Any) -> None:
        """Keeps a JSON value under this key, in place of what was there."""
        if path := self._path(kind, key, "json"):
            text = _canonical(value)
            inside = {"key": dict(key), "sha256": _sha256(text.encode()), "value": value}
            self._put(path, _canonical(inside).encode())

    def usage(self) -> dict[str, Usage]:
        """Entries and bytes of each kind, by name."""
        found: dict[str, Usage] = {}
        for path in self._files("safetensors", "json"):
            entries, size = found.get(path.parent.name, Usage(0, 0))
            try:
                found[path.parent.name] = Usage(entries + 1, size + path.stat().st_size)
            except FileNotFoundError:  # another process is clearing
                continue
        return dict(sorted(found.items()))

    def clear(self) -> None:
        """Removes every entry; folders stay, so that others may go on writing."""
        for path in self._files("safetensors", "json", "part"):
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise self._unusable(error) from error

    def _files(self, *suffixes: str) -> Iterator[Path]:
        if self.root is not None:
            for suffix in suffixes:
                yield from self.root.glob(f"*/*.{suffix}")

    def _path(self, kind: str, key: Mapping[str, str], suffix: str) -> Path | None:
        if self.root is None:
            return None
        return self.root / kind / f"{_sha256(_canonical(dict(key)).encode())}.{suffix}"

    def _get(
        self, path: Path | None, key: Mapping[str, str], read: Callable[[Path], tuple[Any, Entry]]
    ) -> Entry | None:
        if path is None:
            return None
        try:
            found, entry = read(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unusable(error) from error
        except (SafetensorError, ValueError, KeyError, TypeError) as error:
            log.warning("the cache entry %s is damaged and will be made again: %s", path, error)
            return None
        if found != dict(key):
            log.warning("the cache entry %s belongs to another key and will be made again", path)
            return None
        return entry

    def _put(self, path: Path, content: bytes) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
            part = Path(name)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
                part.replace(path)
            finally:
                part.unlink(missing_ok=True)
        except FileNotFoundError:
            log.debug("%s was cleared away while it was being written", path)
        except OSError as error:
            raise self._unusable(error) from error

    def _unusable(self, error: OSError) -> CacheError:
        return CacheError(
            f"expected a cache folder to read and write, got {self.root}: "
            f"{error.strerror or error}; name another with --cache DIR, or none with --cache none"
        )


def _read_tensors(path: Path) -> tuple[Any, dict[str, Tensor]]:
    content = path.read_bytes()  # at once, as the file may be cleared while it is read
    tensors = load(content)
    header = content[8 : 8 + int.from_bytes(content[:8], "little")]
    inside = json.loads(header)["__metadata__"]
    if _digest(tensors) != inside["sha256"]:
        raise ValueError("its tensors are not the ones that were written")
    return json.loads(inside["key"]), tensors


def _read_json(path: Path) -> tuple[Any, Any]:
    inside = json.loads(path.read_bytes())
    if _sha256(_canonical(inside["value"]).encode()) != inside["sha256"]:
        raise ValueError("its value is not the one that was written")
    return inside["key"], inside["value"]


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _digest(tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(f"{name} {tensors[name].dtype} {tuple(tensors[name].shape)}".encode())
        digest.update(tensors[name].reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
