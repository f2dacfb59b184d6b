"""The options that choosing and answering share, and what they mean together."""

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from hfs.errors import UsageError
from hfs.plugins import Spec, parse

if TYPE_CHECKING:
    from hfs.token_budget import Plan

Source = Annotated[str, typer.Argument(metavar="VIDEO", help="The video file.")]
Budget = Annotated[
    int | None, typer.Option("-k", "--budget", help="How many frames; 8 if no --tokens say more.")
]
Tokens = Annotated[
    int | None,
    typer.Option(min=1, help="As many frames, in such a size, as fit these tokens of --for."),
]
For = Annotated[
    str | None, typer.Option("--for", metavar="DIR|NAME", help="The model whose tokens they are.")
]
Options = Annotated[
    list[str] | None, typer.Option("--option", help="A possible answer; once for each.")
]
Preset = Annotated[
    str,
    typer.Option(
        "--pipeline", "--preset", help="auto, offline, balanced, or a spec of all stages."
    ),
]
Student = Annotated[
    str | None,
    typer.Option(metavar="DIR|NAME", help="A trained student, with the pipeline it names."),
]
Selector = Annotated[str | None, typer.Option(help="What chooses the set.")]
Start = Annotated[str | None, typer.Option("--from", help="Begin here: 75.5, 1:15.5 or 1:02:03.")]
End = Annotated[str | None, typer.Option("--to", help="End here.")]
Subtitles = Annotated[str | None, typer.Option(help="A subtitle file: srt, vtt, ass.")]
WithSubtitles = Annotated[
    bool, typer.Option("--with-subtitles", help="Hand over what is said at the frames, too.")
]
Stream = Annotated[int | None, typer.Option(help="Index of the video stream.")]
Out = Annotated[
    str | None, typer.Option(help="Folder for the JPEGs, selection.json and report.html.")
]
Json = Annotated[
    str | None, typer.Option("--json", metavar="FILE|-", help="Write the document here.")
]
Cache = Annotated[str, typer.Option(metavar="DIR|none", help="Where features are kept.")]
Seed = Annotated[int, typer.Option(help="For selectors that draw at random.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Errors only on stderr.")]


def spec(pipeline: str, model: str | None, stages: dict[str, Any]) -> str:
    """The pipeline, or a trained student's, with the stages that were named in place of its own."""
    base = _preset(pipeline, model)
    given = {
        k: [parse(s) for s in v] if isinstance(v, list) else parse(v)
        for k, v in stages.items()
        if v is not None and v != []
    }
    return str(Spec(base.name, {**base.options, **given}))


def _preset(pipeline: str, model: str | None) -> Spec:
    if model is None:
        return parse(pipeline)
    if pipeline != "auto":
        raise UsageError(
            f"expected --model or --pipeline, got both: --model {model} is --pipeline "
            f"\"trained(model='{model}')\", and single stages can be replaced beside it"
        )
    return Spec("trained", {"model": model})


def plan(
    console: Console,
    video: str,
    question: str,
    *,
    tokens: int | None,
    model: str | None,
    budget: int | None,
    options: list[str],
    stream: int | None,
    answerer: str = "",
) -> "Plan | None":
    """The plan of a budget in tokens, told before anything is done; None where there is none."""
    if tokens is None:
        if model is not None:
            raise UsageError("expected --tokens beside --for: a budget in that model's tokens")
        return None
    if model is None:
        raise UsageError("expected --for MODEL beside --tokens: each model counts its own")
    from hfs.answering import planned

    found = planned(video, question, tokens, model, budget=budget, options=options, stream=stream)
    first, *others = found.lines
    for line in (f"budget: {first}", *(f"  {line}" for line in others)):
        console.print(line, markup=False)
    return found
