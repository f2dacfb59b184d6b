"""``hfs train``: a recipe -> trained models, after a word on what they will cost."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from hfs.commands import screen
from hfs.errors import UsageError

if TYPE_CHECKING:
    from hfs.training.recipe import Recipe


def train(
    recipe: Annotated[str, typer.Argument(help="A recipe's name, or the path of its .py file.")],
    options: Annotated[
        list[str] | None, typer.Argument(metavar="name=value...", help="Options of the recipe.")
    ] = None,
    out: Annotated[
        str | None, typer.Option(help="Folder for checkpoints, metrics.jsonl and models.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the newest checkpoint in --out.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be done and stop.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Errors only on stderr.")] = False,
) -> None:
    """Train a student, and its teacher, by a recipe."""
    from pathlib import Path

    from hfs import recipes

    made = recipes.load(recipe, options or [])
    plan = _plan(made)
    if dry_run:
        print(plan)
        return
    if out is None:
        raise UsageError("expected a folder for the run, got none: give --out DIR")
    from hfs.training.loop import train as run

    first = os.environ.get("RANK", "0") == "0"  # one of several processes speaks for all
    console = screen.stderr(quiet=quiet or not first)
    console.print(plan, markup=False)
    with screen.progress(console) as told:
        models = run(made, Path(out), resume=resume, told=told)
    if first:
        print(models)


def _plan(recipe: "Recipe") -> str:
    """The recipe's phases and settings, and what it says of its own cost."""
    phases = []
    for phase in recipe.phases:
        rates = ", ".join(f"{name} at {rate:g}" for name, rate in phase.rates.items())
        phases.append(
            f"  {phase.name}: {phase.steps:,} steps of {phase.batch} examples from "
            f"{phase.data!r}, learning {rates or 'nothing'}"
        )
    run = recipe.run
    settings = (
        f"  seed {run.seed}, {run.precision if run.precision != 'no' else 'float32'}, "
        f"{run.micro} examples at once a process, a checkpoint every {run.every} steps"
    )
    return "\n".join([recipe.spec or recipe.name, *phases, settings, recipe.plan()]).rstrip()
