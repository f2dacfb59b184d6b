"""This installation and a run's models -> what a row must say so that it can be made again."""

import json
import subprocess
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import hfs


@cache
def commit() -> str:
    """The commit of this library: of its checkout, ``+`` behind it where files were changed since;
    else the one it was installed from; empty for a release."""
    source = Path(hfs.__file__).resolve().parent
    if (source.parents[1] / ".git").exists():
        head = _git(source, "rev-parse", "HEAD")
        changed = _git(source, "status", "--porcelain", "--untracked-files=no", ".")
        return f"{head[:12]}{'+' if changed else ''}" if head else ""
    try:
        origin = distribution("hfs-video").read_text("direct_url.json")
    except PackageNotFoundError:
        return ""
    return json.loads(origin or "{}").get("vcs_info", {}).get("commit_id", "")[:12]


def _git(folder: Path, *arguments: str) -> str:
    try:
        ran = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):  # without git, the commit is not known
        return ""
    return ran.stdout.strip() if ran.returncode == 0 else ""


def revisions(parts: Mapping[str, object]) -> dict[str, str]:
    """The exact weights of the parts, by name, of those that have any."""
    found = {name: getattr(part, "revision", None) for name, part in parts.items()}
    return {name: str(revision) for name, revision in found.items() if revision}
