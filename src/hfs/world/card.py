"""A world and what was rendered of it -> its data card, in Markdown."""

from collections import Counter
from collections.abc import Sequence

from hfs.world import questions
from hfs.world.dataset import VERSION, Film, Item, World
from hfs.world.question_reader import Floor, floors


def floor_of(world: World, films: int) -> list[Floor]:
    """What a question-only reader that has learned from so many training films reaches.

    It is asked the questions of a quarter as many validation films.
    """
    learned = [item for film in world.films("train", films) for item in film.items]
    asked = [item for film in world.films("validation", -(-films // 4)) for item in film.items]
    return floors(learned, asked)


def card(
    world: World, split: str, films: Sequence[Film], floor: Sequence[Floor], learned: int
) -> str:
    """What a folder holds, how it was made, and what is reached without looking at it.

    ``floor`` comes from ``floor_of`` with ``learned`` films.
    """
    items = [item for film in films for item in film.items]
    head = f"""# hfs.world, split {split}

Procedural films of coloured shapes, their questions, and what must be seen to answer them. Made by
rules, version {VERSION}; nothing here was recorded, collected or written by a model.

    {command(world, split, len(films))}

{_facts(world, films)}
"""
    return "\n".join([head, _FILES, "## Questions\n", _kinds(items), _floors(floor, learned), ""])


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
  options in one word each), `answer`, `label`, `letter`, `group`, `kind`, `template`, `duration`;
  `evidence`: intervals in seconds `[start, end)`, each of which must be seen; `any_of`: groups of
  intervals, of each of which any one must be seen; `thought` and `cues`: what to look for, in
  lines, which follows from the question alone.

Training, validation and test use different seeds and different sentences, put together from the
same words.
"""

_FLOOR = """
## What a reader of the questions alone reaches

It has learned the most frequent answer of each kind and pattern from {} training films, and is
asked about a quarter as many validation films: for the answer itself (`free`), and to choose among
the options (`choice`).

| kind | questions | free | choice | chance | how often each answer is right |
|---|---:|---:|---:|---:|---|"""


def _facts(world: World, films: Sequence[Film]) -> str:
    scenes = [scene for film in films for scene in film.layout.scenes]
    lengths = sorted(scene.end - scene.start for scene in scenes)
    shown = sum(m.end - m.start for s in scenes for m in s.moments) / sum(lengths)
    first, count = films[0], len(films)
    rows = {
        "films": f"{count} of {first.duration:g} s, {world.size} x {world.size} pixels, "
        f"{float(first.fps):g} fps",
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


def _floors(floor: Sequence[Floor], learned: int) -> str:
    rows = (
        f"| {f.kind} | {f.questions} | {f.free:.1%} | {f.choice:.1%} | {f.chance:.1%} | "
        f"{'' if f.kind == 'all' else ', '.join(f'{a} {share:.0%}' for a, share in f.priors)} |"
        for f in floor
    )
    return "\n".join([_FLOOR.format(learned), *rows])
