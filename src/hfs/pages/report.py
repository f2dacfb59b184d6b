"""A selection and what it was made from -> one HTML page that explains it, complete in itself."""

import base64
import shlex
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import PurePath

from hfs.pages.reasons import Piece, Reason, asked, pieces, reason
from hfs.pages.template import template
from hfs.pages.timeline import timeline
from hfs.timecode import clock
from hfs.types import Asked, Candidates, Evidence, Scores, SelectedFrame, Selection


@dataclass(frozen=True)
class Quote:
    """What was said or shown near a frame."""

    source: str
    start: float
    pieces: list[Piece]

    @property
    def telling(self) -> bool:
        """Whether it shares words with the question."""
        return any(piece.telling for piece in self.pieces)


@dataclass(frozen=True)
class Card:
    """A chosen frame as the page shows it."""

    number: int
    frame: SelectedFrame
    image: str
    reason: Reason
    quotes: list[Quote]
    """The telling ones first."""
    terms: list[tuple[str, float, float]]
    """Name and value of each term of the gain, and its length in percent of the longest of all."""


@dataclass(frozen=True)
class Even:
    """A frame that evenly spaced sampling would have shown."""

    time: float
    image: str
    score: float


def report(
    selection: Selection,
    *,
    candidates: Candidates,
    scores: Scores,
    evidence: Evidence,
    images: Mapping[int, bytes],
    uniform: Sequence[tuple[float, bytes]],
) -> str:
    """The page; it asks nothing of the network and runs no script.

    ``images`` are JPEGs by frame index, ``uniform`` the time and JPEG of evenly spaced frames.
    """
    query, wanted = selection.query, asked(selection)
    telling = [i for i in evidence.items if any(p.telling for p in pieces(i.text, wanted))]
    evenly = [Even(t, _data(image), _score_at(scores, t)) for t, image in uniform]
    return template("report.html", clock=clock, signed=signed, source=source).render(
        selection=selection,
        name=PurePath(selection.video.uri).name,
        candidates=candidates,
        cards=_cards(selection, scores, images),
        evenly=evenly,
        timeline=timeline(
            selection.frames,
            scores,
            evidence=evidence,
            telling=telling,
            uniform=[even.time for even in evenly],
        ),
        flat=not bool(scores.relevance.any()),
        channels=sorted(selection.channels.items(), key=lambda channel: -channel[1]),
        means=(_mean([f.score for f in selection.frames]), _mean([e.score for e in evenly])),
        thought=query.get("thought", ""),
        chooser=query.get("selector", ""),
        facets=_facets(query),
        troubles=troubles(selection),
        remarks=[*selection.fallbacks, *selection.notes, *troubles(selection)],
        command=command(selection),
    )


def command(selection: Selection) -> str:
    """What to type to make the selection again."""
    lines = [["hfs", "select", selection.video.uri, selection.question]]
    lines += [["--option", option] for option in selection.options]
    if selection.window != (0.0, selection.video.duration):
        start, end = map(str, selection.window)
        lines.append(["--from", start, "--to", end])
    if selection.video.stream:
        lines.append(["--stream", str(selection.video.stream)])
    lines.append(["-k", str(selection.budget), "--seed", str(selection.seed)])
    lines.append(["--pipeline", selection.pipeline])
    return " \\\n    ".join(map(shlex.join, lines))


def troubles(selection: Selection) -> list[str]:
    """What was wrong with the video, in sentences; none for a sound file."""
    health = selection.health
    found = []
    if health.damaged:
        found.append(f"{health.damaged:,} of {health.packets:,} packets are damaged.")
    if health.lost:
        found.append(f"{health.lost:,} frames could not be decoded.")
    return [*found, *health.notes]


def signed(value: float) -> str:
    """Three decimals after a sign, with the true minus; no sign where they are all zero."""
    shown = f"{value:+.3f}".replace("-", "−")
    return shown if shown.strip("+−0.") else "0.000"


def source(name: str) -> str:
    """A kind of evidence in plain words."""
    return {"ocr": "on-screen text", "visual": "pictures"}.get(name, name)


def _cards(selection: Selection, scores: Scores, images: Mapping[int, bytes]) -> list[Card]:
    wanted = asked(selection)
    terms = [
        {"Relevance": f.relevance, "Coverage": f.coverage, "Redundancy": f.redundancy}
        for f in selection.frames
    ]
    longest = max((abs(v) for values in terms for v in values.values()), default=0.0) or 1.0
    return [
        Card(
            number=number,
            frame=frame,
            image=_data(images[frame.index]),
            reason=reason(frame, selection, scores),
            quotes=_quotes(frame, wanted),
            terms=[(name, v, 100 * abs(v) / longest) for name, v in values.items()],
        )
        for number, (frame, values) in enumerate(zip(selection.frames, terms, strict=True), 1)
    ]


def _quotes(frame: SelectedFrame, wanted: Set[str]) -> list[Quote]:
    quotes = [Quote(t.source, max(t.start, 0.0), pieces(t.text, wanted)) for t in frame.text]
    return sorted(quotes, key=lambda quote: not quote.telling)


def _facets(query: Asked) -> list[tuple[str, float]]:
    """Each different facet with its weight: several vectors may look for the same words."""
    weights: dict[str, float] = {}
    for facet, weight in zip(query.get("facets", []), query.get("weights", []), strict=False):
        weights[facet] = weights.get(facet, 0.0) + weight
    return list(weights.items())


def _data(image: bytes) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(image).decode()}"


def _score_at(scores: Scores, time: float) -> float:
    return float(scores.relevance[(scores.times - time).abs().argmin()])


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
