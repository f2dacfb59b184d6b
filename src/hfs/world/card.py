"""A world and what was rendered of it -> its data card, in Markdown."""

from collections import Counter
from collections.abc import Sequence

from hfs.world import questions
from hfs.world.dataset import VERSION, Film, Item, World
from hfs.world.question_reader import Floor, floors

_LEARNED, _ASKED = 1000, 250
"""Films whose questions the question-only reader learns from, and is asked."""


def floor_of(world: World) -> list[Floor]:
    """What a question-only reader of training questions reaches on validation questions."""
    learned = [item for film in world.films("train", _LEARNED) for item in film.items]
    asked = [item for film in world.films("validation", _ASKED) for item in film.items]
    return floors(learned, asked)


def card(world: World, split: str, films: Sequence[Film], floor: Sequence[Floor]) -> str:
    """What a folder holds, how it was made, and what is reached without looking at it."""
    items = [item for film in films for item in film.items]
    head = f"""# hfs.world, split {split}

Procedural films of coloured shapes, their questions, and what must be seen to answer them. Made by
rules, version {VERSION}; nothing here was recorded, collected or written by a model.

    {command(world, split, len(films))}

{_facts(world, films)}
"""
    return "\n".join([head, _FILES, "## Questions\n", _kinds(items), _FLOOR, _floors(floor), ""])


def command(world: World, split: str, count: int) -> str:
    """What makes the same folder again."""
    fps = "" if world.fps is None else f" --fps {world.fps:g}"
    return (
        f"hfs world render DIR --split {split} --n {count} --seed {world.seed}"
        f" --frames {world.frames} --size {world.size} --step {world.step:g}{fps}"
    )


_FILES = """## Files

- `<video>.mp4`, `<video>.srt`: a film, and what is said in it.
- `world.json`: the options that it was made from.
- `questions.jsonl`: one question a line: `id`, `video`, `question`, `options`, `labels` (the
  options in one word each), `answer`, `label`, `letter`, `kind`, `template`, `duration`;
  `evidence`: units, each a list of intervals in seconds `[start, end)`: every unit is needed, and
  a frame in any interval of a unit serves it; `thought`: the cues to look for, one a line, which
  follow from the question alone.

Training, validation and test use different seeds and different sentences, put together from the
same words.
"""

_FLOOR = f"""
## What a reader of the questions alone reaches

It has learned the most frequent answer of each kind and pattern from {_LEARNED} training films, and
is asked about {_ASKED} validation films: for the answer itself (`free`), and to choose among the
options (`choice`).

| kind | questions | most frequent answer | free | choice | chance |
|---|---:|---|---:|---:|---:|"""


def _facts(world: World, films: Sequence[Film]) -> str:
    scenes = [scene for film in films for scene in film.layout.scenes]
    lengths = sorted(scene.end - scene.start for scene in scenes)
    shown = sum(m.end - m.start for s in scenes for m in s.moments) / sum(lengths)
    first, count = films[0], len(films)
    rows = {
        "films": f"{count} of {first.duration:g} s, {world.size} x {world.size} pixels, "
        f"{float(first.fps):g} frames a second",
        "candidates a film": f"{world.frames}, one each {world.step:g} s",
        "scenes a film": f"{len(scenes) / count:.1f}",
        "candidates a scene": f"median {_quantile(lengths, 0.5)}, ninth decile "
        f"{_quantile(lengths, 0.9)}, most {lengths[-1]}",
        "candidates with a digit, a letter, a word or an event": f"{shown:.1%}",
        "questions": f"{sum(len(f.items) for f in films)}",
    }
    return "\n".join(["| | |", "|---|---|", *(f"| {k} | {v} |" for k, v in rows.items())])


def _quantile(ordered: list[int], share: float) -> int:
    return ordered[round(share * (len(ordered) - 1))]


def _kinds(items: Sequence[Item]) -> str:
    count = Counter(item.kind for item in items)
    example = {item.kind: item for item in reversed(items)}
    rows = [
        f"| {name} | {kind} | {count[kind]} | {example[kind].question} | {example[kind].answer} |"
        for name, kinds in questions.GROUPS.items()
        for kind in kinds
        if kind in example
    ]
    return "\n".join(
        ["| group | kind | questions | one of them | answer |", "|---|---|---:|---|---|", *rows]
    )


def _floors(floor: Sequence[Floor]) -> str:
    return "\n".join(
        f"| {f.kind} | {f.questions} | {f.top} ({f.share:.0%}) "
        f"| {f.free:.1%} | {f.choice:.1%} | {f.chance:.1%} |"
        for f in floor
    )
