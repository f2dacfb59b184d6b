"""A student asks with vectors bound to cues, scores in context, and is saved as what it is."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

pytest.importorskip("transformers")
pytest.importorskip("peft")

import checkpoints_students as students
from safetensors.torch import load_file, save_file

from hfs.cache import Cache
from hfs.errors import UsageError, WeightsError
from hfs.student import HFSStudent
from hfs.student_output import QueryBatch, StudentOutput
from hfs.thinking import Thought

LORA = {"r": 4, "alpha": 8}
QUESTIONS = ["What is above the door?", "Who?", "How many men are there in the garden?"]
OPTIONS = [("a number", "a lamp"), (), ("one", "two", "three")]
THOUGHTS = [
    Thought.of("when the man opens the door\nread the number above it\ncompare the two doors"),
    Thought.of("what the man in the red shirt looks like"),
    Thought("", ()),
]
LENGTHS = [7, 4, 6]


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Path:
    return students.qwen3(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module", params=["adapters", "full"])
def student(request, base) -> HFSStudent:
    lora = LORA if request.param == "adapters" else None
    made = HFSStudent.create(str(base), lora=lora, text_width=5, **students.NARROW)
    return shaken(made)


def shaken(student: HFSStudent) -> HFSStudent:
    """Every trainable weight moved, as if by training: adapters begin as zero."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in student.parameters():
            if parameter.requires_grad:
                parameter += 0.05 * torch.randn(parameter.shape, generator=generator)
    return student


def scene(queries: QueryBatch, lengths: list[int] = LENGTHS, *, seed: int = 0) -> dict[str, Any]:
    """Candidates of several videos, padded."""
    g = torch.Generator().manual_seed(seed)
    b, n, m = len(lengths), max(lengths), queries.vectors.shape[1]
    times = torch.rand(b, n, generator=g, dtype=torch.float64).cumsum(1) * 30
    text = torch.randn(b, n, 5, generator=g)
    text[:, ::2] = 0
    return {
        "features": torch.randn(b, n, 12, generator=g),
        "times": times,
        "mask": torch.arange(n) < torch.tensor(lengths)[:, None],
        "prior": torch.randn(b, m, n, generator=g),
        "text": text,
    }


def scored(student: HFSStudent, queries: QueryBatch, given: dict[str, Any]) -> StudentOutput:
    with torch.no_grad():
        return student.score(
            given["features"], given["times"], given["mask"], queries, given["prior"], given["text"]
        )


def asked(student: HFSStudent, *which: int) -> QueryBatch:
    chosen = which or (0, 1, 2)
    pick = [[items[i] for i in chosen] for items in (QUESTIONS, OPTIONS, THOUGHTS)]
    with torch.no_grad():
        return student.queries(*pick)


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


def test_a_student_that_was_saved_and_loaded_gives_the_same_bits(student, tmp_path):
    student.save_pretrained(tmp_path / "out")
    loaded = HFSStudent.from_pretrained(tmp_path / "out")
    assert not loaded.training
    assert not any(p.requires_grad for p in loaded.parameters())
    queries, again = asked(student), asked(loaded)
    assert torch.equal(queries.vectors, again.vectors)
    assert torch.equal(queries.weights, again.weights)
    given = scene(queries)
    assert torch.equal(scored(student, queries, given).frame, scored(loaded, again, given).frame)
    loaded.save_pretrained(tmp_path / "again")
    for name in ("config.json", "README.md", "tokenizer.json"):
        assert (tmp_path / "again" / name).read_text() == (tmp_path / "out" / name).read_text()


def test_a_student_with_adapters_keeps_only_them_and_its_own_weights(base, tmp_path):
    student = shaken(HFSStudent.create(str(base), lora=LORA, **students.NARROW))
    student.save_pretrained(tmp_path / "thin")
    names = set(load_file(tmp_path / "thin" / "model.safetensors"))
    assert any(".lora_A." in n for n in names)
    assert not [n for n in names if n.startswith("slm.") and ".lora_" not in n]
    assert (tmp_path / "thin" / "chat_template.jinja").is_file()


def test_merged_into_one_file_it_needs_no_base_and_computes_the_same(base, tmp_path):
    own = Path(shutil.copytree(base, tmp_path / "base"))
    student = shaken(HFSStudent.create(str(own), lora=LORA, **students.NARROW))
    thoughts = student.think(QUESTIONS, OPTIONS)
    before = asked(student)
    student.merge().save_pretrained(tmp_path / "whole")
    shutil.rmtree(own)
    loaded = HFSStudent.from_pretrained(tmp_path / "whole")
    torch.testing.assert_close(asked(loaded).vectors, before.vectors, atol=1e-5, rtol=1e-5)
    assert loaded.think(QUESTIONS, OPTIONS) == thoughts


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


@pytest.fixture
def saved(base, tmp_path) -> Path:
    own = Path(shutil.copytree(base, tmp_path / "base"))
    HFSStudent.create(str(own), lora=LORA, **students.NARROW).save_pretrained(tmp_path / "s")
    return tmp_path / "s"


def edit(folder: Path, **changes: Any) -> None:
    values = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**values, **changes}))


def drop(folder: Path, name: str, **more: Tensor) -> None:
    weights = load_file(folder / "model.safetensors")
    save_file(
        {**{k: v for k, v in weights.items() if k != name}, **more}, folder / "model.safetensors"
    )


BREAKS = {
    "query_tokens": lambda f: drop(f, "query_tokens"),
    "no place for: extra": lambda f: drop(f, "", extra=torch.zeros(1)),
    "size mismatch": lambda f: edit(f, query_width=24),
    "damaged model.safetensors": lambda f: (f / "model.safetensors").write_bytes(b"\0" * 64),
    "model_type 'qwen3'": lambda f: edit(f, model_type="qwen3"),
    "config.json of a student": lambda f: (f / "config.json").write_text("{"),
    "safetensors": lambda f: (f / "model.safetensors").rename(f / "pytorch_model.bin"),
    "at revision .* name the one": lambda f: edit(f, base_revision="0" * 64),
    "no such folder": lambda f: shutil.rmtree(f.parent / "base"),
}


@pytest.mark.parametrize("message", BREAKS)
def test_a_broken_folder_is_one_error_that_names_the_fault(saved, message):
    BREAKS[message](saved)
    with pytest.raises(WeightsError, match=message) as error:
        HFSStudent.from_pretrained(saved)
    assert "\n" not in str(error.value)


def test_a_base_that_has_moved_can_be_named_anew(saved):
    moved = saved.parent / "elsewhere"
    (saved.parent / "base").rename(moved)
    student = HFSStudent.from_pretrained(saved, base=str(moved))
    assert student.config.base_revision
    edit(saved, base="./inside")
    shutil.copytree(moved, saved / "inside")
    HFSStudent.from_pretrained(saved)


def test_a_base_on_the_hub_is_taken_at_the_commit_that_was_used(base, tmp_path, monkeypatch):
    from huggingface_hub import constants

    commit, later = "1" * 40, "2" * 40
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    model = tmp_path / "hub" / "models--owner--slm"
    for revision in (commit, later):
        shutil.copytree(base, model / "snapshots" / revision)
    (model / "refs").mkdir()
    (model / "refs" / "main").write_text(commit)
    student = HFSStudent.create("owner/slm", lora=LORA, **students.NARROW)
    student.save_pretrained(tmp_path / "s")
    assert (student.config.base, student.config.base_revision) == ("owner/slm", commit)
    (model / "refs" / "main").write_text(later)
    loaded = HFSStudent.from_pretrained(tmp_path / "s")
    assert torch.equal(asked(loaded).vectors, asked(student).vectors)


def test_no_pickle_is_read(saved, monkeypatch):
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a pickle was read")

    torch.save({"x": torch.zeros(1)}, saved / "pytorch_model.bin")
    monkeypatch.setattr(torch, "load", refuse)
    HFSStudent.from_pretrained(saved)


def test_saving_again_replaces_each_file_and_leaves_others_alone(saved):
    (saved / "notes.txt").write_text("mine")
    student = HFSStudent.from_pretrained(saved)
    student.save_pretrained(saved, card="# Another card\n")
    assert (saved / "notes.txt").read_text() == "mine"
    assert (saved / "README.md").read_text() == "# Another card\n"
    assert HFSStudent.from_pretrained(saved).card == "# Another card\n"
    assert not list(saved.parent.glob(".hfs-*"))


def test_the_hub_is_given_what_is_saved(saved, monkeypatch):
    import huggingface_hub

    sent: dict[str, Any] = {}

    class Hub:
        def __init__(self, token: str | None) -> None:
            sent["token"] = token

        def create_repo(self, repo_id: str, **options: Any) -> Any:
            return type("Repo", (), {"repo_id": repo_id})

        def upload_folder(self, *, repo_id: str, folder_path: Path) -> str:
            sent["files"] = sorted(path.name for path in Path(folder_path).iterdir())
            return f"https://hub/{repo_id}"

    monkeypatch.setattr(huggingface_hub, "HfApi", Hub)
    student = HFSStudent.from_pretrained(saved)
    with pytest.raises(UsageError, match=r"base on the hub.*merge\(\)"):
        student.push_to_hub("me/student")
    student.merge()
    assert student.push_to_hub("me/student", token="t") == "https://hub/me/student"
    assert {"README.md", "config.json", "model.safetensors"} <= set(sent["files"])


def test_transformers_own_auto_class_finds_a_student(saved):
    import transformers

    assert isinstance(transformers.AutoModel.from_pretrained(saved), HFSStudent)


def test_state_that_was_gathered_elsewhere_is_what_is_saved(saved):
    student = HFSStudent.from_pretrained(saved)
    state = {name: tensor.clone() for name, tensor in student.state_dict().items()}
    state["query_tokens"] += 1
    student.save_pretrained(saved, state_dict=state)
    again = HFSStudent.from_pretrained(saved)
    assert torch.equal(again.query_tokens, student.query_tokens + 1)


def test_calibration_is_the_same_for_shifted_and_scaled_logits(student):
    queries = asked(student)
    given = scene(queries)
    output = scored(student, queries, given)
    moved = replace(output, frame=3 * output.frame + 7, facet=2 * output.facet - 1)
    for one, other in zip(
        student.scores(output, given["times"]), student.scores(moved, given["times"]), strict=True
    ):
        torch.testing.assert_close(one.relevance, other.relevance, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(one.facets, other.facets, atol=1e-4, rtol=1e-4)
        assert ((one.relevance > 0) & (one.relevance < 1)).all()
