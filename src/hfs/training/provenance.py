"""This library's files -> the commit that they were checked out at, for model cards."""

import re
from pathlib import Path


def commit(package: Path | None = None) -> str:
    """The commit of the checkout whose src/hfs the package is; empty where it is installed.

    Read from git's own files, because git need not be installed where models are trained.
    """
    start = package or Path(__file__).parents[1]
    git = start.parents[1] / ".git"  # no other: an environment may lie in another project's folder
    head = _read(git / "HEAD")
    if not head.startswith("ref: "):
        return head if _is_commit(head) else ""
    name = head.removeprefix("ref: ")
    if _is_commit(found := _read(git / name)):
        return found
    packed = re.findall(r"^([0-9a-f]{40,64}) (\S+)$", _read(git / "packed-refs"), re.MULTILINE)
    return next((found for found, ref in packed if ref == name), "")


def _is_commit(text: str) -> bool:
    return re.fullmatch(r"[0-9a-f]{40,64}", text) is not None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:  # not there: the reference may be packed
        return ""
