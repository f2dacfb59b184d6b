"""Whatever the host, it is told every frame once, with its true time, and the question last."""

import base64
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from PIL import Image

from hfs import plugins
from hfs.errors import SpecError, UsageError
from hfs.exporters import Exporter
from hfs.message import Message, metadata, resize, within
from hfs.types import Frames, TimedText

TIMES = [0.0, 2.867, 24.333, 81.25]
GREYS = [30, 90, 150, 210]
SUBTITLES = (
    TimedText(2.0, 3.0, "the lens is cracked", "subtitles"),
    TimedText(70.0, 72.0, "good night", "subtitles"),
)


def message(**other) -> Message:
    pixels = torch.tensor(GREYS, dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 3, 24, 32)
    frames = Frames(pixels, torch.tensor(TIMES, dtype=torch.float64), torch.arange(4))
    return Message(frames, "What broke?", 90.0, **({"subtitles": SUBTITLES} | other))


FILES = tuple(f"{i:04}.jpg" for i in range(1, 5))
VARIANTS = [
    *plugins.names("exporters"),
    *(f"transformers(pairing={p!r})" for p in ("duplicate", "neighbour")),
    *(f"qwen(pairing={p!r})" for p in ("neighbour", "images")),
    "vllm(pairing='neighbour')",
    "gemini(uri='files/abc')",
]


def flat(value: Any) -> Iterator[Any]:
    """Everything in a request, in order."""
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from flat(item)
    else:
        yield value


def greys(request: Any) -> list[int]:
    """The brightness of each picture in a request."""
    found = []
    for item in flat(request):
        if isinstance(item, Image.Image):
            found.append(item.getpixel((3, 3))[0])
        elif isinstance(item, str) and item.startswith(("data:", "/9j/")):
            for data in item.removeprefix("data:").rpartition("base64,")[2].split(","):
                picture = Image.open(io.BytesIO(base64.b64decode(data)))
                assert not picture.getexif()
                found.append(picture.getpixel((3, 3))[0])
    return found


@pytest.mark.parametrize("spec", VARIANTS)
def test_shows_every_frame_in_order_and_asks_last(spec):
    exporter = plugins.build("exporters", spec)
    assert isinstance(exporter, Exporter)
    request = exporter(message())
    shown = greys(request)
    if "uri" in spec:
        assert not shown
    else:
        twice = spec == "vllm" or "duplicate" in spec or spec == "qwen"
        expected = [grey for grey in GREYS for _ in range(2 if twice else 1)]
        assert len(shown) == len(expected)
        assert all(abs(a - b) <= 2 for a, b in zip(shown, expected, strict=True))
    texts = [x for x in flat(request) if isinstance(x, str) and "data:" not in x]
    said = "\n".join(texts)
    assert said.count("What broke?") == 1
    assert all(s.text in said for s in SUBTITLES)
    last = next(t for t in texts if "What broke?" in t)
    assert last.endswith("What broke?")


@pytest.mark.parametrize("spec", VARIANTS)
def test_states_every_true_time(spec):
    request = plugins.build("exporters", spec)(message())
    values = list(flat(request))
    said = " ".join(v for v in values if isinstance(v, str) and len(v) < 999)
    numbers = {v for v in values if isinstance(v, int)}
    for time in TIMES:
        minutes, rest = divmod(round(time, 1), 60)
        ways = [f"{time:.1f} seconds", f"{int(minutes)}:{rest:04.1f}", f"{time:.2f}s"]
        assert any(way in said for way in ways) or round(1000 * time) in numbers, time


@pytest.mark.parametrize("spec", VARIANTS)
def test_a_request_over_files_is_plain_json_that_names_each_file(spec):
    request = plugins.build("exporters", spec)(message(files=FILES))
    assert json.loads(json.dumps(request)) == request
    if not greys(request) and "uri" not in spec:
        assert list(dict.fromkeys(v for v in flat(request) if v in FILES)) == list(FILES)


@pytest.mark.parametrize("spec", VARIANTS)
def test_a_host_that_changes_its_request_does_not_change_the_next(spec):
    exporter, told = plugins.build("exporters", spec), message(files=FILES)
    first = exporter(told)
    kept = json.dumps(first)
    for value in json.loads(kept):
        if isinstance(first[value], list):
            first[value].clear()
    assert json.dumps(exporter(told)) == kept


def test_the_millisecond_time_base_gives_back_every_time_at_any_rate():
    times = [0.0, 1 / 3, 2.0017, 8.6, 3599.9996]
    facts = metadata(times, 3600.0)
    for index, time in zip(facts["frames_indices"], times, strict=True):
        assert abs(index / facts["fps"] - time) <= 0.0005
    assert facts["total_num_frames"] > max(facts["frames_indices"])
    assert metadata([2.0], 1.0)["total_num_frames"] == 2001


@pytest.mark.parametrize("spec", ["vllm", "vllm(pairing='neighbour')"])
def test_a_vllm_server_finds_as_many_times_as_frames(spec):
    request = plugins.build("exporters", spec)(message())
    facts = request["media_io_kwargs"]["video"]
    url = request["messages"][0]["content"][0]["video_url"]["url"]
    kind, _, data = url.partition(";base64,")
    assert kind == "data:video/jpeg"
    assert len(data.split(",")) == len(facts["frames_indices"]) <= facts["total_num_frames"]
    assert all(type(index) is int for index in facts["frames_indices"])
    assert (facts["num_frames"], facts["do_sample_frames"]) == (-1, False)
    assert facts["duration"] == 90.0


def test_subtitles_stand_where_they_fall_between_the_frames():
    parts = message().parts(lambda t: f"<{t:.0f}>")
    assert parts[1::2] == [0, 1, 2, 3]
    assert [i for i, p in enumerate(parts) if "lens" in str(p)] == [2]
    assert [i for i, p in enumerate(parts) if "night" in str(p)] == [6]
    assert all(str(p).endswith(f"<{t:.0f}>") for p, t in zip(parts[::2], TIMES, strict=False))


def test_the_quality_of_the_jpegs_is_an_option():
    noise = torch.randint(0, 256, (1, 3, 64, 64), generator=torch.Generator().manual_seed(0))
    frames = Frames(noise.byte(), torch.zeros(1, dtype=torch.float64), torch.zeros(1).long())
    sizes = [
        len(
            json.dumps(plugins.build("exporters", f"openai(quality={q})")(Message(frames, "", 1.0)))
        )
        for q in (20, 95)
    ]
    assert sizes[0] * 2 < sizes[1]


@pytest.mark.parametrize(
    "spec",
    [
        "openai(quality=0)",
        "openai(detail='huge')",
        "anthropic(quality=101)",
        "gemini(span=0.0)",
        "qwen(pairing='both')",
        "transformers(pairing='')",
        "vllm(pairing='images')",
    ],
)
def test_an_option_without_meaning_is_refused(spec):
    with pytest.raises(SpecError, match="expect"):
        plugins.build("exporters", spec)


def test_a_message_shows_something():
    none = Frames(torch.zeros(0, 3, 4, 4).byte(), torch.zeros(0).double(), torch.zeros(0).long())
    with pytest.raises(UsageError, match="at least one frame"):
        Message(none, "What broke?", 9.0)


def test_frames_are_shrunk_in_proportion_and_never_enlarged():
    frames = message().frames
    small = within(frames, 200)
    height, width = small.pixels.shape[-2:]
    assert height * width <= 200
    assert abs(width / height - 32 / 24) < 0.15
    assert small.pixels[:, 0, 3, 3].tolist() == GREYS
    assert within(frames, 24 * 32) is frames
    assert within(frames, None) is frames
    assert resize(frames.pixels, (24, 32)) is frames.pixels
