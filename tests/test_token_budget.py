"""A plan is what the model's own processor counts, over real frames at real times."""

import pytest
import torch
from PIL import Image

from hfs import hub
from hfs.chat import Chat
from hfs.errors import UsageError
from hfs.message import mark
from hfs.token_budget import Plan, empty, fit, longest, plan

pytest.importorskip("transformers")
FAMILIES = ["qwen3_vl", "qwen2_5_vl", "smolvlm", "llava_onevision", "internvl"]
SIZED = ["qwen3_vl", "qwen2_5_vl"]
TEXT = "Which is shown first?\nA. a boat\nB. a cat"


@pytest.fixture(scope="session")
def chat(tmp_path_factory):
    """The chat of a family's tiny checkpoint, made once; Qwen's sees up to 64 tokens a picture."""
    import checkpoints_answerers

    made = {}

    def make(name: str) -> Chat:
        if name not in made:
            folder = getattr(checkpoints_answerers, name)(tmp_path_factory.mktemp(name))
            made[name] = Chat.of(folder)
            if name in SIZED:
                pictures = made[name].processor.image_processor
                pictures.size = {"shortest_edge": 16 * 16 * 2, "longest_edge": 16 * 16 * 64}
        return made[name]

    return make


def planned(chat: Chat, limit: int, **other) -> Plan:
    usual = {"model": "m", "size": (270, 480), "duration": 120.0, "text": TEXT}
    return plan(chat, limit, **(usual | other))


def counted(chat: Chat, times: list[float], size: tuple[int, int]) -> int:
    """Tokens by the processor alone, as its authors would call it, over noise."""
    from transformers import ProcessorMixin

    generator = torch.Generator().manual_seed(0)
    content = []
    for time in times:
        noise = torch.randint(0, 256, (*size, 3), generator=generator).byte().numpy()
        content += [{"type": "text", "text": mark(time)}]
        content += [{"type": "image", "image": Image.fromarray(noise)}]
    content += [{"type": "text", "text": f"\n{TEXT}"}]
    name = type(chat.processor).__name__
    tiles = {"SmolVLMProcessor": "do_image_splitting", "InternVLProcessor": "crop_to_patches"}
    inputs = ProcessorMixin.apply_chat_template(
        chat.processor,
        [{"role": "user", "content": content}],
        add_generation_prompt=True,
        tokenize=True,
        return_dict=True,
        return_tensors="pt",
        processor_kwargs={tiles[name]: False} if name in tiles else {},
    )
    return inputs["input_ids"].shape[1]


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("limit", [250, 700])
def test_a_plan_is_exactly_what_the_processor_counts_and_one_frame_more_does_not_fit(
    chat, name, limit
):
    model = chat(name)
    found = planned(model, limit)
    frames, size = found.chosen.frames, found.chosen.size
    time = longest(model, 120.0)
    assert counted(model, [time] * frames, size) == found.chosen.tokens <= limit
    assert counted(model, [time] * (frames + 1), size) > limit


@pytest.mark.parametrize("name", FAMILIES)
def test_no_choice_of_times_exceeds_the_plan(chat, name):
    found = planned(chat(name), 600)
    frames = found.chosen.frames
    for start, step in [(0.0, 120 / frames), (99.9, 0.7), (0.04, 0.1)]:
        times = [min(start + i * step, 120.0) for i in range(frames)]
        assert counted(chat(name), times, found.chosen.size) <= found.chosen.tokens


@pytest.mark.parametrize("name", SIZED)
def test_every_row_of_the_trade_is_exact_and_its_next_size_would_not_fit(chat, name):
    model = chat(name)
    found = planned(model, 700)
    time = longest(model, 120.0)
    assert len(found.rows) > 4
    assert [r.frames for r in found.rows] == sorted({r.frames for r in found.rows})
    areas = [r.size[0] * r.size[1] for r in found.rows]
    assert areas == sorted(areas, reverse=True)
    assert areas[0] > 4 * areas[-1]
    for row in found.rows:
        assert counted(model, [time] * row.frames, row.size) == row.tokens <= 700
        larger = tuple(side + 16 for side in row.size)
        if row.size != found.rows[0].size:
            assert counted(model, [time] * row.frames, larger) > 700


@pytest.mark.parametrize("name", SIZED)
def test_a_planned_size_reaches_the_model_without_another_resize(chat, name):
    for row in planned(chat(name), 700).rows:
        grid = chat(name)([empty([1.0], row.size, TEXT)])["image_grid_thw"][0]
        assert (int(grid[1]) * 8, int(grid[2]) * 8) == row.size
        assert abs(row.size[1] / row.size[0] - 480 / 270) < 0.5


@pytest.mark.parametrize("name", SIZED)
def test_given_the_frames_the_size_is_sought_and_given_neither_frames_are_not_too_small(chat, name):
    few, many = (planned(chat(name), 700, frames=k).chosen for k in (4, 16))
    assert (few.frames, many.frames) == (4, 16)
    assert few.size[0] * few.size[1] > many.size[0] * many.size[1]
    small = planned(chat(name), 700, size=(48, 48)).chosen
    assert min(small.size) >= 48, "frames below the floor in the video keep their size"
    assert planned(chat(name), 100_000, most=7).chosen.frames == 7


def test_what_does_not_fit_is_refused_with_what_it_takes(chat):
    with pytest.raises(UsageError, match=r"holds the question and 1 frame, which take \d+ tokens"):
        planned(chat("qwen3_vl"), 20)
    with pytest.raises(UsageError, match="and 100 frames"):
        planned(chat("smolvlm"), 300, frames=100)
    with pytest.raises(UsageError, match="at least 1 token"):
        planned(chat("smolvlm"), 0)


def test_the_plan_is_told_in_words_with_its_alternatives(chat):
    found = planned(chat("qwen3_vl"), 700)
    told = found.lines
    assert "fit 700 tokens of m" in told[0]
    assert len(told) == 2 + len(found.rows)
    assert [line.startswith("->") for line in told[2:]] == [r == found.chosen for r in found.rows]
    assert "every size costs this model the same" in planned(chat("internvl"), 700).lines[1]


def test_the_longest_mark_is_found_among_all(chat):
    model = chat("qwen3_vl")
    tokens = lambda t: len(model.processor.tokenizer.encode(mark(t)))  # noqa: E731
    time = longest(model, 45.0)
    assert time <= 45.0
    assert tokens(time) == max(tokens(i / 10) for i in range(451))


def test_a_model_is_named_by_its_folder(chat, tmp_path):
    import checkpoints_answerers

    folder = checkpoints_answerers.smolvlm(tmp_path)
    found = fit(str(folder), 300, size=(96, 128), duration=10.0, text=TEXT)
    assert found.chosen.frames >= 8
    assert hub.load_config(folder).model_type == "smolvlm"


def test_a_video_of_duplicated_frames_is_planned_as_it_is_read(chat, tmp_path):
    pytest.importorskip("torchvision")
    import checkpoints_answerers

    folder = checkpoints_answerers.qwen3_vl(tmp_path)
    video = Chat.of(folder, "duplicate")
    found = planned(video, 400)
    many = [longest(video, 120.0)] * (found.chosen.frames + 1)
    assert video.count(empty(many[1:], found.chosen.size, TEXT)) == found.chosen.tokens <= 400
    assert video.count(empty(many, found.chosen.size, TEXT)) > 400
    with pytest.raises(UsageError, match="two neighbours share"):
        planned(Chat.of(folder, "neighbour"), 400)
