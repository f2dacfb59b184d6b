"""``hfs select``: a video and a question -> the frames, in words, as JSON, or as a folder."""

from typing import TYPE_CHECKING, Annotated

import typer

from hfs.commands import options, screen
from hfs.timecode import clock
from hfs.timecode import parse as seconds

if TYPE_CHECKING:
    from hfs.types import Selection


def select(
    video: options.Source,
    question: Annotated[str, typer.Argument(help="What the frames should answer.")],
    budget: options.Budget = None,
    tokens: options.Tokens = None,
    tokens_of: options.For = None,
    option: options.Options = None,
    pipeline: options.Preset = "auto",
    model: options.Student = None,
    sampler: Annotated[str | None, typer.Option(help="Which frames to look at.")] = None,
    reader: Annotated[
        list[str] | None, typer.Option("--reader", help="A source of text; once for each.")
    ] = None,
    backbone: Annotated[str | None, typer.Option(help="What looks at the frames.")] = None,
    encoder: Annotated[str | None, typer.Option(help="What reads the question.")] = None,
    selector: options.Selector = None,
    start: options.Start = None,
    end: options.End = None,
    subtitles: options.Subtitles = None,
    stream: options.Stream = None,
    out: options.Out = None,
    export: Annotated[
        list[str] | None,
        typer.Option("--export", help="Write a host's request into --out; once for each."),
    ] = None,
    with_subtitles: options.WithSubtitles = False,
    json: options.Json = None,
    cache: options.Cache = "default",
    seed: options.Seed = 0,
    max_pixels: Annotated[
        int | None, typer.Option(help="Refuse frames with more pixels than this.")
    ] = None,
    max_duration: Annotated[
        float | None, typer.Option(help="Refuse videos longer than this, in seconds.")
    ] = None,
    max_candidates: Annotated[
        int | None, typer.Option(help="Refuse to look at more frames than this.")
    ] = None,
    quiet: options.Quiet = False,
) -> None:
    """Choose the frames of a video that together answer a question."""
    window = [None if text is None else seconds(text) for text in (start, end)]
    stages = {
        "sampler": sampler,
        "readers": reader,
        "backbone": backbone,
        "encoder": encoder,
        "selector": selector,
    }
    spec = options.spec(pipeline, model, stages)
    import hfs
    from hfs.types import Limits

    limits = {"pixels": max_pixels, "duration": max_duration, "candidates": max_candidates}
    console = screen.stderr(quiet=quiet)
    plan = options.plan(
        console,
        video,
        question,
        tokens=tokens,
        model=tokens_of,
        budget=budget,
        options=option or [],
        stream=stream,
    )
    if plan is not None:
        budget = plan.chosen.frames
    with screen.progress(console) as told:
        selection = hfs.select(
            video,
            question,
            budget=8 if budget is None else budget,
            options=option or [],
            pipeline=spec,
            start=window[0],
            end=window[1],
            subtitles=subtitles,
            out=out,
            size=plan.chosen.size if plan else None,
            export=export or [],
            with_subtitles=with_subtitles,
            cache=None if cache == "none" else cache,
            seed=seed,
            stream=stream,
            limits=Limits(**{k: v for k, v in limits.items() if v is not None}),
            progress=told,
        )
    for line in (*selection.fallbacks, *selection.notes, *selection.health.notes):
        console.print(f"note: {line}", markup=False)
    if json is not None:
        screen.put_json(selection.to_json(), json)
    if json != "-":
        _show(selection, out)


def _show(selection: "Selection", out: str | None) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    thought = selection.query.get("thought", "")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("time", "rank", "score"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in ("cue", "said or shown") if thought else ("said or shown",):
        table.add_column(name)
    for frame in selection.frames:
        words = " / ".join(dict.fromkeys(item.text for item in frame.text))
        row = (clock(frame.time, digits=3), str(frame.rank), f"{frame.score:.2f}")
        table.add_row(*map(Text, (*row, frame.facet, words) if thought else (*row, words)))
    console = screen.stdout()
    if thought:
        console.print(Text(f"Thought:\n{thought}", style="dim"))
    if chooser := selection.query.get("selector"):
        console.print(Text(f"Chosen by: {chooser}", style="dim"))
    console.print(table)
    if out is not None:
        console.print(f"Frames, selection.json and report.html are in {out}", markup=False)
