"""Every decoded picture carries its number, and the number proves its time."""

import hashlib
import io
import subprocess
import sys
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest
import torch
from render import read, render

from hfs.decoders.pyav import FileTrack
from hfs.errors import UsageError
from hfs.media.packets import PacketIndex
from hfs.video import Video, probe

B_FRAMES = {"preset": "veryfast", "g": "12", "bf": "3", "sc_threshold": "0"}
OPEN = "keyint=12:min-keyint=12:open-gop=1:scenecut=0:b-adapt=0"
REALTIME = {"deadline": "realtime", "cpu-used": "8", "g": "12"}
FILES = {
    "intra.mp4": {"options": {"preset": "ultrafast", "g": "1"}},
    "b_frames.mp4": {"options": B_FRAMES},
    "b_frames.mov": {"options": B_FRAMES},
    "b_frames.mkv": {"options": B_FRAMES},
    "b_frames.ts": {"options": B_FRAMES},
    "b_frames.flv": {"options": B_FRAMES},
    "b_frames.avi": {"options": B_FRAMES},
    "fragments.mp4": {"options": B_FRAMES, "container": {"movflags": "frag_keyframe+empty_moov"}},
    "open.mp4": {"options": {"preset": "medium", "bf": "3", "x264-params": OPEN}},
    "open_hevc.mp4": {
        "codec": "libx265",
        "options": {"preset": "ultrafast", "x265-params": f"{OPEN}:bframes=3:log-level=none"},
    },
    "hevc_10_bits.mkv": {
        "codec": "libx265",
        "pix_fmt": "yuv420p10le",
        "options": {"preset": "ultrafast", "x265-params": "keyint=12:log-level=none"},
    },
    "h264_10_bits.mp4": {"pix_fmt": "yuv420p10le", "options": B_FRAMES},
    "vp9.webm": {"codec": "libvpx-vp9", "options": REALTIME},
    "vp9_hidden_references.webm": {
        "codec": "libvpx-vp9",
        "options": {"cpu-used": "5", "auto-alt-ref": "1", "lag-in-frames": "16", "g": "24"},
    },
    "vp8_hidden_references.webm": {
        "codec": "libvpx",
        "options": {"cpu-used": "5", "auto-alt-ref": "1", "lag-in-frames": "16", "g": "24"},
    },
    "av1.mp4": {
        "codec": "libsvtav1",
        "options": {"preset": "8", "g": "12", "crf": "5", "svtav1-params": "enable-tf=0"},
    },
    "mpeg4.avi": {"codec": "mpeg4", "options": {"g": "12"}},
    "mpeg4_b_frames.avi": {"codec": "mpeg4", "options": {"g": "12", "bf": "2"}},
    "mpeg2.ts": {"codec": "mpeg2video", "options": {"g": "12", "bf": "2"}},
    "mpeg2.mpg": {"codec": "mpeg2video", "options": {"g": "12", "bf": "2"}},
    "motion_jpeg.avi": {"codec": "mjpeg", "pix_fmt": "yuvj420p"},
    "raw.h264": {"options": B_FRAMES},
    "raw.hevc": {"codec": "libx265", "options": {"x265-params": "keyint=12:log-level=none"}},
    "animated.gif": {"codec": "gif", "pix_fmt": "rgb8"},
}


@pytest.fixture(scope="module", params=FILES)
def numbered(request, tmp_path_factory) -> Path:
    """Fifty pictures, 25 a second, in every container and codec."""
    return render(tmp_path_factory.mktemp("numbered") / request.param, **FILES[request.param])


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> Path:
    return render(tmp_path_factory.mktemp("plain") / "plain.mp4", options=B_FRAMES)


def numbers(video: Video, indices: torch.Tensor | None = None, **options) -> list[int]:
    """What the pictures of these frames say, in the order in which they come."""
    wanted = torch.arange(len(video.times)) if indices is None else indices
    batches = list(video.frames(wanted, **options))
    given = torch.cat([b.indices for b in batches])
    assert given.tolist() == [i for i in wanted.tolist() if i in set(given.tolist())]
    assert torch.equal(torch.cat([b.times for b in batches]), video.times[given])
    return [read(picture) for b in batches for picture in b.pixels]


def packet_index(video: Video) -> PacketIndex:
    assert isinstance(video._track, FileTrack)
    return video._track._index


def test_every_frame_shows_the_number_of_its_time(numbered):
    with Video.open(numbered) as video:
        assert torch.allclose(video.times, torch.arange(50, dtype=torch.float64) / 25, atol=1e-9)
        assert numbers(video) == list(range(50))
        assert video.health.damaged == video.health.lost == 0
        assert video.info.average_rate == 25
        assert not video.info.variable_rate
        assert video.duration == pytest.approx(2.0)


def test_frames_asked_for_one_by_one_are_the_same_as_all_together(numbered):
    """Alone, a frame is decoded from its keyframe with every picture left out that may be."""
    with Video.open(numbered) as video:
        together = {int(b.indices): b.pixels for b in video.frames(torch.arange(50), batch=1)}
        for i in torch.randperm(50, generator=torch.Generator().manual_seed(0))[:20].tolist():
            (alone,) = video.frames(torch.tensor([i]))
            assert torch.equal(alone.pixels, together[i])


def test_few_frames_of_many_groups_come_in_order_whatever_the_number_of_threads(numbered):
    few = torch.tensor([0, 1, 11, 12, 13, 22, 23, 24, 25, 47, 49])
    for workers in (1, 3):
        with Video.open(numbered, decoder=f"pyav(workers={workers})") as video:
            assert numbers(video, few) == few.tolist()


def test_no_group_of_pictures_is_decoded_for_nothing(plain):
    """Every kept packet is sent once: asking for the last frame does not touch the first group."""
    with Video.open(plain) as video:
        index = packet_index(video)
        runs = index.runs([0, 5, 30, 49])
        assert [r.frames for r in runs] == [(0, 5), (30,), (49,)]
        assert all(a.stop < b.start for a, b in pairwise(runs))
        assert all(index.pts[r.start] <= index.pts[index.shown[r.frames[0]]] for r in runs)


def test_open_groups_have_leading_pictures_at_all(tmp_path):
    """Guards the two files above: were their groups closed, they would prove nothing."""
    for name in ("open.mp4", "open_hevc.mp4"):
        with Video.open(render(tmp_path / name, **FILES[name])) as video:
            assert (packet_index(video).ahead >= 0).sum() > 3


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_pictures_are_upright_whatever_the_display_matrix(tmp_path, rotation, mirrored):
    path = render(
        tmp_path / "turned.mp4", range(20), options=B_FRAMES, rotation=rotation, mirrored=mirrored
    )
    with Video.open(path) as video:
        facts = probe(video)
        assert (facts["width"], facts["height"]) == (128, 96)
        if not mirrored:
            assert facts["rotation"] == rotation
        assert numbers(video) == list(range(20))
        (small,) = video.frames(torch.tensor([7]), side=48)
        assert small.pixels.shape == (1, 3, 48, 64)
        assert read(small.pixels[0]) == 7


def test_a_variable_rate_is_exact_and_said_to_be_one(tmp_path):
    ticks = [0, 10, 11, 40, 41, 42, 100, 160, 161, 400, 401, 700]
    path = render(tmp_path / "variable.mp4", ticks, base=Fraction(1, 100), options=B_FRAMES)
    with Video.open(path) as video:
        assert torch.allclose(
            video.times, torch.tensor(ticks, dtype=torch.float64) / 100, atol=1e-9
        )
        assert video.info.variable_rate
        asked = torch.tensor([0.0, 0.099, 0.1, 0.395, 1.59, 3.99, 4.0, 6.99, 7.0])
        assert numbers(video, video.shown_at(asked).unique()) == [0, 1, 2, 6, 8, 9, 10, 11]


@pytest.mark.parametrize("name", ["late.mp4", "late.mkv", "late.ts"])
def test_time_begins_with_the_first_shown_frame(tmp_path, name):
    path = render(tmp_path / name, range(100, 130), options=B_FRAMES)
    with Video.open(path) as video:
        assert video.times[0] == 0
        assert video.info.start == pytest.approx(4.0, abs=0.1)  # ts adds the decoding delay
        assert video.info.delay == 0  # nothing else in the container begins before
        assert numbers(video) == list(range(30))


def test_frames_before_an_edit_list_begins_are_not_shown(tmp_path):
    path = render(
        tmp_path / "edited.mp4",
        range(-7, 43),
        options=B_FRAMES,
        container={"avoid_negative_ts": "disabled"},
    )
    with Video.open(path) as video:
        assert len(video.times) == 43
        assert video.health.packets > 43
        assert numbers(video) == list(range(7, 50))


def test_the_rate_is_counted_and_named_by_its_usual_fraction(tmp_path):
    rates = (Fraction(30000, 1001), Fraction(24000, 1001), Fraction(60), Fraction(25, 2))
    for rate in rates:
        for name in ("rate.mp4", "rate.mkv"):
            path = render(tmp_path / name, range(40), base=1 / rate, options=B_FRAMES)
            with Video.open(path) as video:
                assert video.info.average_rate == rate
                assert not video.info.variable_rate


def test_of_several_streams_the_asked_one_is_read(tmp_path):
    path = render(tmp_path / "two.mkv", range(20), options=B_FRAMES, first=(0, 1000))
    for stream in (0, 1):
        with Video.open(path, stream=stream) as video:
            assert video.info.stream == stream
            assert numbers(video) == [1000 * stream + i for i in range(20)]
    with pytest.raises(UsageError, match=r"0, 1.*got stream 2"):
        Video.open(path, stream=2)


def test_bytes_file_objects_paths_and_file_urls_are_the_same_video(plain):
    data = plain.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    with plain.open("rb") as file:
        for given in (plain, str(plain), plain.as_uri(), data, io.BytesIO(data), file):
            with Video.open(given) as video:
                assert video.info.sha256 == digest
                assert numbers(video, torch.tensor([3, 30])) == [3, 30]
        assert not file.closed


def test_the_frame_shown_is_the_last_that_has_begun(plain):
    with Video.open(plain) as video:
        asked = (
            torch.rand(200, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 2.2
        )
        asked = torch.cat([asked, video.times, video.times - 1e-9, torch.tensor([-1.0])])
        slow = [max([i for i, t in enumerate(video.times) if t <= a], default=0) for a in asked]
        assert video.shown_at(asked).tolist() == slow


def test_the_shorter_side_shrinks_and_never_grows(plain):
    with Video.open(plain) as video:
        for side, shape in ((48, (48, 64)), (31, (31, 41)), (96, (96, 128)), (500, (96, 128))):
            (batch,) = video.frames(torch.tensor([5]), side=side)
            assert batch.pixels.shape == (1, 3, *shape)
            assert read(batch.pixels[0]) == 5


def test_batches_are_full_but_for_the_last(plain):
    with Video.open(plain) as video:
        assert [len(b.indices) for b in video.frames(torch.arange(20), batch=8)] == [8, 8, 4]
        assert list(video.frames(torch.tensor([], dtype=torch.int64))) == []


@pytest.mark.parametrize("indices", [[1, 1], [2, 1], [-1], [50]])
def test_refuses_indices_that_do_not_ascend_or_are_no_frames(plain, indices):
    with Video.open(plain) as video, pytest.raises(UsageError, match="below 50"):
        list(video.frames(torch.tensor(indices)))


def test_two_readers_of_one_video_do_not_disturb_each_other(plain):
    with Video.open(io.BytesIO(plain.read_bytes())) as video:
        pairs = zip(
            video.frames(torch.arange(50), batch=1),
            video.frames(torch.arange(0, 50, 7), batch=1),
            strict=False,
        )
        assert [(read(a.pixels[0]), read(b.pixels[0])) for a, b in pairs] == [
            (i, 7 * i) for i in range(8)
        ]


def test_a_reader_left_half_way_does_not_keep_the_process_from_ending(plain):
    code = (
        "import torch; from hfs.video import Video\n"
        f"video = Video.open({str(plain)!r}, decoder='pyav(workers=3)')\n"
        "frames = video.frames(torch.arange(50), batch=1); next(frames); print('taken')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, b"taken\n")


def test_subtitles_inside_come_with_the_time_of_the_video(tmp_path):
    path, words = tmp_path / "spoken.mkv", tmp_path / "words.srt"
    words.write_text(
        "1\n00:00:02,500 --> 00:00:02,900\nfirst\n\n"
        "2\n00:00:03,000 --> 00:00:03,400\nzweite Zeile, grün\n",
        "utf-8",
    )
    late = render(tmp_path / "late.mkv", range(50, 100), options=B_FRAMES)
    with av.open(late) as seen, av.open(words) as spoken, av.open(path, "w") as out:
        video = out.add_stream_from_template(seen.streams.video[0])
        text = out.add_stream_from_template(spoken.streams.subtitles[0])
        text.metadata["language"] = "eng"
        for stream, given in ((video, seen.demux(video=0)), (text, spoken.demux(subtitles=0))):
            for packet in (p for p in given if p.size):
                packet.stream = stream
                out.mux(packet)
    with Video.open(path) as opened:
        assert opened.info.text_streams == ("1: subrip eng",)
        (stream,) = opened.texts()
    assert (stream.index, stream.codec, stream.language) == (1, "subrip", "eng")
    assert [c[2].decode() for c in stream.cues] == ["first", "zweite Zeile, grün"]
    starts, ends = [c[0] for c in stream.cues], [c[1] for c in stream.cues]
    assert starts == pytest.approx([0.5, 1.0])
    assert ends == pytest.approx([0.9, 1.4])


def test_a_probe_is_ready_for_json(plain):
    with Video.open(plain) as video:
        facts = probe(video)
    assert facts == {
        "duration": 2.0,
        "width": 128,
        "height": 96,
        "rotation": 0,
        "codec": "h264",
        "average_rate": "25/1",
        "variable_rate": False,
        "frames": 50,
        "keyframes": facts["keyframes"],
        "start": 0.0,
        "text_streams": [],
        "health": {"packets": 50, "damaged": 0, "lost": 0, "notes": []},
    }
    assert facts["keyframes"] >= 5
