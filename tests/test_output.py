"""The result folder: whole or not at all, and never at the cost of somebody else's files."""

import dataclasses
import json
import os
from pathlib import Path

import pytest
import torch
from made import selection as choose
from PIL import ExifTags, Image

from hfs.errors import OutputError, VideoError
from hfs.output import check, file_name, write
from hfs.sample import render_sample
from hfs.types import Candidates, Evidence, Scores, Selection
from hfs.video import Video

FPS = 2


@pytest.fixture(scope="module")
def talk(tmp_path_factory):
    return render_sample(tmp_path_factory.mktemp("talk") / "talk.mp4", fps=FPS).video


@pytest.fixture
def result(talk):
    """A video, a selection of it made by hand, and what else ``write`` takes."""
    video = Video.open(talk)
    indices = torch.arange(10, 340, 10)
    times = indices / torch.tensor(float(FPS), dtype=torch.float64)
    relevance = torch.linspace(0, 1, len(times))
    scores = Scores(relevance, relevance[None], torch.ones(1), times, 0.0, 180.0)
    chosen = choose([5, 20, 30], scores, Evidence())
    frames = tuple(dataclasses.replace(f, index=int(f.time * FPS)) for f in chosen.frames)
    made = dataclasses.replace(
        chosen, frames=frames, video=video.info, question="Wer? 誰が?", window=(0.0, 180.0)
    )
    rest = {
        "candidates": Candidates(times, indices, 0.0, 180.0),
        "scores": scores,
        "evidence": Evidence(),
    }
    return made, video, rest


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir()}


def test_writes_the_frames_the_document_and_the_report(result, tmp_path):
    selection, video, rest = result
    told = []
    written = write(tmp_path / "out", selection, video, **rest, progress=lambda *n: told.append(n))
    assert told == [(1, 3), (2, 3), (3, 3)]
    names = ["0001_00-00-30.000.jpg", "0002_00-01-45.000.jpg", "0003_00-02-35.000.jpg"]
    assert sorted(contents(tmp_path / "out")) == [*names, "report.html", "selection.json"]
    assert [f.file for f in written.frames] == names
    assert Selection.from_json(tmp_path / "out") == written
    assert names[0] in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_jpeg_is_the_frame_at_full_size_and_says_where_it_comes_from(result, tmp_path):
    selection, video, rest = result
    written = write(tmp_path / "out", selection, video, **rest)
    frame = written.frames[1]
    (pixels,) = next(iter(video.frames(torch.tensor([frame.index]), batch=1))).pixels
    with Image.open(tmp_path / "out" / frame.file) as picture:
        assert picture.size == (640, 360)
        shown = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8)
        exif = picture.getexif()
    stored = pixels.permute(1, 2, 0).reshape(-1)
    assert (shown.float() - stored.float()).abs().mean() < 3
    described = exif[ExifTags.Base.ImageDescription]
    assert described.encode("latin-1").decode() == "1:45.000 of talk.mp4: Wer? 誰が?"
    comment = exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment]
    assert comment.startswith(b"ASCII\0\0\0")
    facts = json.loads(comment[8:])
    assert facts == {
        "video": "talk.mp4",
        "sha256": video.info.sha256,
        "time": 105.0,
        "index": 210,
        "question": "Wer? 誰が?",
        "version": "0.1.0",
    }


def test_the_same_selection_gives_the_same_bytes(result, tmp_path):
    selection, video, rest = result
    for name in ("one", "two"):
        write(tmp_path / name, selection, video, **rest)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_takes_the_place_of_an_earlier_result_as_a_whole(result, tmp_path):
    selection, video, rest = result
    out = tmp_path / "out"
    write(out, selection, video, **rest)
    first = selection.frames[0]
    fewer = dataclasses.replace(selection, frames=(dataclasses.replace(first, rank=1),))
    (out / ".DS_Store").write_bytes(b"")
    write(out, fewer, video, **rest)
    assert sorted(contents(out)) == ["0001_00-00-30.000.jpg", "report.html", "selection.json"]
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_an_error_on_the_way_leaves_everything_as_it_was(result, tmp_path):
    selection, video, rest = result
    out = tmp_path / "out"
    write(out, selection, video, **rest)
    before = contents(out)
    broken = dataclasses.replace(selection, value=float("nan"))
    with pytest.raises(ValueError, match="value"):
        write(out, broken, video, **rest)
    with pytest.raises(ValueError, match="value"):
        write(tmp_path / "new", broken, video, **rest)
    assert contents(out) == before
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_refuses_a_folder_that_holds_anything_else(result, tmp_path):
    selection, video, rest = result
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"notes\.txt"):
        write(tmp_path, selection, video, **rest)
    assert contents(tmp_path) == {"notes.txt": b"mine"}


def test_refuses_an_earlier_result_to_which_something_was_added(result, tmp_path):
    selection, video, rest = result
    out = tmp_path / "out"
    write(out, selection, video, **rest)
    (out / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"notes\.txt"):
        write(out, selection, video, **rest)
    assert (out / "notes.txt").read_text() == "mine"


def test_refuses_a_folder_whose_document_is_not_ours(tmp_path):
    (tmp_path / "selection.json").write_text('{"schema": "other/1"}')
    with pytest.raises(OutputError, match=r"selection\.json"):
        check(tmp_path)


def test_refuses_a_file_and_a_place_below_a_file(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(OutputError, match="got the file"):
        check(file)
    with pytest.raises(OutputError, match="not a writable folder"):
        check(file / "out")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_refuses_a_parent_that_cannot_be_written(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="not a writable folder"):
            check(tmp_path / "deep" / "out")
    finally:
        tmp_path.chmod(0o700)


def test_a_new_or_empty_folder_will_do_and_is_not_touched_by_the_check(tmp_path):
    (tmp_path / "empty").mkdir()
    assert check(tmp_path / "empty") == tmp_path / "empty"
    assert check(tmp_path / "a" / "b") == tmp_path / "a" / "b"
    assert [p.name for p in tmp_path.iterdir()] == ["empty"]


def test_writes_through_a_link_and_makes_missing_parents(result, tmp_path):
    selection, video, rest = result
    (tmp_path / "link").symlink_to(tmp_path / "deep" / "out")
    write(tmp_path / "link", selection, video, **rest)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "deep" / "out" / "selection.json").is_file()


def test_a_frame_that_is_not_in_the_video_leaves_no_folder(result, tmp_path):
    selection, video, rest = result
    *others, last = selection.frames
    beyond = dataclasses.replace(selection, frames=(*others, dataclasses.replace(last, index=9999)))
    with pytest.raises((VideoError, ValueError, IndexError)):
        write(tmp_path / "out", beyond, video, **rest)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("number", "time", "name"),
    [
        (2, 723.5, "0002_00-12-03.500.jpg"),
        (1, 59.9996, "0001_00-01-00.000.jpg"),
        (12345, 359999.0, "12345_99-59-59.000.jpg"),
    ],
)
def test_names_a_frame_by_its_place_and_time(number, time, name):
    assert file_name(number, time) == name
