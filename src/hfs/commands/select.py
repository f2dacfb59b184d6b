"""``hfs select``: a video and a question -> the frames, in words, as JSON, or as a folder."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hfs.commands import screen
from hfs.errors import UsageError
from hfs.plugins import Spec, parse
from hfs.timecode import clock
from hfs.timecode import parse as seconds

if TYPE_CHECKING:
    from hfs.types import Selection

Text = Annotated[str | None, typer.Option()]


def select(
    video: Annotated[str, typer.Argument(help="The video file.")],
    question: Annotated[str, typer.Argument(help="What the frames should answer.")],
    budget: Annotated[int, typer.Option("-k", "--budget", help="How many frames.")] = 8,
    option: Annotated[
        list[str] | None, typer.Option("--option", help="A possible answer; once for each.")
    ] = None,
    pipeline: Annotated[
        str,
        typer.Option(
            "--pipeline", "--preset", help="auto, offline, balanced, or a spec of all stages."
        ),
    ] = "auto",
    model: Annotated[
        str | None,
        typer.Option(metavar="DIR|NAME", help="A trained student, with the pipeline it names."),
    ] = None,
    sampler: Annotated[str | None, typer.Option(help="Which frames to look at.")] = None,
    reader: Annotated[
        list[str] | None, typer.Option("--reader", help="A source of text; once for each.")
    ] = None,
    backbone: Annotated[str | None, typer.Option(help="What looks at the frames.")] = None,
    encoder: Annotated[str | None, typer.Option(help="What reads the question.")] = None,
    selector: Annotated[str | None, typer.Option(help="What chooses the set.")] = None,
    start: Annotated[
        str | None, typer.Option("--from", help="Begin here: 75.5, 1:15.5 or 1:02:03.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", help="End here.")] = None,
    subtitles: Annotated[str | None, typer.Option(help="A subtitle file: srt, vtt, ass.")] = None,
    stream: Annotated[int | None, typer.Option(help="Index of the video stream.")] = None,
    out: Annotated[
        str | None, typer.Option(help="Folder for the JPEGs, selection.json and report.html.")
    ] = None,
    json: Annotated[
        str | None, typer.Option("--json", metavar="FILE|-", help="Write the document here.")
    ] = None,
    cache: Annotated[
        str, typer.Option(metavar="DIR|none", help="Where features are kept.")
    ] = "default",
    seed: Annotated[int, typer.Option(help="For selectors that draw at random.")] = 0,
    max_pixels: Annotated[
        int | None, typer.Option(help="Refuse frames with more pixels than this.")
    ] = None,
    max_duration: Annotated[
        float | None, typer.Option(help="Refuse videos longer than this, in seconds.")
    ] = None,
    max_candidates: Annotated[
        int | None, typer.Option(help="Refuse to look at more frames than this.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Errors only on stderr.")] = False,
) -> None:
    """Choose the frames of a video that together answer a question."""
    window = [None if text is None else seconds(text) for text in (start, end)]
    stages = {
        "sampler": sampler,
        "readers": reader or None,
        "backbone": backbone,
        "encoder": encoder,
        "selector": selector,
    }
    preset = _preset(pipeline, model)
    spec = _with(preset, {k: v for k, v in stages.items() if v is not None})
    import hfs
    from hfs.types import Limits

    limits = {"pixels": max_pixels, "duration": max_duration, "candidates": max_candidates}
    console = screen.stderr(quiet=quiet)
    with screen.progress(console) as told:
        selection = hfs.select(
            video,
            question,
            budget=budget,
            options=option or [],
            pipeline=str(spec),
            start=window[0],
            end=window[1],
            subtitles=subtitles,
            out=out,
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


def _preset(pipeline: str, model: str | None) -> Spec:
    if model is None:
        return parse(pipeline)
    if pipeline != "auto":
        raise UsageError(
            f"expected --model or --pipeline, got both: --model {model} is --pipeline "
            f"\"trained(model='{model}')\", and single stages can be replaced beside it"
        )
    return Spec("trained", {"model": model})


def _with(spec: Spec, stages: dict[str, Any]) -> Spec:
    given = {
        k: [parse(s) for s in v] if isinstance(v, list) else parse(v) for k, v in stages.items()
    }
    return Spec(spec.name, {**spec.options, **given})


def _show(selection: "Selection", out: str | None) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name, right in (("time", True), ("rank", True), ("score", True), ("said or shown", False)):
        table.add_column(name, justify="right" if right else "left", no_wrap=right)
    for frame in selection.frames:
        words = " / ".join(dict.fromkeys(item.text for item in frame.text))
        row = (clock(frame.time, digits=3), str(frame.rank), f"{frame.score:.2f}", words)
        table.add_row(*map(Text, row))
    console = screen.stdout()
    console.print(table)
    if out is not None:
        console.print(f"Frames, selection.json and report.html are in {out}", markup=False)
