"""What commands share: where results go, and what is said while they are made."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from hfs.errors import OutputError

Told = Callable[[str, int, int], None]


def stderr(*, quiet: bool = False) -> Console:
    """Where everything goes that is not the result."""
    return Console(stderr=True, quiet=quiet, highlight=False, soft_wrap=True)


def stdout() -> Console:
    """Where results for people go."""
    return Console(highlight=False)


def put_json(value: Any, target: str) -> None:
    """Write JSON to a file, whole or not at all, or to stdout for ``-``."""
    put_text(json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n", target)


def put_text(text: str, target: str) -> None:
    """Write text to a file, whole or not at all, or to stdout for ``-``."""
    if target == "-":
        print(text, end="")
        return
    path = Path(target)
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise OutputError(f"expected to write {path}, got {error.strerror or error}") from error


@contextmanager
def progress(console: Console) -> Iterator[Told]:
    """Bars with the time left, one for each stage that takes any; gone when the work is done."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=console.quiet) as bars:
        tasks: dict[str, Any] = {}

        def told(stage: str, done: int, total: int) -> None:
            for name, task in tasks.items():
                bars.update(task, visible=name == stage)
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage)
            bars.update(tasks[stage], completed=done, total=total or None)

        yield told
