"""Real files: exact times and facts, and random frames as plain decoding shows them."""

import json
from pathlib import Path

import av
import pytest
import torch
from av.error import FFmpegError

from hfs.media.picture import Converter, orientation
from hfs.video import Video, probe

MEDIA = Path(__file__).parents[1].parent / "shared" / "media"
FILES = sorted(p for p in MEDIA.rglob("*") if p.suffix in (".mp4", ".mov", ".mkv", ".avi", ".webm"))
SMALL = [p for p in FILES if p.stat().st_size < 1_400_000]
if not FILES:
    pytest.skip("the folder of real videos is not beside the checkout", allow_module_level=True)


def name(path: Path) -> str:
    return path.name


def plain(path: Path, stream: int, wanted: set[int]) -> tuple[list[int], dict[int, torch.Tensor]]:
    """Every timestamp that a plain loop over the whole file shows, and the wanted pictures."""
    stamps: list[int] = []
    pictures: dict[int, torch.Tensor] = {}
    with av.open(path) as file:
        video = file.streams[stream]
        assert isinstance(video, av.VideoStream)
        video.thread_type = "NONE"
        for packet in file.demux(video):
            try:
                shown = packet.decode()
            except FFmpegError:
                continue
            for frame in shown:
                if len(stamps) in wanted:
                    upright = orientation(frame)
                    size = upright.shown((frame.height, frame.width))
                    pictures[len(stamps)] = Converter(size, upright)(frame)
                stamps.append(frame.pts or 0)
    return stamps, pictures


@pytest.mark.parametrize("path", FILES, ids=name)
def test_a_real_file_has_exact_times_and_facts(path):
    with Video.open(path) as video:
        assert video.times[0] == 0
        assert (video.times.diff() > 0).all()
        facts = json.loads(json.dumps(probe(video)))
        assert facts["frames"] == len(video.times)
        assert facts["duration"] > float(video.times[-1])
        assert facts["keyframes"] >= 1


@pytest.mark.parametrize("path", SMALL, ids=name)
def test_random_frames_are_what_plain_decoding_shows(path):
    """To the pixel: leaving out pictures that no other needs must change nothing."""
    with Video.open(path) as video:
        count, generator = len(video.times), torch.Generator().manual_seed(0)
        wanted = torch.randperm(count, generator=generator)[:8].sort().values
        stamps, pictures = plain(path, video.info.stream, set(wanted.tolist()))
        if path.name == "corrupted.mp4":  # the loop lacks the lost frame; its numbers do not match
            wanted = wanted[wanted < 29]
        else:
            assert count == len(stamps)
            assert stamps == sorted(stamps)
        given = [
            (i, x) for b in video.frames(wanted) for i, x in zip(b.indices, b.pixels, strict=True)
        ]
        assert [int(i) for i, _ in given] == wanted.tolist()
        assert all(torch.equal(pixels, pictures[int(i)]) for i, pixels in given)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("edge/nasa_13013.mp4", {"width": 480, "average_rate": "30000/1001", "frames": 390}),
        ("edge/issue-134-rotate.mp4", {"width": 544, "height": 1280, "rotation": 90}),
        ("edge/video_180.mov", {"width": 568, "height": 320, "rotation": 180}),
        ("edge/video_270.mov", {"width": 320, "height": 568, "rotation": 270}),
        ("edge/goldeneye-vfr-drop3.mp4", {"variable_rate": True, "frames": 160}),
        ("edge/delayed_start.mp4", {"start": 1.075, "frames": 24, "average_rate": "25/1"}),
        ("edge/av1_video.mkv", {"codec": "av1", "frames": 125, "average_rate": "25/1"}),
        ("skateboarding_dog.mp4", {"width": 576, "height": 1024, "frames": 421}),
        ("big_buck_bunny_360p.mp4", {"average_rate": "24/1", "variable_rate": False}),
    ],
)
def test_facts_that_headers_get_wrong_are_right(path, expected):
    with Video.open(MEDIA / path) as video:
        facts = probe(video)
    assert {key: facts[key] for key in expected} == expected


def test_a_damaged_file_loses_one_frame_and_says_so():
    with Video.open(MEDIA / "edge/corrupted.mp4") as video:
        given = [i for b in video.frames(torch.arange(50), side=64) for i in b.indices.tolist()]
        assert given == [i for i in range(50) if i != 30]
        assert (video.health.damaged, video.health.lost) == (1, 1)


def test_a_truncated_real_file_gives_its_beginning():
    data = (MEDIA / "boats.mp4").read_bytes()
    with Video.open(data[: len(data) // 2]) as video:
        assert video.health.notes
        assert 50 < len(video.times) < 250
        (batch,) = video.frames(torch.tensor([3]), side=64)
        assert batch.indices.tolist() == [3]
