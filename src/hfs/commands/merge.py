"""``hfs merge``: a trained student that rests on a base -> one folder that needs nothing else."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from hfs.commands import screen
from hfs.errors import UsageError


def merge(
    model: Annotated[str, typer.Argument(help="The student: a folder or a hub name.")],
    out: Annotated[Path, typer.Argument(help="A new folder.")],
    base: Annotated[
        str | None, typer.Option(help="Its language model, where that has moved.")
    ] = None,
    dtype: Annotated[
        str, typer.Option(help="Of the language model: float32, bfloat16, float16.")
    ] = "float32",
) -> None:
    """Put a trained student and its language model into one file; nothing it computes changes."""
    if out.exists():
        raise UsageError(f"expected a new folder for the merged student, and {out} is there")
    from hfs import trained

    student = trained.load(model, dtype=dtype, base=base).merge()
    student.save_pretrained(out)
    if (backbone := trained.own_backbone(model)) is not None:
        shutil.copytree(backbone, out / backbone.name)
    size = sum(path.stat().st_size for path in out.rglob("*")) / 1e6
    screen.stderr().print(f"{out} holds the whole student, {size:,.1f} MB", markup=False)
