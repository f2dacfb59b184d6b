"""What the teacher looked at: two measures, against their slow definitions and a trained case."""

import functools

import checkpoints_teachers
import plain_model
import pytest
import torch

from hfs.answers import INSTRUCTION
from hfs.errors import UsageError
from hfs.training.importance import Reading, normalised
from hfs.training.teacher import Teacher
from hfs.training.visual_tokens import VisualTokens

FAMILIES = ("qwen3_vl", "qwen2_5_vl", "smolvlm", "llava_onevision")
COLOURS = ["red", "blue", "green", "yellow"]
QUESTION = "which?"
ASKED = f"{QUESTION}\nA. red\nB. blue\nC. green\nD. yellow\n{INSTRUCTION}"
TIMES = [0.0, 3.25, 125.5]


@pytest.fixture(scope="module")
def teachers(checkpoint):
    return functools.cache(
        lambda family, **options: Teacher.from_pretrained(
            str(checkpoint(family)), device="cpu", dtype="float32", tokens=17, **options
        )
    )


def pictures(n, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 255, (n, 3, 32, 32), dtype=torch.uint8, generator=generator)


def ask(teacher, visual, rows, importance, answer="blue"):
    """One sample; the times are the rows' own."""
    times = [float(row) for row in rows]
    return teacher(
        [visual],
        [torch.tensor(rows)],
        [times],
        [QUESTION],
        [COLOURS],
        [answer],
        importance=importance,
    )


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("layers", [1, 2])
def test_attention_is_the_share_in_the_plain_models_own_eager_maps(
    teachers, checkpoint, family, layers
):
    import transformers

    teacher = teachers(family, attention_layers=layers)
    frames = pictures(3)
    found = ask(teacher, teacher.encode(frames), [0, 1, 2], "attention").importance
    eager = transformers.AutoModelForImageTextToText.from_pretrained(
        checkpoint(family), attn_implementation="eager"
    ).eval()
    given = plain_model.inputs(teacher, frames, [0.0, 1.0, 2.0], ASKED)
    with torch.no_grad():
        maps = eager(**given, output_attentions=True).attentions[-layers:]
    image = (given["input_ids"][0] == teacher.prompter.image_token_id).nonzero()[:, 0]
    masses = torch.stack([m[0, :, -1][:, image].unflatten(1, (3, -1)).sum(2).mean(0) for m in maps])
    expected = masses.mean(0) / masses.mean(0).sum()
    assert torch.allclose(found[0], expected, atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_fused_and_eager_attention_give_the_same_answer_and_importance(
    teachers, checkpoint, family
):
    import transformers

    teacher = teachers(family)
    kind = transformers.AutoModelForImageTextToText
    other = Teacher(
        kind.from_pretrained(checkpoint(family), attn_implementation="eager").eval(),
        teacher.tokenizer,
        teacher.image_processor,
        template=teacher.prompter.template,
        tokens=17,
    )
    visual = teacher.encode(pictures(4))
    for importance in ("attention", "gradient"):
        fused, eager = (ask(t, visual, [0, 2, 3], importance) for t in (teacher, other))
        assert torch.allclose(fused.ce, eager.ce, atol=1e-5)
        assert torch.allclose(fused.importance, eager.importance, atol=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_gates_importance_is_the_slope_of_the_answers_log_probability(teachers, family):
    teacher = teachers(family)
    visual = teacher.encode(pictures(3, seed=1))
    found = ask(teacher, visual, [0, 1, 2], "gate").importance[0]
    slopes = []
    for k in range(3):
        ends = []
        for step in (-1e-2, 1e-2):
            gate = torch.ones(3, 1, 1)
            gate[k] += step
            scaled = VisualTokens(
                visual.tokens * gate, tuple(x * gate for x in visual.extra), visual.grid
            )
            ends.append(-ask(teacher, scaled, [0, 1, 2], None).ce[0])
        slopes.append((ends[1] - ends[0]).item() / 2e-2)
    expected = torch.tensor(slopes).abs()
    assert torch.allclose(found, expected / expected.sum(), atol=0.02)


@pytest.mark.parametrize("family", FAMILIES)
def test_gradient_times_input_adds_up_what_each_number_of_a_slot_does(teachers, family):
    teacher = teachers(family)
    made = teacher.encode(pictures(3, seed=1))
    levels = [x.clone().requires_grad_() for x in (made.tokens, *made.extra)]
    visual = VisualTokens(levels[0], tuple(levels[1:]), made.grid)
    found = ask(teacher, visual, [0, 1, 2], "gradient").importance[0]
    ask(teacher, visual, [0, 1, 2], None).loss.backward()
    expected = sum((x * x.grad).detach().abs().sum((1, 2)) for x in levels)
    assert torch.allclose(found, expected / expected.sum(), atol=1e-5)


@pytest.mark.parametrize("importance", ["attention", "gradient"])
def test_importance_sums_to_one_and_padding_takes_no_part(teachers, importance):
    teacher = teachers("qwen3_vl")
    visual = [teacher.encode(pictures(5, seed=2)), teacher.encode(pictures(4, seed=3))]
    rows = [torch.tensor([0, 2, 4]), torch.tensor([1])]
    times = [TIMES, TIMES[:1]]
    both = teacher(
        visual, rows, times, [QUESTION] * 2, [COLOURS] * 2, ["red"] * 2, importance=importance
    )
    assert torch.allclose(both.importance.sum(1), torch.ones(2))
    assert both.mask.tolist() == [[True, True, True], [True, False, False]]
    assert both.importance[1].tolist() == [1.0, 0.0, 0.0]
    alone = teacher(
        visual[:1], rows[:1], times[:1], [QUESTION], [COLOURS], ["red"], importance=importance
    )
    assert torch.allclose(both.importance[0], alone.importance[0], atol=1e-5)


@pytest.mark.parametrize("importance", ["attention", "gradient", "gate"])
def test_importance_is_the_same_without_gradients(teachers, importance):
    teacher = teachers("smolvlm")
    visual = teacher.encode(pictures(3))
    free = ask(teacher, visual, [0, 1, 2], importance)
    with torch.no_grad():
        out = ask(teacher, visual, [0, 1, 2], importance)
    assert torch.allclose(out.importance, free.importance)
    assert not out.loss.requires_grad
    assert not out.importance.requires_grad


def test_attention_teaches_the_teacher_and_gradient_is_detached(teachers):
    teacher = teachers("qwen3_vl", attention_layers=1)
    visual = teacher.encode(pictures(3))
    attention = ask(teacher, visual, [0, 1, 2], "attention").importance
    query = teacher.model.model.language_model.layers[1].self_attn.q_proj.weight
    (slope,) = torch.autograd.grad(attention[0, 0].log(), [query])
    assert slope.isfinite().all()
    assert slope.abs().max() > 0
    assert not ask(teacher, visual, [0, 1, 2], "gradient").importance.requires_grad


def test_a_slot_that_says_nothing_has_no_gradient_and_all_the_others_share_it(teachers):
    teacher = teachers("smolvlm")
    tokens = torch.zeros(3, 4, 32)
    tokens[1] = teacher.encode(pictures(1)).tokens[0]
    silent = ask(teacher, VisualTokens(tokens), [0, 1, 2], "gradient").importance[0]
    assert silent.tolist() == pytest.approx([0, 1, 0], abs=1e-6)
    nothing = ask(teacher, VisualTokens(torch.zeros(3, 4, 32)), [0, 1, 2], "gradient")
    assert nothing.importance[0].tolist() == pytest.approx([1 / 3] * 3)


def test_shares_count_real_slots_only():
    x = torch.tensor([[1.0, 3.0, 9.0], [0.0, 0.0, 7.0]])
    mask = torch.tensor([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0]])
    assert normalised(x, mask).tolist() == [[0.25, 0.75, 0.0], [0.5, 0.5, 0.0]]


def test_a_model_whose_attention_cannot_be_read_is_refused():
    reading = Reading(torch.tensor([[0]]), torch.ones(1, 1), torch.ones(1, 1, 1), 0)
    with pytest.raises(UsageError, match="importance='gradient'"):
        reading.importance()


def test_a_mask_of_the_models_own_is_obeyed():
    query, key = torch.ones(1, 2, 4, 8), torch.ones(1, 1, 4, 8)
    slots = torch.eye(4)[None, :2]
    for allowed in (torch.tensor([True, False, True, True]),):
        as_bool = allowed.expand(1, 1, 4, 4)
        as_float = torch.zeros(1, 1, 4, 4).masked_fill(~as_bool, float("-inf"))
        for mask in (as_bool, as_float):
            reading = Reading(torch.tensor([[3]]), torch.ones(1, 1), slots, 0)
            reading.add(0, query, key, mask, 1.0)
            assert torch.allclose(reading.masses[0], torch.tensor([[1 / 3, 0.0]]))
    causal = Reading(torch.tensor([[1]]), torch.ones(1, 1), slots, 0)
    causal.add(0, query, key, None, 1.0)
    assert torch.allclose(causal.masses[0], torch.tensor([[0.5, 0.5]]))


def test_attention_is_averaged_over_the_positions_that_predict_the_answer():
    draw = torch.Generator().manual_seed(0)
    query = torch.randn(1, 2, 5, 8, generator=draw)
    key = torch.randn(1, 1, 5, 8, generator=draw)
    slots = torch.eye(5)[None, :2]

    def mass(positions, real):
        reading = Reading(torch.tensor([positions]), torch.tensor([real]), slots, 0)
        reading.add(0, query, key, None, 1.0)
        return reading.masses[0]

    both = mass([2, 4, 0], [1.0, 1.0, 0.0])
    torch.testing.assert_close(both, (mass([2], [1.0]) + mass([4], [1.0])) / 2)


def test_the_end_of_a_free_answer_and_padding_are_no_part_of_what_is_looked_for(teachers):
    teacher = teachers("qwen3_vl")
    visual = teacher.encode(pictures(3))
    seen = []
    real = teacher._reading

    def spy(batch, slots, mask):
        reading = real(batch, slots, mask)
        seen.append((batch, reading))
        return reading

    teacher._reading = spy
    try:
        teacher(
            [visual] * 2, [torch.arange(3)] * 2, [[0.0, 1.0, 2.0]] * 2, ["what?"] * 2, [()] * 2,
            ["a red kite", "kite"], importance="attention",
        )  # fmt: skip
    finally:
        del teacher._reading
    [(batch, reading)] = seen
    for targets, real_ in zip(batch.targets.tolist(), reading.real.tolist(), strict=True):
        written = [t for t in targets if t >= 0]
        assert written[-1] == teacher.prompter.end[0]
        assert real_ == [1.0] * (len(written) - 1) + [0.0] * (len(targets) - len(written) + 1)


def test_a_trained_teacher_looks_most_at_the_slot_that_carries_the_answer(tmp_path):
    folder = checkpoints_teachers.qwen3_vl(tmp_path, layers=1)  # nothing can be passed on
    teacher = Teacher.from_pretrained(str(folder), device="cpu", dtype="float32")
    draw = torch.Generator().manual_seed(0)
    codes = torch.nn.functional.normalize(torch.randn(5, 32, generator=draw), dim=1) * 4

    def batch(size):
        places = torch.randint(3, (size,), generator=draw)
        right = torch.randint(4, (size,), generator=draw)
        visual = []
        for place, answer in zip(places, right, strict=True):
            tokens = codes[4].repeat(3, 1, 1) + 0.1 * torch.randn(3, 1, 32, generator=draw)
            tokens[place, 0] = codes[answer]
            visual.append(VisualTokens(tokens, (torch.zeros(3, 1, 32),) * 2, (1, 2, 2)))
        return visual, places, right.tolist()

    def read(visual, right, importance=None):
        size, rows = len(right), torch.tensor([0, 1, 2])
        return teacher(
            visual,
            [rows] * size,
            [[0.0, 1.0, 2.0]] * size,
            [QUESTION] * size,
            [COLOURS] * size,
            right,
            importance=importance,
        )

    teacher.train()
    optimiser = torch.optim.AdamW(teacher.parameters(), lr=4e-3)
    for _ in range(150):
        visual, _, right = batch(24)
        out = read(visual, right)
        if out.loss < 0.1:
            break
        out.loss.backward()
        torch.nn.utils.clip_grad_norm_(teacher.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
    teacher.train(False)
    visual, places, right = batch(40)
    for importance in ("attention", "gradient"):
        out = read(visual, right, importance)
        hit = out.importance.argmax(1) == places
        assert out.correct.float().mean() > 0.9
        assert hit.float().mean() > 0.8
