"""A frame of a film -> what is true of it, and true and nearly true captions.

A caption says some facts; it is true of every frame that has them all. So a batch of frames and
captions comes with its whole matrix of truth, and a caption with one fact changed is false by
construction.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor

from hfs.world import scenes
from hfs.world.scenes import Layout

Facts = frozenset[tuple[str, str]]
"""Pairs such as ``("colour", "red")``; ``("digit", "")`` says that some digit is shown."""

_VALUES: dict[str, tuple[str, ...]] = {
    "colour": scenes.COLOURS,
    "shape": scenes.SHAPES,
    "ground": scenes.GROUNDS,
    "digit": tuple("0123456789"),
    "letter": scenes.LETTERS,
    "word": scenes.WORDS,
    "event": scenes.EVENTS,
}
_HAPPENS = {
    "flash": ("flashes", "lights up in white"),
    "split": ("splits", "falls into two halves"),
    "shrink": ("shrinks", "gets small"),
    "leave": ("leaves", "leaves at the side"),
    "hit": ("is hit by a ball", "meets a white ball"),
}


@dataclass(frozen=True)
class Caption:
    """A text, and all the facts that it claims."""

    text: str
    facts: Facts

    def true_of(self, facts: Facts) -> bool:
        """Whether a frame with these facts is what the caption says."""
        return self.facts <= facts


def facts(layout: Layout, candidate: int) -> Facts:
    """Everything that captions can say about a candidate."""
    scene = layout.scene_at(candidate)
    found = {("colour", scene.colour), ("shape", scene.shape), ("ground", scene.ground)}
    moment = scene.at(candidate)
    if moment is None:
        found.add(("plain", ""))
    elif moment == "reveal":
        found |= {("digit", str(scene.digit)), ("letter", scene.letter)}
        found |= {("digit", ""), ("letter", "")}
    elif moment == "word" and scene.word is not None:
        found |= {("word", scene.word), ("word", "")}
    elif moment == "event" and scene.event is not None:
        found |= {("event", scene.event), ("event", "")}
    return frozenset(found)


def caption(frame: Facts, rng: np.random.Generator) -> Caption:
    """A true caption of a frame: sometimes of all of it, sometimes of as little as its colour."""
    known = dict(sorted(frame))
    extra = [kind for kind in ("digit", "letter", "word", "event", "plain") if kind in known]
    chosen = {"colour", "shape"}
    draw = rng.random()
    if draw < 0.12:
        chosen = {("colour", "shape")[int(rng.integers(2))]}
    elif draw < 0.18:
        chosen = set()
    if rng.random() < 0.35 or not (chosen or extra):
        chosen.add("ground")
    general = rng.random() < 0.4
    if extra and (not chosen or rng.random() < 0.75):
        chosen.add(extra[int(rng.integers(len(extra)))])
        if {"digit", "letter"} <= known.keys() and not general and rng.random() < 0.3:
            chosen |= {"digit", "letter"}
    said = {
        kind: "" if general and kind in extra else _value(frame, kind) for kind in sorted(chosen)
    }
    return _worded(said, rng)


def nearly(caption: Caption, rng: np.random.Generator) -> Caption | None:
    """The caption with one of its facts changed, or None where it has none that could be."""
    said = dict(
        caption.facts - {(k, "") for k in _VALUES if any(v for n, v in caption.facts if n == k)}
    )
    open_ = sorted(kind for kind, value in said.items() if value)
    if not open_:
        return None
    kind = open_[int(rng.integers(len(open_)))]
    others = [value for value in _VALUES[kind] if value != said[kind]]
    return _worded(said | {kind: others[int(rng.integers(len(others)))]}, rng)


def single(rng: np.random.Generator) -> list[Caption]:
    """A caption of every single fact that there is."""
    return [_worded({kind: value}, rng) for kind, values in _VALUES.items() for value in values]


def truth(captions: Sequence[Caption], frames: Sequence[Facts]) -> Bool[Tensor, "c n"]:
    """Which caption is true of which frame."""
    return torch.tensor([[c.true_of(f) for f in frames] for c in captions], dtype=torch.bool)


def _value(frame: Facts, kind: str) -> str:
    return next((value for name, value in sorted(frame, reverse=True) if name == kind), "")


def _pick(rng: np.random.Generator, *texts: str) -> str:
    return texts[int(rng.integers(len(texts)))]


def _worded(said: dict[str, str], rng: np.random.Generator) -> Caption:
    """One of several ways to say it; the words that questions and thoughts use are among them."""
    claims = set(said.items()) | {(k, "") for k, v in said.items() if v and k in _GENERAL}
    the = _pick(rng, "a", "the")
    thing = f"{the} {_thing(said)}"
    place = (
        f" {_pick(rng, 'on', 'over', 'in front of')} {said['ground']}" if "ground" in said else ""
    )
    texts = [_shown(kind, said[kind], rng) for kind in ("digit", "letter") if kind in said]
    if texts:
        shown = " and ".join(texts)
        text = _pick(
            rng,
            f"{thing}{place} with {shown}",
            f"{shown} shown with {thing}{place}",
            f"{shown} next to {thing}{place}",
            f"read {shown} shown with {thing}{place}",
        )
    elif "word" in said:
        word = f"the word {said['word']}" if said["word"] else _pick(rng, "a word", "the word")
        text = _pick(
            rng,
            f"{word} written below {thing}{place}",
            f"{thing}{place} with {word}",
            f"read {word} written below {thing}{place}",
        )
    elif "event" in said:
        text = _event(said["event"], thing, place, rng)
    elif "plain" in said:
        text = _pick(rng, f"only {thing}{place}", f"{thing}{place} and nothing else")
    else:
        text = _pick(
            rng,
            f"{thing}{place}",
            f"{thing} is on screen{place}",
            f"{thing} is shown{place}",
            f"when {thing} is on screen{place}",
        )
    return Caption(text, frozenset(claims))


_GENERAL = ("digit", "letter", "word", "event")


def _thing(said: dict[str, str]) -> str:
    return f"{said.get('colour', '')} {said.get('shape', 'shape')}".strip()


def _shown(kind: str, value: str, rng: np.random.Generator) -> str:
    noun = _pick(rng, "digit", "number") if kind == "digit" else "letter"
    return f"the {noun} {value}" if value else f"{_pick(rng, 'a', 'the')} {noun}"


def _event(event: str, thing: str, place: str, rng: np.random.Generator) -> str:
    if event:
        return f"{thing} {_pick(rng, *_HAPPENS[event])}{place}"
    return _pick(
        rng,
        f"something happens to {thing}{place}",
        f"what happens to {thing}{place}",
    )
