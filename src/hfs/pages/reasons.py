"""A chosen frame's numbers -> why it was chosen, in plain words."""

import re
from collections.abc import Set
from functools import lru_cache
from typing import NamedTuple

from hfs import terms
from hfs.timecode import clock
from hfs.types import Scores, SelectedFrame, Selection


class Reason(NamedTuple):
    """Why, in one sentence, and what else the numbers say."""

    first: str
    others: tuple[str, ...]


class Piece(NamedTuple):
    """A stretch of text, and whether it is a word of the question."""

    text: str
    telling: bool


def reason(frame: SelectedFrame, selection: Selection, scores: Scores) -> Reason:
    """The stronger of service and coverage first; every sentence is a number put into words."""
    serves, covers = _service(frame, selection, scores), _coverage(frame, selection)
    asked_for = frame.score > 0 and frame.relevance >= frame.coverage
    first, second = (serves, covers) if asked_for else (covers, serves)
    others = (second, _words(frame, selection), _repetition(frame), _joining(frame))
    return Reason(first, tuple(sentence for sentence in others if sentence))


def pieces(text: str, wanted: Set[str]) -> list[Piece]:
    """The text cut at the words that answer to a wanted term; joined again it is the text."""
    found: list[Piece] = []
    for part in re.split(r"(\w+)", text):
        telling = not wanted.isdisjoint(_answers(part))
        if found and found[-1].telling == telling:
            part = found.pop().text + part
        found.append(Piece(part, telling))
    return [piece for piece in found if piece.text]


def asked(selection: Selection) -> Set[str]:
    """The terms that the question and its facets look for."""
    texts = [selection.question, *selection.query.get("facets", [])]
    return {term for text in texts for term in terms.asked(text)}


@lru_cache(maxsize=4096)
def _answers(word: str) -> frozenset[str]:
    return frozenset(term for answers in terms.terms(word) for term in answers)


def _service(frame: SelectedFrame, selection: Selection, scores: Scores) -> str:
    facets = selection.query.get("facets", [])
    if frame.facet not in facets or frame.score <= 0:
        return "Nothing near it matches the question."
    row, what = scores.facets[facets.index(frame.facet)], f"“{frame.facet}”"
    if frame.facet == selection.question:
        row = scores.relevance
        what = "the question as a whole" if len(facets) > 1 else "the question"
    own = row[(scores.times - frame.time).abs().argmin()]
    if bool((row <= own).all()):
        return f"No frame serves {what} better."
    share = int(100 * (row < own).double().mean())
    return f"Serves {what} better than {share} % of the frames looked at."


def _coverage(frame: SelectedFrame, selection: Selection) -> str:
    start, end = frame.covers
    length = selection.window[1] - selection.window[0]
    share = 100 * (end - start) / length if length > 0 else 100.0
    part = f"{share:.0f} %" if share >= 1 else "less than 1 %"
    stretch = f"{clock(start, digits=0)} to {clock(end, digits=0)}"
    return f"Stands for {stretch}, {part} of the time asked for."


def _words(frame: SelectedFrame, selection: Selection) -> str:
    wanted = asked(selection)
    found = {
        _answers(piece.text) & wanted: f"“{piece.text}”"
        for item in frame.text
        for piece in pieces(item.text, wanted)
        if piece.telling
    }
    return f"The words near it include {', '.join(found.values())}." if found else ""


def _repetition(frame: SelectedFrame) -> str:
    if frame.rank == 1:
        return ""
    share = -frame.redundancy / max(frame.relevance + frame.coverage, 1e-9)
    much = "nothing" if share < 0.02 else "a little" if share < 0.25 else "much"
    return f"Repeats {much} of what was chosen before it."


def _joining(frame: SelectedFrame) -> str:
    if frame.gain < 0:
        return f"Chosen {ordinal(frame.rank)}, to fill the budget: it adds less than it repeats."
    return f"Chosen {ordinal(frame.rank)}, adding {frame.gain:.3f} to the value of the set."


def ordinal(n: int) -> str:
    """1st, 2nd, 3rd, 4th, ..., 11th, ..., 21st."""
    teen = 10 < n % 100 < 20
    return f"{n}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(n % 10, 'th')}"
