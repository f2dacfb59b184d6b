"""``hfs answer``: a video and a question -> a model's answer, the frames it saw, and their cost."""

from typing import TYPE_CHECKING, Annotated

import typer

from hfs.commands import options, screen
from hfs.errors import FailureError
from hfs.plugins import parse
from hfs.timecode import clock
from hfs.timecode import parse as seconds

if TYPE_CHECKING:
    from hfs.answering import Answered


def answer(
    video: options.Source,
    question: Annotated[str, typer.Argument(help="What is asked.")],
    answerer: Annotated[
        str,
        typer.Option(help="Who answers: local(model='DIR|NAME'), api(model='NAME', base_url=...)."),
    ],
    budget: options.Budget = None,
    tokens: options.Tokens = None,
    tokens_of: options.For = None,
    option: options.Options = None,
    pipeline: options.Preset = "auto",
    model: options.Student = None,
    selector: options.Selector = None,
    start: options.Start = None,
    end: options.End = None,
    subtitles: options.Subtitles = None,
    with_subtitles: options.WithSubtitles = False,
    stream: options.Stream = None,
    out: options.Out = None,
    json: options.Json = None,
    cache: options.Cache = "default",
    seed: options.Seed = 0,
    quiet: options.Quiet = False,
) -> None:
    """Ask a multimodal model about the frames of a video that together answer a question."""
    window = [None if text is None else seconds(text) for text in (start, end)]
    spec = options.spec(pipeline, model, {"selector": selector})
    console = screen.stderr(quiet=quiet)
    plan = options.plan(
        console,
        video,
        question,
        tokens=tokens,
        model=tokens_of or _model(answerer, tokens),
        budget=budget,
        options=option or [],
        stream=stream,
        answerer=answerer,
    )
    from hfs.answering import answer as ask

    with screen.progress(console) as told:
        found = ask(
            video,
            question,
            answerer=answerer,
            budget=None if plan else budget,
            options=option or [],
            pipeline=spec,
            start=window[0],
            end=window[1],
            subtitles=subtitles,
            with_subtitles=with_subtitles,
            plan=plan,
            out=out,
            cache=None if cache == "none" else cache,
            seed=seed,
            stream=stream,
            progress=told,
        )
    selection = found.selection
    for line in (*selection.fallbacks, *selection.notes, *selection.health.notes):
        console.print(f"note: {line}", markup=False)
    if json is not None:
        screen.put_json(found.to_json(), json)
    if json != "-":
        _show(found)
    if found.answer.error is not None:
        raise FailureError(f"expected an answer of {answerer}, got none: {found.answer.error}")


def _model(answerer: str, tokens: int | None) -> str | None:
    """A local answerer's own model is the one whose tokens are meant."""
    asks = parse(answerer)
    return asks.options.get("model") if tokens and asks.name == "local" else None


def _show(found: "Answered") -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    answer, console = found.answer, screen.stdout()
    if answer.error is None:
        console.print(Text(answer.text, style="bold"))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name, right in (("frame at", True), ("score", True), ("said or shown", False)):
        table.add_column(name, justify="right" if right else "left", no_wrap=right)
    for frame in found.selection.frames:
        words = " / ".join(dict.fromkeys(item.text for item in frame.text))
        row = (clock(frame.time, digits=3), f"{frame.score:.2f}", words)
        table.add_row(*map(Text, row))
    console.print(table)
    if (letter := answer.letter) is not None:
        chosen = found.selection.options[ord(letter) - ord("A")]
        console.print(Text(f"{letter}: {chosen}"))
    elif found.selection.options and answer.error is None:
        console.print("The answer names none of the options.")
    height, width = found.size
    console.print(
        Text(
            f"{len(found.selection.frames)} frames of {width} x {height}; "
            f"{answer.tokens_in:,} tokens in, {answer.tokens_out:,} out; {answer.seconds:.1f} s"
        )
    )
