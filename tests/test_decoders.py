"""The contract of every decoder, and frames in memory against the same frames in a file."""

from pathlib import Path

import pytest
import torch
from render import draw, read, render

from hfs import plugins
from hfs.errors import SpecError, UsageError, VideoError
from hfs.media.source import source_of
from hfs.types import Frames, Limits
from hfs.video import Video

COUNT = 20


def frames(times: torch.Tensor | None = None) -> Frames:
    pictures = [torch.from_numpy(draw(i, 128, 96)) > 100 for i in range(COUNT)]
    pixels = (
        (torch.stack(pictures).to(torch.uint8) * 255)[:, None].expand(-1, 3, -1, -1).contiguous()
    )
    seconds = torch.arange(COUNT, dtype=torch.float64) / 25 + 7 if times is None else times
    return Frames(pixels, seconds, torch.arange(COUNT))


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    options = {"preset": "veryfast", "g": "6", "bf": "2"}
    return render(tmp_path_factory.mktemp("decoders") / "a.mp4", range(COUNT), options=options)


@pytest.fixture(params=plugins.names("decoders"))
def track(request, path):
    """Each decoder with the same twenty frames; one of another package is given the file."""
    given = frames() if request.param == "memory" else source_of(path)
    decoder = plugins.build("decoders", request.param)
    opened = decoder(given, stream=None, limits=Limits())
    yield opened
    opened.close()


def test_times_ascend_from_zero_and_end_before_the_duration(track):
    assert track.times.dtype == torch.float64
    assert track.times[0] == 0
    assert (track.times.diff() > 0).all()
    assert track.info.duration > track.times[-1]
    assert track.keyframes.shape == track.times.shape
    assert track.keyframes[0]


def test_facts_agree_with_the_frames(track):
    info = track.info
    assert (info.width, info.height, info.frames) == (128, 96, COUNT)
    assert info.keyframes == int(track.keyframes.sum())
    assert info.average_rate == 25
    assert not info.variable_rate
    assert info.duration == pytest.approx(COUNT / 25)


@pytest.mark.parametrize("wanted", [[0], [19], [3, 4, 11], list(range(COUNT)), []])
def test_gives_the_asked_frames_in_order_and_whole(track, wanted):
    given = list(track.frames(wanted, (96, 128)))
    assert [i for i, _ in given] == wanted
    assert [read(pixels) for _, pixels in given] == wanted
    assert all(pixels.shape == (3, 96, 128) for _, pixels in given)


def test_gives_the_asked_size(track):
    ((index, pixels),) = track.frames([5], (45, 60))
    assert (index, pixels.shape, pixels.dtype) == (5, (3, 45, 60), torch.uint8)
    assert read(pixels) == 5


def test_a_sound_source_is_in_good_health(track):
    list(track.frames(list(range(COUNT)), (96, 128)))
    health = track.health
    assert (health.packets, health.damaged, health.lost, health.notes) == (COUNT, 0, 0, ())
    assert track.texts() == []


def test_frames_in_memory_and_in_a_file_are_the_same_video(path):
    with Video.open(path) as file, Video.open(frames()) as memory:
        assert torch.allclose(file.times, memory.times)
        assert memory.info.start == 7
        assert memory.info.uri == "frames"
        asked = torch.tensor([0, 7, 19])
        for a, b in zip(file.frames(asked), memory.frames(asked), strict=True):
            assert torch.equal(a.indices, b.indices)
            assert (a.pixels.float() - b.pixels.float()).abs().mean() < 8  # h264 is lossy


def test_frames_in_memory_are_told_apart_by_pixels_and_times():
    other = frames()
    other.pixels[3, 0, 0, 0] += 1
    digests = {
        Video.open(given).info.sha256
        for given in (frames(), frames(), other, frames(torch.arange(COUNT).double()))
    }
    assert len(digests) == 3


def test_an_uneven_row_of_frames_has_a_variable_rate():
    times = torch.arange(COUNT).double() ** 2
    info = Video.open(frames(times)).info
    assert info.variable_rate
    assert info.duration == pytest.approx(float(times[-1] + times.diff().median()))


def test_one_frame_is_a_video():
    one = Frames(frames().pixels[:1], torch.tensor([3.0]), torch.tensor([0]))
    with Video.open(one) as video:
        assert video.times.tolist() == [0.0]
        assert video.duration > 0
        assert video.info.average_rate is None


@pytest.mark.parametrize(
    "times",
    [torch.zeros(COUNT), torch.arange(COUNT).flip(0).double(), torch.full((COUNT,), torch.nan)],
)
def test_frames_need_a_time_each_in_order(times):
    with pytest.raises(UsageError, match="expected"):
        Video.open(frames(times))


def test_limits_hold_in_memory_too():
    with pytest.raises(VideoError, match="pixels"):
        Video.open(frames(), limits=Limits(pixels=100))
    with pytest.raises(VideoError, match="at most"):
        Video.open(frames(), limits=Limits(duration=0.1))


def test_a_decoder_is_named_by_its_spec(path):
    with pytest.raises(SpecError, match="memory, pyav"):
        Video.open(path, decoder="guess")
    with pytest.raises(SpecError, match="at least 0"):
        Video.open(path, decoder="pyav(workers=-1)")
    with pytest.raises(UsageError, match="use pyav"):
        Video.open(path, decoder="memory")
