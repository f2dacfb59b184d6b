"""Films -> a folder: an MP4 and subtitles each, the questions with their evidence, a data card.

Every file is whole or not there; the card is written last, so a folder with a card is complete.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8

from hfs import document
from hfs.errors import OutputError, UsageError
from hfs.world import records
from hfs.world.card import card, floor_of
from hfs.world.dataset import VERSION, Film, World
from hfs.world.question_reader import Floor

QUESTIONS, CARD, OPTIONS = "questions.jsonl", "README.md", "world.json"
_CODEC = {"preset": "veryfast", "crf": "13", "g": "32", "bf": "0", "x264-params": "mbtree=0"}
"""Small pictures need bits to keep their glyphs, and keyframes keep seeking fast.

Without B-frames and mbtree the same pictures give the same bytes; with them they did not (seen with
x264 core 165: its rate control depended on what the process had encoded before).
"""
_HELD = 512
"""Frames drawn at once."""


def render(
    folder: str | Path,
    world: World,
    split: str,
    count: int,
    *,
    learned: int = 1000,
    progress: Callable[[int, int], None] | None = None,
) -> list[Floor]:
    """Write the first ``count`` films of a split; films that are there from before are kept.

    Returns what a question-only reader that has ``learned`` from so many training films reaches,
    which the card shows. Raises OutputError where the folder cannot be written, UsageError where
    it holds another world's films.
    """
    if count < 1:
        raise UsageError(f"expected at least 1 film, got {count}")
    path = Path(folder)
    films = list(world.films(split, count))
    try:
        path.mkdir(parents=True, exist_ok=True)
        _claim(path, world, split)
        _put(path / QUESTIONS, records.lines([item for film in films for item in film.items]))
        for number, film in enumerate(films, 1):
            video = path / f"{film.id}.mp4"
            if not video.exists():
                write_subtitles(film, video.with_suffix(".srt"))
                write_video(film, video)
            if progress is not None:
                progress(number, count)
        floor = floor_of(world, learned)
        _put(path / CARD, card(world, split, films, floor, learned))
    except OSError as error:
        raise OutputError(f"expected to write films to {path}: {error}") from error
    return floor


def write_video(film: Film, path: Path) -> None:
    """H.264 with every frame at its own time. Raises OutputError where it cannot be written."""
    import av
    from av.error import FFmpegError

    try:
        with _whole(path) as part, av.open(str(part), "w", format="mp4") as out:
            stream = out.add_stream("libx264", rate=film.fps, options=_CODEC)
            stream.width, stream.height, stream.pix_fmt = film.size, film.size, "yuv420p"
            stream.codec_context.time_base = 1 / film.fps
            stream.codec_context.thread_count = 1
            for i, picture in enumerate(_pictures(film)):
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts, frame.time_base = i, 1 / film.fps
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
    except (OSError, FFmpegError) as error:
        raise OutputError(f"expected to write the film to {path}: {error}") from error


def _pictures(film: Film) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
    """Every frame in order; few are held at once."""
    for at in torch.arange(film.layout.frames * film.per_candidate).split(_HELD):
        yield from np.ascontiguousarray(film.frames(at).pixels.permute(0, 2, 3, 1).numpy())


def write_subtitles(film: Film, path: Path) -> None:
    """What is said, as SubRip."""
    cues = [
        f"{number}\n{_clock(said.start)} --> {_clock(said.end)}\n{said.text}\n"
        for number, said in enumerate(film.subtitles, 1)
    ]
    _put(path, "\n".join(cues))


def _claim(path: Path, world: World, split: str) -> None:
    """Films of other options do not mix: say in the folder which ones its films are made from."""
    options = document.text({"version": VERSION, "split": split, **document.encode(world)})
    known = path / OPTIONS
    if known.exists():
        if known.read_text(encoding="utf-8") != options:
            raise UsageError(
                f"expected {path} to be new or to hold films of the same world and split, found "
                f"others in {OPTIONS}: choose another folder"
            )
    elif stray := next(iter(path.iterdir()), None):
        raise UsageError(
            f"expected {path} to be new, empty or a folder of films, found {stray.name} without "
            f"{OPTIONS}: choose another folder"
        )
    _put(known, options)


def _put(path: Path, text: str) -> None:
    with _whole(path) as part:
        part.write_text(text, encoding="utf-8")


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    part = path.with_name(f".part-{path.name}")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _clock(seconds: float) -> str:
    whole, thousandths = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02},{thousandths:03}"
