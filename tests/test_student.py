"""A student asks with vectors bound to cues and scores candidates in context."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

pytest.importorskip("transformers")
pytest.importorskip("peft")

import checkpoints_students as students
from asked_students import LENGTHS, LORA, OPTIONS, QUESTIONS, THOUGHTS, asked, scene, scored, shaken

from hfs.cache import Cache
from hfs.errors import UsageError
from hfs.student import HFSStudent
from hfs.student_output import calibrate
from hfs.thinking import Thought


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Path:
    return students.qwen3(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module", params=["adapters", "full"])
def student(request, base) -> HFSStudent:
    lora = LORA if request.param == "adapters" else None
    made = HFSStudent.create(str(base), lora=lora, text_width=5, **students.NARROW)
    return shaken(made)


def test_each_cue_has_a_query_of_its_own_after_the_global_ones(student):
    made = asked(student)
    assert made.mask.sum(1).tolist() == [5, 3, 2]
    assert made.facets[0] == (
        *[QUESTIONS[0]] * 2,
        "the man opens the door",
        "the number above it",
        "the two doors",
    )
    assert made.facets[2] == (QUESTIONS[2], QUESTIONS[2])
    own = torch.nn.functional.normalize(made.vectors[0], dim=1)
    assert float((own @ own.T - 2 * torch.eye(5)).max()) < 0.999  # not one and the same


def test_a_query_knows_its_cue_and_those_before_it_but_none_after(student):
    def with_last(cue: str) -> Tensor:
        thought = Thought.of(f"when the man opens the door\nread the sign\n{cue}")
        with torch.no_grad():
            return student.queries(QUESTIONS[:1], OPTIONS[:1], [thought]).vectors[0]

    one, other = with_last("count the men"), with_last("what the boat carries")
    assert torch.equal(one[2:4], other[2:4])
    assert not torch.allclose(one[4], other[4], atol=1e-3)
    assert not torch.allclose(one[:2], other[:2], atol=1e-3)


def test_untrained_weights_are_half_the_questions_and_half_the_cues(base):
    made = asked(HFSStudent.create(str(base), lora=LORA, **students.NARROW))
    expected = [[1 / 4] * 2 + [1 / 6] * 3, [1 / 4] * 2 + [1 / 2, 0, 0], [1 / 2] * 2 + [0, 0, 0]]
    torch.testing.assert_close(made.weights, torch.tensor(expected))


@pytest.mark.parametrize("tokens", [{"cue_tokens": 2}, {"global_tokens": 0}])
def test_the_number_of_query_tokens_is_free(base, tokens):
    made = asked(HFSStudent.create(str(base), **students.NARROW, **tokens), 0, 1)
    each, free = tokens.get("cue_tokens", 1), tokens.get("global_tokens", 2)
    assert made.mask.sum(1).tolist() == [free + 3 * each, free + each]
    assert [len(f) for f in made.facets] == [free + 3 * each, free + each]
    assert torch.allclose(made.weights.sum(1), torch.ones(2))


def test_a_batch_of_ragged_thoughts_is_as_each_alone(student):
    together = asked(student)
    for i in range(3):
        alone = asked(student, i)
        m = alone.vectors.shape[1]
        torch.testing.assert_close(together.vectors[i, :m], alone.vectors[0], atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(together.weights[i, :m], alone.weights[0], atol=1e-5, rtol=1e-5)
        assert not together.vectors[i, m:].any()


def test_scores_of_a_ragged_batch_are_as_each_alone_whatever_the_padding_holds(student):
    queries = asked(student)
    given = scene(queries)
    together = scored(student, queries, given)
    for i, n in enumerate(LENGTHS):
        alone_queries = asked(student, i)
        m = alone_queries.vectors.shape[1]
        own = {k: v[i : i + 1, :n] for k, v in given.items() if k != "prior"}
        alone = scored(student, alone_queries, {**own, "prior": given["prior"][i : i + 1, :m, :n]})
        close = {"atol": 1e-5, "rtol": 1e-5}
        torch.testing.assert_close(together.frame[i, :n], alone.frame[0], **close)
        torch.testing.assert_close(together.facet[i, :m, :n], alone.facet[0], **close)
    junk = {k: v.clone() for k, v in given.items()}
    for key in ("features", "times", "text"):
        junk[key][~given["mask"]] = 1e4
    junk["prior"] = junk["prior"].masked_fill(~given["mask"][:, None], -1e4)
    again = scored(student, queries, junk)
    assert torch.equal(again.frame[given["mask"]], together.frame[given["mask"]])


def test_candidates_in_another_order_get_the_same_logits(student):
    queries = asked(student, 0)
    given = scene(queries, [7])
    order = torch.randperm(7, generator=torch.Generator().manual_seed(3))
    plain = scored(student, queries, given)
    moved = {k: v[:, order] for k, v in given.items() if k != "prior"}
    turned = scored(student, queries, {**moved, "prior": given["prior"][:, :, order]})
    torch.testing.assert_close(turned.frame, plain.frame[:, order], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(turned.facet, plain.facet[:, :, order], atol=1e-5, rtol=1e-5)


def test_candidates_are_scored_in_context_and_in_time(student):
    queries = asked(student, 0)
    given = scene(queries, [7])
    plain = scored(student, queries, given).frame[0, 0]
    for key, index in (("features", (0, 6)), ("text", (0, 5)), ("times", (0, 0))):
        other = given[key].clone()
        other[index] += 5
        changed = scored(student, queries, {**given, key: other}).frame[0, 0]
        assert abs(float(changed - plain)) > 1e-7, key


def test_an_untrained_student_ranks_as_its_backbone_does(base):
    student = HFSStudent.create(str(base), **students.NARROW)
    queries = asked(student, 0)
    given = {**scene(queries, [7]), "text": None}
    found = scored(student, queries, given).facet[0]
    z = given["prior"][0]
    agree = torch.corrcoef(
        torch.stack([found.flatten(), ((z.T - z.mean(1)) / z.std(1)).T.flatten()])
    )
    assert float(agree[0, 1]) > 0.9


def test_a_prior_of_zeros_or_a_single_candidate_gives_finite_logits(student):
    queries = asked(student, 1)
    given = scene(queries, [1])
    found = scored(student, queries, {**given, "prior": torch.zeros_like(given["prior"])})
    assert found.frame.isfinite().all()
    (scores,) = student.scores(found, given["times"])
    assert scores.relevance.isfinite().all()


def test_gradient_reaches_every_part_that_learns_and_nothing_else(base):
    for lora in (LORA, None):
        student = HFSStudent.create(str(base), lora=lora, text_width=5, **students.NARROW)
        shaken(student)
        given = scene(asked(student))
        output = student(
            QUESTIONS, OPTIONS, THOUGHTS, given["features"], given["times"], given["mask"],
            given["prior"], given["text"],
        )  # fmt: skip
        scores = student.scores(output, given["times"])
        sum(
            (s.relevance.square().sum() + s.facets[0, 0] for s in scores), torch.zeros(())
        ).backward()
        learned = {n for n, p in student.named_parameters() if p.requires_grad}
        reached = {n for n, p in student.named_parameters() if p.grad is not None and p.grad.any()}
        idle = {n for n in learned - reached if "answer.bias" not in n}
        assert not idle
        assert reached <= learned
        assert any("lora_" in n for n in reached) == (lora is not None)
        assert ("slm.model.layers.0.mlp.up_proj.weight" in reached) == (lora is None)
        assert all(p.grad is None or p.grad.isfinite().all() for p in student.parameters())


def test_the_gradient_of_a_ragged_batch_is_the_sum_of_each_alone(base):
    student = shaken(HFSStudent.create(str(base), lora=LORA, **students.NARROW))

    def gradient(*batches: tuple[int, ...]) -> list[Tensor]:
        student.zero_grad()
        for batch in batches:
            made = student.queries(*([x[i] for i in batch] for x in (QUESTIONS, OPTIONS, THOUGHTS)))
            (made.vectors.square() * made.weights[..., None]).sum().backward()
        return [p.grad.clone() for p in student.parameters() if p.grad is not None]

    for one, other in zip(gradient((0, 1, 2)), gradient((0,), (1,), (2,)), strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def test_without_global_tokens_a_thought_needs_a_cue(base):
    student = HFSStudent.create(str(base), global_tokens=0, **students.NARROW)
    with pytest.raises(UsageError, match="or_question"):
        student.queries(["Who?"], [()], [Thought("", ())])
    assert student.queries(["Who?"], [()], [Thought("", ()).or_question("Who?")]).mask.all()


def test_adapters_do_not_touch_the_thoughts(base, tmp_path):
    plain = HFSStudent.create(str(base), lora=LORA, **students.NARROW)
    moved = shaken(HFSStudent.create(str(base), lora=LORA, **students.NARROW))
    learning = [n for n, p in moved.named_parameters() if p.requires_grad]
    cache = Cache(tmp_path)
    assert moved.think(QUESTIONS, OPTIONS, cache) == plain.think(QUESTIONS, OPTIONS)
    assert cache.usage()["thoughts"].entries == 3
    assert [n for n, p in moved.named_parameters() if p.requires_grad] == learning
    assert moved.training
    assert not torch.allclose(asked(moved).vectors, asked(plain).vectors, atol=1e-3)


def test_a_full_model_in_training_leaves_nothing_in_the_cache(base, tmp_path):
    HFSStudent.create(str(base), **students.NARROW).think(["Who?"], [()], Cache(tmp_path))
    assert not (tmp_path / "thoughts").exists()


def test_the_language_model_may_run_in_half_precision_while_what_learns_stays_whole(base):
    whole = shaken(HFSStudent.create(str(base), lora=LORA, **students.NARROW))
    half = HFSStudent.create(str(base), lora=LORA, dtype="bfloat16", **students.NARROW)
    assert half.slm.get_input_embeddings().weight.dtype == torch.bfloat16
    assert {p.dtype for p in half.parameters() if p.requires_grad} == {torch.float32}
    shaken(half)
    half.queries(QUESTIONS, OPTIONS, THOUGHTS).vectors.square().sum().backward()
    torch.testing.assert_close(asked(half).vectors, asked(whole).vectors, atol=0.2, rtol=0.1)


def test_under_autocast_scores_stay_exact_and_cast_weights_are_followed(base):
    student = shaken(HFSStudent.create(str(base), lora=LORA, text_width=5, **students.NARROW))
    queries = asked(student)
    given = scene(queries)
    plain = scored(student, queries, given)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(scored(student, queries, given).frame, plain.frame)
        assert asked(student).weights.dtype == torch.float32
    student.network.bfloat16()
    cast = scored(student, queries, given)
    assert cast.frame.dtype == torch.float32
    torch.testing.assert_close(cast.frame, plain.frame, atol=0.1, rtol=0.1)


def test_gradient_checkpoints_change_nothing(base):
    student = shaken(HFSStudent.create(str(base), lora=LORA, **students.NARROW))

    def gradient() -> Tensor:
        student.zero_grad()
        student.queries(QUESTIONS, OPTIONS, THOUGHTS).vectors[:, -1].sum().backward()
        return torch.cat([p.grad.flatten() for p in student.slm.parameters() if p.grad is not None])

    plain = gradient()
    old = "gradient_checkpointing_enable"  # of releases before the name changed
    getattr(student.slm, "activation_checkpointing_enable", getattr(student.slm, old))()
    torch.testing.assert_close(gradient(), plain)


def test_the_same_seed_makes_the_same_student_and_another_one_another(base):
    def tokens(seed: int) -> Tensor:
        return HFSStudent.create(str(base), lora=LORA, seed=seed, **students.NARROW).query_tokens

    assert torch.equal(tokens(0), tokens(0))
    assert not torch.equal(tokens(0), tokens(1))


def test_features_of_another_width_are_refused(student):
    queries = asked(student)
    given = scene(queries)
    wide = {**given, "features": torch.zeros(3, 7, 13)}
    with pytest.raises(UsageError, match=r"features of width 12.*got width 13"):
        scored(student, queries, wide)


def test_calibration_is_the_same_for_shifted_and_scaled_logits(student):
    queries = asked(student)
    given = scene(queries)
    output = scored(student, queries, given)
    moved = replace(output, frame=3 * output.frame + 7, prior=2 * output.prior - 1)
    for one, other in zip(
        student.scores(output, given["times"]), student.scores(moved, given["times"]), strict=True
    ):
        torch.testing.assert_close(one.relevance, other.relevance, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(one.facets, other.facets, atol=1e-4, rtol=1e-4)
        assert ((one.relevance > 0) & (one.relevance < 1)).all()


def test_facets_are_what_the_backbone_sees_and_learned_only_where_it_has_no_words(student):
    queries = asked(student, 0)
    given = scene(queries, [7])
    seen = scored(student, queries, given)
    learned = replace(seen, facet=seen.facet.flip(2))
    blind = scored(student, queries, {**given, "prior": torch.zeros_like(given["prior"])})
    [plain], [other] = student.scores(seen, given["times"]), student.scores(learned, given["times"])
    [alone] = student.scores(blind, given["times"])
    torch.testing.assert_close(plain.facets, calibrate(given["prior"][0]))
    assert torch.equal(plain.facets, other.facets)
    torch.testing.assert_close(alone.facets, calibrate(blind.facet[0]))


def test_what_half_fits_counts_no_more_in_a_longer_video():
    def scores(n: int) -> Tensor:
        logits = torch.zeros(n)
        logits[:2], logits[2:6] = 4.0, 2.0
        return calibrate(logits)

    whole, half = scores(64)[0], scores(64)[2]
    assert whole > 0.9
    assert half < 0.75
    for n in (128, 256, 1024):
        torch.testing.assert_close(scores(n)[0], whole, atol=0.1, rtol=0)
        torch.testing.assert_close(scores(n)[2], half, atol=0.1, rtol=0)
