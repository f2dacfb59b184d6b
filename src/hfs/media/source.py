"""What a caller gives as a video -> a source that can be opened any number of times, and hashed."""

import hashlib
import io
import os
import re
import threading
from pathlib import Path
from typing import Any, Protocol, runtime_checkable
from urllib.parse import urlsplit
from urllib.request import url2pathname

from hfs.errors import UsageError

_URL = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://")


@runtime_checkable
class Source(Protocol):
    """The bytes of one file; every ``open`` starts at its beginning, independent of the others."""

    uri: str

    def open(self) -> io.BufferedIOBase: ...


class PathSource:
    """A file of the local disk."""

    def __init__(self, uri: str, path: Path):
        self.uri = uri
        self.path = path

    def open(self) -> io.BufferedIOBase:
        return self.path.open("rb")


class BytesSource:
    """A file held in memory."""

    def __init__(self, data: bytes):
        self.uri = "bytes"
        self._data = data

    def open(self) -> io.BufferedIOBase:
        return io.BytesIO(self._data)


class FileSource:
    """A seekable file object, shared by its readers and left open."""

    def __init__(self, file: Any):
        name = getattr(file, "name", None)
        self.uri = name if isinstance(name, str) else "file object"
        self._file = file
        self._lock = threading.Lock()

    def open(self) -> io.BufferedIOBase:
        return io.BufferedReader(_View(self._file, self._lock))


class _View(io.RawIOBase):
    """A position of one's own in a file that others read too."""

    def __init__(self, file: Any, lock: threading.Lock):
        self._file = file
        self._lock = lock
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence == os.SEEK_CUR:
            offset, whence = self._at + offset, os.SEEK_SET
        with self._lock:
            self._at = self._file.seek(offset, whence)
        return self._at

    def readinto(self, buffer: Any) -> int:
        with self._lock:
            self._file.seek(self._at)
            data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def source_of(given: object) -> Source:
    """The source that a path, ``file://`` URL, bytes or binary file object stands for.

    Raises UsageError for another URL (nothing is fetched), for a path that is no readable file, and
    for an object that is none of these.
    """
    if isinstance(given, str | os.PathLike):
        return _path(os.fspath(given))
    if isinstance(given, bytes | bytearray | memoryview):
        return BytesSource(bytes(given))
    if hasattr(given, "read"):
        return _file(given)
    raise UsageError(
        f"expected a path, bytes, a binary file object or Frames, got {type(given).__name__}"
    )


def _path(text: str | bytes) -> PathSource:
    uri = os.fsdecode(text)
    path = Path(uri)
    if _URL.match(uri):
        parts = urlsplit(uri)
        if parts.scheme.lower() != "file" or parts.netloc not in ("", "localhost"):
            raise UsageError(f"expected a local file, got the URL {uri}: download it first")
        path = Path(url2pathname(parts.path))
    if path.is_dir():
        raise UsageError(f"expected a video file, got the directory {uri}: name a file in it")
    if not path.is_file():
        raise UsageError(f"expected a video file, found none at {uri!r}: check the path")
    if not os.access(path, os.R_OK):
        raise UsageError(
            f"expected a readable video file, may not read {uri}: check its permissions"
        )
    return PathSource(uri, path)


def _file(file: Any) -> FileSource:
    try:
        file.seek(0)
        seekable = isinstance(file.read(0), bytes)
    except (AttributeError, OSError):
        seekable = False
    if not seekable:
        raise UsageError(
            f"expected a seekable binary file object, got {type(file).__name__}: "
            "open it in mode 'rb', or read it and pass the bytes"
        )
    return FileSource(file)


def sha256(given: Source) -> str:
    """Of the file's bytes, as hexadecimal digits."""
    with given.open() as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
