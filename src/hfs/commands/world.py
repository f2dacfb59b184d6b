"""``hfs world``: films made by rules, with questions whose evidence is known."""

from typing import Annotated

import typer

from hfs.commands import screen

app = typer.Typer(
    name="world", help="Make films with questions whose evidence is known.", no_args_is_help=True
)


@app.callback()
def _world() -> None:
    """Make films with questions whose evidence is known."""


@app.command()
def render(
    folder: Annotated[str, typer.Argument(metavar="DIR", help="Where the films go.")],
    split: Annotated[str, typer.Option(help="train, validation or test.")] = "test",
    n: Annotated[int, typer.Option("--n", "-n", help="Films.")] = 100,
    seed: Annotated[int, typer.Option(help="Another seed is another world.")] = 0,
    frames: Annotated[int, typer.Option(help="Candidates of a film.")] = 64,
    size: Annotated[int, typer.Option(help="Height and width, pixels.")] = 64,
    step: Annotated[float, typer.Option(help="Seconds a candidate.")] = 1.0,
    fps: Annotated[
        float | None, typer.Option(help="Frames a second; one a candidate by default.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Errors only on stderr.")] = False,
) -> None:
    """Write films, subtitles, questions with evidence, and a data card; go on where it stopped."""
    from hfs.world.dataset import World
    from hfs.world.render import render as render_films

    world = World(frames=frames, size=size, step=step, fps=fps, seed=seed)
    with screen.progress(screen.stderr(quiet=quiet)) as told:
        floors = render_films(
            folder, world, split, n, progress=lambda done, all_: told("films", done, all_)
        )
    console = screen.stdout()
    console.print(f"{n} films of {split} in {folder}", markup=False)
    console.print("a reader of the questions alone (validation): free text, options, chance")
    for f in floors:
        console.print(f"  {f.kind:8} {f.free:6.1%} {f.choice:6.1%} {f.chance:6.1%}", markup=False)
