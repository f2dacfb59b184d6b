"""A video and a question -> the frames that answer it, and a model's answer over them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hfs import document, hub, plugins
from hfs.answerers import Answer, Answerer, Asked
from hfs.answers import prompt
from hfs.chat import Chat
from hfs.errors import UsageError
from hfs.handover import Size
from hfs.message import Message, Pairing, said, shown
from hfs.pipeline import Progress, select
from hfs.presets import Pipeline
from hfs.token_budget import MOST, Plan, plan, saying_what_fits
from hfs.types import Limits, Selection
from hfs.video import Video

SCHEMA = "hfs.answer/1"
"""The JSON document of an Answered."""


@dataclass(frozen=True)
class Answered:
    """An answer, and what it was given on."""

    answer: Answer
    selection: Selection
    answerer: str
    """Its spec."""
    size: Size
    """Height and width in which the frames were handed over."""
    prompt: str
    """What was said after the frames."""
    subtitles: int = 0
    """Lines of subtitles that stood between them."""
    plan: Plan | None = None
    """The budget in tokens that gave the number of frames and their size, if one did."""

    def to_json(self) -> dict[str, Any]:
        """The ``hfs.answer/1`` document, in plain values for ``json.dump``."""
        record = {"schema": SCHEMA, **document.encode(self)}
        return {**record, "selection": self.selection.to_json()}


def planned(
    source: object,
    question: str,
    limit: int,
    model: str,
    *,
    budget: int | None = None,
    options: Sequence[str] = (),
    pairing: Pairing = "images",
    stream: int | None = None,
    limits: Limits = Limits(),  # noqa: B008 (frozen)
) -> Plan:
    """How many frames of a video, in which size, fit so many tokens of a model with the question.

    With ``budget`` their number is given; ``pairing`` is the answerer's. Raises UsageError where
    they do not fit.
    """
    chat = Chat.of(hub.folder(model), pairing)
    with Video.open(source, stream=stream, limits=limits) as video:
        info = video.info
        return plan(
            chat,
            limit,
            model=model,
            size=(info.height, info.width),
            duration=info.duration,
            text=prompt(question.strip(), [option.strip() for option in options]),
            frames=budget,
            most=min(MOST, info.frames),
        )


def answer(
    source: object,
    question: str,
    *,
    answerer: str,
    budget: int | None = None,
    options: Sequence[str] = (),
    pipeline: str | Pipeline = "auto",
    start: float | None = None,
    end: float | None = None,
    subtitles: str | Path | None = None,
    with_subtitles: bool = False,
    plan: Plan | None = None,
    out: str | Path | None = None,
    cache: str | Path | None = "default",
    seed: int = 0,
    stream: int | None = None,
    limits: Limits = Limits(),  # noqa: B008 (frozen)
    progress: Progress | None = None,
) -> Answered:
    """The answer of ``answerer`` (a spec) over the frames that `hfs.select` chooses.

    ``budget`` is 8 where neither it nor a ``plan`` (`planned`) says otherwise. ``with_subtitles``
    puts what is said at the frames between them: all of it, or, under a plan, what its tokens hold.
    What the model could not do is in ``answer.error``; all else is raised as by `hfs.select`.
    """
    if plan is not None and budget is not None:
        raise UsageError("expected a budget or a plan, got both: give planned() the budget")
    asks: Answerer = plugins.build("answerers", answerer)
    selection = select(
        source,
        question,
        budget=_frames(budget, plan),
        options=options,
        pipeline=pipeline,
        start=start,
        end=end,
        subtitles=subtitles,
        out=out,
        cache=cache,
        size=plan.chosen.size if plan else None,
        seed=seed,
        stream=stream,
        limits=limits,
        progress=progress,
    )
    with Video.open(source, stream=stream, limits=limits) as video:
        indices = [frame.index for frame in selection.frames]
        frames = shown(video, indices, plan.chosen.size if plan else None)
    text = prompt(selection.question, selection.options)
    spoken = said(selection) if with_subtitles else ()
    if plan is not None and spoken:
        whole = Message(frames, text, selection.video.duration, spoken)
        chat = Chat.of(hub.folder(plan.model), pairing_of(answerer))
        spoken = saying_what_fits(chat, whole, plan.limit).subtitles
    if progress is not None:
        progress("asking the model", 0, 0)
    item = Asked(
        question=selection.question,
        options=selection.options,
        frames=frames,
        duration=selection.video.duration,
        prompt=text,
        subtitles=spoken,
        key=selection.video.sha256,
    )
    height, width = frames.pixels.shape[-2:]
    return Answered(
        answer=asks([item])[0],
        selection=selection,
        answerer=str(plugins.parse(answerer)),
        size=(height, width),
        prompt=text,
        subtitles=len(spoken),
        plan=plan,
    )


def _frames(budget: int | None, plan: Plan | None) -> int:
    if plan is not None:
        return plan.chosen.frames
    return 8 if budget is None else budget


def pairing_of(answerer: str) -> Pairing:
    """How a local answerer hands frames over; a server is sent pictures."""
    asks = plugins.parse(answerer)
    return asks.options.get("pairing", "images") if asks.name == "local" else "images"
