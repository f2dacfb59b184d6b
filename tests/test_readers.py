"""What every reader promises, and how on-screen text is read: which frames, for how long."""

import socket
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFont
from torch.nn.functional import normalize

from hfs import plugins
from hfs.backbones.pixels import Backbone
from hfs.cache import Cache
from hfs.errors import MissingExtra, SpecError
from hfs.features import features
from hfs.readers import Reader, ocr
from hfs.readers.ocr import Run, by_time_shown, held, runs
from hfs.types import Candidates, Features, TimedText
from hfs.video import Video

SLIDES = ("Royal jelly\nfed to the queen", "Waggle dance\n120 degrees", "")
FPS = 5


def slide(text: str) -> np.ndarray:
    image = Image.new("RGB", (320, 180), (240, 240, 235))
    font = ImageFont.load_default(size=24)
    ImageDraw.Draw(image).text((20, 40), text, fill=(20, 20, 60), font=font)
    return np.asarray(image)


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> Path:
    """Slides of two seconds each."""
    path = tmp_path_factory.mktemp("slides") / "slides.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for picture in map(slide, SLIDES):
            for _ in range(2 * FPS):
                out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        out.mux(stream.encode(None))
    return path


def looked_at(video: Video) -> tuple[Features, Candidates]:
    n = len(video.times)
    every = Candidates(video.times, torch.arange(n), 0.0, video.duration)
    return features(video, every, Backbone(), spec="pixels", cache=Cache(None))


def seen(*pictures: int) -> tuple[Candidates, Features]:
    """One candidate a second, each showing the picture of that number."""
    n = len(pictures)
    times, indices = torch.arange(n) + 0.5, torch.arange(n)
    vectors = torch.eye(max(pictures) + 1)[list(pictures)]
    return Candidates(times, indices, 0.0, float(n)), Features(vectors, times, indices, "none")


@pytest.mark.parametrize("name", plugins.names("readers"))
def test_every_reader_gives_text_with_its_source_and_time(name, film):
    pytest.importorskip("rapidocr", reason="the extra [ocr] is not installed")
    reader = plugins.build("readers", name)
    assert isinstance(reader, Reader)
    film.with_suffix(".srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nhello\n")
    with Video.open(film) as video:
        frames, candidates = looked_at(video)
        found = reader(video, candidates, frames, Cache(None))
    assert found
    for item in found:
        assert item.source == name
        assert item.text
        assert 0 <= item.start < item.end <= 6


def test_text_on_slides_is_read_without_network_and_holds_until_the_next_slide(film, monkeypatch):
    pytest.importorskip("rapidocr", reason="the extra [ocr] is not installed")

    def no_network(*_: object) -> None:
        raise AssertionError("reading text used the network")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    with Video.open(film) as video:
        frames, candidates = looked_at(video)
        assert ocr.Reader()(video, candidates, frames, Cache(None)) == [
            TimedText(0.0, 2.0, SLIDES[0], "ocr"),
            TimedText(2.0, 4.0, SLIDES[1], "ocr"),
        ]


def test_what_was_read_is_not_read_again(film, tmp_path, monkeypatch):
    rapidocr = pytest.importorskip("rapidocr", reason="the extra [ocr] is not installed")
    cache = Cache(tmp_path)
    with Video.open(film) as video:
        frames, candidates = looked_at(video)
        first = ocr.Reader()(video, candidates, frames, cache)
        monkeypatch.setattr(rapidocr, "RapidOCR", None)
        assert ocr.Reader()(video, candidates, frames, cache) == first


def test_reading_ends_with_enough_lines_and_says_so(film, caplog):
    pytest.importorskip("rapidocr", reason="the extra [ocr] is not installed")
    with Video.open(film) as video, caplog.at_level("INFO"):
        frames, candidates = looked_at(video)
        found = ocr.Reader(lines=1)(video, candidates, frames, Cache(None))
    assert [item.text for item in found] == [SLIDES[0]]
    assert "1 of 3 different pictures were read, which are shown for 33% of the time" in caplog.text


def test_a_missing_extra_is_named(film, monkeypatch):
    def missing(package: str) -> str:
        raise PackageNotFoundError(package)

    monkeypatch.setattr("hfs.readers.ocr.version", missing)
    with Video.open(film) as video, pytest.raises(MissingExtra, match=r"hfs-video\[ocr\]"):
        ocr.Reader()(video, *seen(0), Cache(None))


@pytest.mark.parametrize("options", ["limit=0", "lines=0", "distinct=2", "confidence=-1"])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(SpecError):
        plugins.build("readers", f"ocr({options})")


def test_a_run_lasts_while_candidates_look_like_its_first_one():
    assert runs(*seen(0, 0, 1, 1, 1, 0), distinct=0.9) == [
        Run(0, 2, 0.0, 2.5),
        Run(2, 5, 2.5, 5.5),
        Run(5, 6, 5.5, 6.0),
    ]


def test_a_slow_change_does_not_go_unnoticed():
    angles = torch.linspace(0, 1.5, 31)
    turning = normalize(torch.stack([angles.cos(), angles.sin()], 1), dim=1)
    candidates, _ = seen(*range(31))
    frames = Features(turning, candidates.times, candidates.indices, "none")
    assert len(runs(candidates, frames, distinct=0.99)) > 8


def test_pictures_shown_longest_are_read_first_and_every_part_of_the_video_has_its_turn():
    candidates, frames = seen(*[0] * 50, *range(1, 26), *[26] * 2, *range(27, 50))
    chosen = by_time_shown(runs(candidates, frames, 0.9), 4)
    assert len(chosen) == 4
    assert chosen[0].start == 0.0
    assert [run.end - run.start for run in chosen] == sorted(
        (run.end - run.start for run in chosen), reverse=True
    )
    assert any(50 <= run.start < 75 for run in chosen)
    assert any(run.start >= 75 for run in chosen)


@pytest.mark.parametrize("limit", [1, 3, 7, 100])
def test_no_more_pictures_are_read_than_the_limit_and_each_once(limit):
    pictures = torch.randint(0, 5, (60,), generator=torch.Generator().manual_seed(limit)).tolist()
    found = runs(*seen(*pictures), distinct=0.9)
    chosen = by_time_shown(found, limit)
    assert len(chosen) == len(set(chosen)) == min(limit, len(found))


def test_the_same_text_in_adjoining_runs_is_one():
    texts = [
        (Run(4, 5, 4.0, 5.0), "a"),
        (Run(0, 1, 0.0, 1.0), "a"),
        (Run(1, 2, 1.0, 2.0), "a"),
        (Run(2, 4, 2.0, 4.0), ""),
    ]
    assert held(texts) == [TimedText(0.0, 2.0, "a", "ocr"), TimedText(4.0, 5.0, "a", "ocr")]
