"""What is no video, or no longer a sound one: a clear error, or all that can still be read."""

import io
import wave
from pathlib import Path

import av
import pytest
import torch
from av.stream import Disposition
from PIL import Image
from render import read, render

from hfs.errors import UsageError, VideoError
from hfs.types import Limits
from hfs.video import Video

B_FRAMES = {"preset": "veryfast", "g": "12", "bf": "3", "sc_threshold": "0"}
PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("sound")


@pytest.fixture(scope="module")
def sound(folder) -> Path:
    """Its index (moov) comes first."""
    return render(folder / "sound.mp4", options=B_FRAMES, container={"movflags": "faststart"})


@pytest.fixture(scope="module")
def long_ts(folder) -> Path:
    return render(folder / "long.ts", range(200), options=B_FRAMES)


def readable(video: Video) -> dict[int, int]:
    """Index and number of every frame that can be decoded."""
    batches = video.frames(torch.arange(len(video.times)), batch=1)
    return {int(b.indices): read(b.pixels[0]) for b in batches}


def positions(path: Path) -> list[tuple[int, int]]:
    """Byte position and pts of every packet, in decoding order."""
    with av.open(path) as file:
        return [(p.pos or 0, p.pts or 0) for p in file.demux(video=0) if p.size]


@pytest.mark.parametrize(
    "url",
    ["http://example.org/a.mp4", "https://example.org/a.mp4", "rtsp://camera", "s3://b/a.mp4"],
)
def test_nothing_is_fetched_from_a_url(url):
    with pytest.raises(UsageError, match="download it first"):
        Video.open(url)


@pytest.mark.parametrize("path", ["concat:a.mp4|b.mp4", "pipe:0", "data:video/mp4;base64,AAAA"])
def test_protocols_of_ffmpeg_are_only_names_of_files(path):
    with pytest.raises(UsageError, match="found none"):
        Video.open(path)


def test_a_path_that_is_no_file_is_a_mistake_of_the_caller(tmp_path):
    with pytest.raises(UsageError, match="found none"):
        Video.open(tmp_path / "missing.mp4")
    with pytest.raises(UsageError, match="directory"):
        Video.open(tmp_path)
    with pytest.raises(UsageError, match="got int"):
        Video.open(7)
    with pytest.raises(UsageError, match="'rb'"):
        Video.open(io.StringIO("text"))


def picture_file(form: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 64)).save(file, form)
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"These are only words.\n" * 50, "text"),
        (PLAYLIST, "text"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "text"),
        (picture_file("PNG"), "single picture"),
        (picture_file("JPEG"), "single picture"),
        (bytes(range(256)) * 20, "no known video format"),
    ],
    ids=["empty", "text", "playlist", "concat", "png", "jpeg", "noise"],
)
@pytest.mark.parametrize("name", [None, "clip.mp4", "clip.m3u8"])
def test_what_is_no_video_is_named(tmp_path, data, says, name):
    given = data
    if name is not None:
        given = tmp_path / name
        given.write_bytes(data)
    with pytest.raises(VideoError, match=says) as caught:
        Video.open(given)
    assert "\n" not in str(caught.value)
    assert "expected a video file" in str(caught.value)


def test_sound_alone_is_no_video(tmp_path):
    path = tmp_path / "sound.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(16000))
    with pytest.raises(VideoError, match="holds only audio"):
        Video.open(path)


def test_cover_art_is_no_video(tmp_path, sound):
    path = tmp_path / "cover.mp4"
    with av.open(path, "w") as out:
        cover = out.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 64, 64, "yuvj420p"
        cover.disposition = Disposition.attached_pic
        out.mux(cover.encode(av.VideoFrame(64, 64, "yuvj420p")))
        out.mux(cover.encode(None))
    with pytest.raises(VideoError, match="a still picture"):
        Video.open(path)


def test_a_file_cut_before_its_index_says_so(folder):
    whole = render(folder / "index_last.mp4", options=B_FRAMES).read_bytes()
    with pytest.raises(VideoError, match=r"without its index \(moov\)"):
        Video.open(whole[: len(whole) // 2])


def test_a_file_cut_behind_its_index_gives_what_is_there(sound):
    whole = sound.read_bytes()
    with Video.open(whole[: len(whole) * 7 // 10]) as video:
        found = readable(video)
        assert 5 < len(found) < 50
        assert all(i == number for i, number in found.items())
        assert "50 packets are listed" in video.health.notes[0]
        assert video.health.damaged > 0


def test_a_file_cut_before_its_first_frame_has_none(sound):
    whole = sound.read_bytes()
    media = whole.find(b"mdat")
    for keep in (media + 4, media + 100):
        with pytest.raises(VideoError, match=r"cut off|damaged"):
            Video.open(whole[:keep])


def test_a_refused_packet_costs_its_own_frame_and_is_counted_once(sound):
    data = bytearray(sound.read_bytes())
    places = positions(sound)
    own_time = sorted(pts for _, pts in places)
    at, pts = places[25]
    data[at : at + 4] = b"\xff\xff\xff\xff"  # the length of its first unit: past its end
    lost = own_time.index(pts)
    with Video.open(bytes(data)) as video:
        assert len(video.times) == 50
        for _ in range(2):
            found = {int(b.indices) for b in video.frames(torch.arange(50), batch=1)}
            assert found == set(range(50)) - {lost}
            assert (video.health.damaged, video.health.lost) == (1, 1)
    with Video.open(bytes(data)) as video:  # asked for alone, it is lost as well
        assert list(video.frames(torch.tensor([lost]))) == []
        assert video.health.lost == 1


@pytest.mark.parametrize("name", ["hurt.mkv", "hurt.webm", "hurt.ts", "hurt.avi", "hurt.mp4"])
def test_noise_in_the_middle_leaves_both_ends_at_their_true_times(tmp_path, name):
    path = render(
        tmp_path / name,
        range(200),
        codec="libvpx-vp9" if name == "hurt.webm" else "libx264",
        options={"deadline": "realtime", "g": "12"} if name == "hurt.webm" else B_FRAMES,
        container={"cluster_time_limit": "1000"} if name in ("hurt.mkv", "hurt.webm") else {},
    )
    data = bytearray(path.read_bytes())
    middle = positions(path)[100][0]
    noise = torch.randint(0, 256, (200,), generator=torch.Generator().manual_seed(0))
    data[middle : middle + 200] = bytes(noise.tolist())
    numbers = {}
    with Video.open(bytes(data)) as video:
        for b in video.frames(torch.arange(len(video.times)), batch=1):
            try:
                numbers[round(float(b.times) * 25)] = read(b.pixels[0])
            except ValueError:  # a picture that refers to a lost one may be smeared
                continue
        assert video.health.notes or video.health.damaged
    right = {t for t, number in numbers.items() if t == number}
    assert set(range(90)) <= right
    assert set(range(160, 200)) <= right


def test_a_recording_that_begins_between_keyframes_starts_at_the_first(long_ts):
    data, places = long_ts.read_bytes(), positions(long_ts)
    tables = data[: 3 * 188]
    with Video.open(tables + data[places[5][0] :]) as video:
        assert "before the first keyframe" in video.health.notes[0]
        found = readable(video)
        assert found[0] == 12
        assert [n - i for i, n in found.items()] == [12] * len(video.times)


def test_leading_pictures_of_a_cut_recording_are_not_promised(tmp_path):
    """Without the group before, what is shown before the first keyframe cannot be decoded."""
    options = "keyint=12:min-keyint=12:open-gop=1:scenecut=0:b-adapt=0"
    whole = render(
        tmp_path / "open.mkv", options={"preset": "medium", "bf": "3", "x264-params": options}
    )
    path = tmp_path / "cut.mkv"
    with av.open(whole) as file, av.open(path, "w") as out:
        stream = out.add_stream_from_template(file.streams.video[0])
        begun = False
        for packet in file.demux(video=0):
            begun = begun or (packet.is_keyframe and (packet.pts or 0) > 0)
            if begun and packet.size:
                packet.stream = stream
                out.mux(packet)
    with Video.open(path) as video:
        assert video.health.packets > len(video.times)
        found = readable(video)
        assert len(found) == len(video.times)
        assert [n - i for i, n in found.items()] == [12] * len(found)
        assert video.health.lost == 0


def test_one_recording_behind_another_is_shown_behind_it(tmp_path):
    first = render(tmp_path / "a.ts", range(40), options=B_FRAMES)
    second = render(tmp_path / "b.ts", range(40), options=B_FRAMES, first=(40,))
    with Video.open(first.read_bytes() + second.read_bytes()) as video:
        assert torch.allclose(video.times, torch.arange(80, dtype=torch.float64) / 25, atol=1e-9)
        assert readable(video) == {i: i for i in range(80)}
        assert "fall back" in video.health.notes[0]
        assert [read(b.pixels[0]) for b in video.frames(torch.tensor([60]))] == [60]


def test_a_file_without_timestamps_says_that_its_times_are_its_order(tmp_path):
    path = render(tmp_path / "raw.h264", options=B_FRAMES)
    with Video.open(path) as video:
        assert "timestamps are missing" in video.health.notes[0]
        assert readable(video) == {i: i for i in range(50)}


def test_limits_are_checked_before_anything_is_decoded(sound):
    with pytest.raises(VideoError, match=r"128 x 96.*Limits\.pixels"):
        Video.open(sound, limits=Limits(pixels=128 * 96 - 1))
    with pytest.raises(VideoError, match=r"at most 1 s.*Limits\.duration"):
        Video.open(sound, limits=Limits(duration=1.0))
    with Video.open(sound, limits=Limits(pixels=128 * 96, duration=2.0)) as video:
        assert len(video.times) == 50


def test_a_picture_that_grows_over_the_limit_half_way_is_refused(tmp_path):
    small = render(tmp_path / "small.ts", range(36), options=B_FRAMES)
    large = render(tmp_path / "large.ts", range(36), options=B_FRAMES, first=(36,), size=(256, 192))
    data = small.read_bytes() + large.read_bytes()
    with Video.open(data) as video:
        assert readable(video) == {i: i for i in range(72)}
    with Video.open(data, limits=Limits(pixels=128 * 96)) as video:
        assert readable(video) == {i: i for i in range(36)}
        assert video.health.lost == 36
        assert video.health.damaged >= 36
