"""Visual tokens kept as tensors, and the slots that a choice of them fills."""

import pytest
import torch
from safetensors.torch import load_file, save_file

from hfs.errors import UsageError
from hfs.training.slots import fill
from hfs.training.teacher import Teacher
from hfs.training.visual_tokens import Tower, VisualTokens, picture_options


def visual(n=5, t=2, d=3, dtype=torch.float32, seed=0):
    draw = torch.Generator().manual_seed(seed)
    levels = [torch.randn(n, t, d, generator=draw).to(dtype) for _ in range(3)]
    return VisualTokens(levels[0], tuple(levels[1:]), (1, 2, 4))


def pictures(n, height=32, width=32):
    draw = torch.Generator().manual_seed(n)
    return torch.randint(0, 255, (n, 3, height, width), dtype=torch.uint8, generator=draw)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_a_slot_is_its_candidates_tokens_to_the_bit(dtype):
    made = visual(dtype=dtype)
    rows = torch.tensor([0, 2, 4])
    with torch.autocast("cpu", dtype=torch.bfloat16):  # which would round a matrix product
        by_row = fill(made, torch.eye(5)[rows])
    by_index = fill(made, rows)
    for slots in (by_row, by_index):
        assert torch.equal(slots.tokens, made.tokens[rows])
        assert all(torch.equal(a, b[rows]) for a, b in zip(slots.extra, made.extra, strict=True))
        assert slots.tokens.dtype == dtype
        assert slots.grid == (1, 2, 4)


def test_soft_rows_mix_and_every_level_sends_its_gradient_back():
    made = visual()
    soft = torch.rand(2, 5, generator=torch.Generator().manual_seed(1)).softmax(1)
    choice = (torch.eye(5)[[1, 3]] + soft - soft.detach()).requires_grad_()
    slots = fill(made, choice)
    weights = torch.arange(6.0).view(2, 3)
    ((slots.tokens + 2 * slots.extra[0] + 3 * slots.extra[1]) * weights).sum().backward()
    mixed = made.tokens + 2 * made.extra[0] + 3 * made.extra[1]
    expected = (mixed * weights).sum((1, 2)).expand(2, 5)
    assert torch.allclose(choice.grad, expected, atol=1e-5)


@pytest.mark.parametrize(
    "choice",
    [torch.tensor([2, 0]), torch.tensor([0, 5]), torch.tensor([-1, 2]), torch.eye(5)[[3, 1]]],
)
def test_a_choice_out_of_order_or_out_of_range_is_refused(choice):
    with pytest.raises(UsageError, match="candidates 0 to 4 in ascending order"):
        fill(visual(), choice)


def test_rows_of_another_number_of_candidates_are_refused():
    with pytest.raises(UsageError, match="of 4"):
        fill(visual(), torch.eye(4)[[0, 1]])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_visual_tokens_survive_a_file_with_their_dtype(tmp_path, dtype):
    for made in (visual(dtype=dtype), VisualTokens(visual(dtype=dtype).tokens)):
        save_file(made.to_tensors(), tmp_path / "made.safetensors")
        again = VisualTokens.from_tensors(load_file(tmp_path / "made.safetensors"))
        assert torch.equal(again.tokens, made.tokens)
        assert again.tokens.dtype == dtype
        assert len(again.extra) == len(made.extra)
        assert all(torch.equal(a, b) for a, b in zip(again.extra, made.extra, strict=True))
        assert again.grid == made.grid


def test_memory_and_subsets_are_of_every_level():
    made = visual(n=4, t=2, d=3)
    assert made.bytes == 4 * 2 * 3 * 4 * 3
    kept = made.keep(torch.tensor([True, False, False, True]))
    assert len(kept) == 2
    assert torch.equal(kept.extra[1], made.extra[1][[0, 3]])


@pytest.fixture(scope="module")
def teacher(checkpoint):
    return Teacher.from_pretrained(str(checkpoint("qwen3_vl")), device="cpu", dtype="float32")


def test_frames_are_encoded_once_whatever_the_batch(teacher):
    frames = pictures(5)
    whole, parts = teacher.encode(frames), teacher.encode(frames, batch=2)
    assert whole.tokens.shape == (5, 4, 32)
    assert len(whole.extra) == 2
    assert torch.allclose(whole.tokens, parts.tokens, atol=1e-5)
    assert torch.allclose(whole.extra[1], parts.extra[1], atol=1e-5)
    assert not whole.tokens.requires_grad


@pytest.mark.parametrize(
    ("height", "width", "allowed", "cells"),
    [
        (32, 32, 16, (2, 2)),  # as it is: 16 x 16 pixels a token
        (64, 64, 16, (4, 4)),
        (64, 64, 9, (3, 3)),  # scaled down
        (64, 64, 5, (2, 2)),  # whole cells only
        (36, 90, 8, (1, 4)),  # the aspect ratio kept, as near as cells allow
        (64, 64, 1, (1, 1)),
    ],
)
def test_a_frame_takes_as_many_tokens_as_are_allowed_at_most(
    teacher, height, width, allowed, cells
):
    tower = Tower(teacher.model, teacher.image_processor, tokens=allowed)
    made = tower.encode(pictures(2, height, width))
    assert made.grid == (1, 2 * cells[0], 2 * cells[1])
    assert made.tokens.shape[1] == cells[0] * cells[1] <= allowed


def test_a_picture_of_fixed_size_that_takes_more_than_allowed_is_refused(checkpoint):
    loaded = Teacher.from_pretrained(
        str(checkpoint("smolvlm")), device="cpu", dtype="float32", tokens=3
    )
    with pytest.raises(UsageError, match=r"at most 3 tokens, got 4 for 48 x 32 pixels"):
        loaded.encode(pictures(2, 32, 48))
    with pytest.raises(UsageError, match="at least 1 token a frame, got 0"):
        Tower(loaded.model, loaded.image_processor, tokens=0)


def test_pictures_are_not_cut_into_tiles(checkpoint):
    loaded = Teacher.from_pretrained(str(checkpoint("smolvlm")), device="cpu", dtype="float32")
    assert loaded.image_processor.do_image_splitting
    assert picture_options(loaded.image_processor, None) == {
        "do_image_splitting": False,
        "size": {"longest_edge": 32},
    }
    assert loaded.encode(pictures(3, 128, 128)).tokens.shape == (3, 4, 32)
