"""A selection and its video -> a folder with frames, document and report, whole or not at all.

``0001_00-12-03.500.jpg`` is the first frame in time, 12 minutes and 3.5 seconds into the video. Its
EXIF data says which video, time and question it belongs to.
"""

import io
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePath

import torch
from PIL import ExifTags, Image

from hfs import document, handover, plugins
from hfs.errors import OutputError, UsageError, VideoError
from hfs.handover import Handover
from hfs.message import resize
from hfs.pages.report import report
from hfs.timecode import clock
from hfs.types import Candidates, Evidence, Frames, Scores, SelectedFrame, Selection
from hfs.video import Video

DOCUMENT, REPORT = "selection.json", "report.html"

LITTER = {".DS_Store", "Thumbs.db", "desktop.ini"}
"""What file managers leave behind."""

QUALITY = 92
LARGE, SMALL = 960, 240
"""Longer side of the pictures inside the report."""


def write(
    folder: str | Path,
    selection: Selection,
    video: Video,
    *,
    candidates: Candidates,
    scores: Scores,
    evidence: Evidence,
    handed: Handover = Handover(),  # noqa: B008 (frozen)
    progress: Callable[[int, int], None] | None = None,
) -> Selection:
    """Write the result, in place of an earlier one; the selection comes back naming its files.

    ``handed`` says in which size, and which hosts' requests stand beside it; ``progress`` is told
    how many frames of how many are written.
    Raises OutputError where ``check`` does, and where writing fails: then nothing has changed.
    """
    path = check(folder)
    frames = tuple(
        replace(frame, file=file_name(number, frame.time))
        for number, frame in enumerate(selection.frames, 1)
    )
    selection = replace(selection, frames=frames)
    evenly = candidates.keep(_evenly(scores, len(frames)))
    with _whole(path) as part:
        named, images, kept = {frame.index: frame for frame in frames}, {}, []
        for index, _, pixels in _decode(video, list(named), size=handed.size):
            picture = _picture(pixels)
            _save(part, named[index], picture, selection)
            images[index] = _jpeg(picture, LARGE)
            if handed.exporters:
                kept.append(pixels)
            if progress is not None:
                progress(len(images), len(frames))
        if lost := [clock(f.time, digits=3) for f in frames if f.index not in images]:
            raise VideoError(f"expected to decode the frame at {lost[0]} once more, and it is lost")
        page = report(
            selection,
            candidates=candidates,
            scores=scores,
            evidence=evidence,
            images=images,
            uniform=[
                (time, _jpeg(_picture(pixels), SMALL))
                for _, time, pixels in _decode(video, evenly.indices.tolist(), side=SMALL)
            ],
        )
        (part / REPORT).write_bytes(page.encode("utf-8", "replace"))
        (part / DOCUMENT).write_text(document.text(selection.to_json()), encoding="utf-8")
        if kept:
            where = torch.tensor(list(named))
            chosen = Frames(torch.stack(kept), video.times[where], where)
            for name, text in handed.documents(selection, chosen).items():
                (part / name).write_text(text, encoding="utf-8")
    return selection


def check(folder: str | Path) -> Path:
    """The folder's full path, if a result can be put there: to be asked before any work is done.

    Raises OutputError where the place is a file, holds anything but an earlier result, or is not
    writable.
    """
    path = Path(folder).resolve()
    if path.is_dir():
        if foreign := sorted({entry.name for entry in path.iterdir()} - LITTER - _ours(path)):
            raise OutputError(
                f"expected {path} to be new, empty or an earlier result, found {foreign[0]!r} in "
                "it: choose another folder"
            )
    elif path.exists():
        raise OutputError(f"expected a folder, got the file {path}: choose another name")
    parent = next(p for p in path.parents if p.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
        raise OutputError(f"expected to write to {parent}, and it is not a writable folder")
    return path


def file_name(number: int, time: float) -> str:
    """The name of a frame's JPEG; names sort as the frames do."""
    seconds, thousandths = divmod(round(time * 1000), 1000)
    minutes, second = divmod(seconds, 60)
    return f"{number:04}_{minutes // 60:02}-{minutes % 60:02}-{second:02}.{thousandths:03}.jpg"


def _ours(path: Path) -> set[str]:
    """The names that a result folder holds; none if it is no result."""
    try:
        selection = Selection.from_json(path / DOCUMENT)
    except UsageError:
        return set()
    return {DOCUMENT, REPORT, *(f.file for f in selection.frames if f.file), *handover.names()}


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A folder beside ``path`` that takes its place at the end, or is gone after an error."""
    part = path.with_name(f".hfs-{secrets.token_hex(4)}.part")
    old = part.with_suffix(".old")
    try:
        part.mkdir(parents=True)
        yield part
        if path.exists():  # a folder cannot be renamed onto a full one
            path.rename(old)
        try:
            part.rename(path)
        except OSError:
            if old.exists():
                old.rename(path)
            raise
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise OutputError(f"expected to write the result to {path}: {error}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _evenly(scores: Scores, count: int) -> torch.Tensor:
    uniform = plugins.build("selectors", "uniform")
    return uniform(scores, None, count, torch.Generator().manual_seed(0))


def _decode(
    video: Video,
    indices: Sequence[int],
    *,
    side: int | None = None,
    size: tuple[int, int] | None = None,
) -> Iterator[tuple[int, float, torch.Tensor]]:
    """Index, time and pixels of each frame, one at a time: full-size frames are large."""
    for frames in video.frames(torch.tensor(indices), side=side, batch=1):
        pixels = frames.pixels if size is None else resize(frames.pixels, size)
        yield int(frames.indices[0]), float(frames.times[0]), pixels[0]


def _picture(pixels: torch.Tensor) -> Image.Image:
    return Image.fromarray(pixels.permute(1, 2, 0).numpy())


def _save(part: Path, frame: SelectedFrame, picture: Image.Image, selection: Selection) -> None:
    assert frame.file is not None
    name = PurePath(selection.video.uri).name
    question = selection.question[:2000]  # EXIF holds 64 kB in all
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = (
        f"{clock(frame.time, digits=3)} of {name}: {question}".encode()
    )
    exif[ExifTags.Base.Software] = f"hfs {selection.version}"
    facts = {
        "video": name,
        "sha256": selection.video.sha256,
        "time": frame.time,
        "index": frame.index,
        "question": question,
        "version": selection.version,
    }
    comment = b"ASCII\0\0\0" + json.dumps(facts).encode("ascii")
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = comment
    picture.save(part / frame.file, quality=QUALITY, exif=exif)


def _jpeg(picture: Image.Image, side: int) -> bytes:
    small = picture.copy()
    small.thumbnail((side, side))
    out = io.BytesIO()
    small.save(out, "JPEG", quality=80)
    return out.getvalue()
