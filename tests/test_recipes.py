"""The real-scale recipe runs whole at toy width, and says beforehand what it will take."""

import json
from pathlib import Path

import checkpoints
import checkpoints_students
import checkpoints_teachers
import cue_clips
import pytest
import torch
from safetensors import safe_open

from hfs import recipes
from hfs.student import HFSStudent
from hfs.training.costs import PUBLISHED, Plan, Shape, adapters, shape_of
from hfs.training.loop import train


@pytest.fixture(scope="module")
def bench(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("recipes")
    for name, make in {
        "slm": checkpoints_students.qwen3,
        "teacher": checkpoints_teachers.qwen3_vl,
        "eyes": checkpoints.siglip,
    }.items():
        (root / name).mkdir()
        make(root / name)
    cue_clips.clips(root, count=3)
    return root


def options(bench: Path, *more: str) -> list[str]:
    return [
        f"data={bench / 'questions.jsonl'}",
        f"videos={bench / 'videos'}",
        f"slm={bench / 'slm'}",
        f"teacher={bench / 'teacher'}",
        f"backbone=siglip(model={str(bench / 'eyes')!r}, device='cpu', dtype='float32')",
        "width=32",
        "batch=2",
        "candidates=12",
        "thinking=given",
        *more,
    ]


def test_adapters_learn_in_float32_on_frozen_models_in_bfloat16(bench, tmp_path):
    recipe = recipes.load("qwen3_video", options(bench, "calibrate=1", "steps=2"))
    train(recipe, tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line["phase"] for line in lines] == ["calibrate", "mutual", "mutual"]
    assert {"answer", "set", "teacher_to_student", "student_to_teacher"} <= set(lines[-1])
    file = next((tmp_path / "checkpoints").glob("00000003/parameters.safetensors"))
    with safe_open(file, "pt") as opened:
        kept = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    assert {tensor.dtype for tensor in kept.values()} == {torch.float32}
    models = {name.split(".")[0] for name in kept if "lora_" in name}
    assert models == {"student", "teacher"}
    assert not any("embed_tokens" in name for name in kept)
    student = HFSStudent.from_pretrained(tmp_path / "models" / "student")
    assert student.config.base == str(bench / "slm")


def test_a_frozen_teacher_has_no_phase_of_its_own_and_nothing_to_learn(bench, tmp_path):
    recipe = recipes.load("qwen3_video", options(bench, "teacher_rank=0", "steps=1"))
    assert [phase.name for phase in recipe.phases] == ["mutual"]
    train(recipe, tmp_path)
    groups = recipe.build().groups()
    assert set(groups) == {"student", "slm"}


def test_with_a_router_the_student_names_what_chooses(bench, tmp_path):
    recipe = recipes.load("qwen3_video", options(bench, "calibrate=0", "steps=1", "route=2"))
    train(recipe, tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line["phase"] for line in lines] == ["mutual", "route", "route"]
    assert lines[1]["least_error"] <= lines[1]["error"] <= 1
    student = HFSStudent.from_pretrained(tmp_path / "models" / "student")
    assert student.config.selector == "routed"
    assert student.route.out_features == len(student.config.selectors) > 1


def test_the_plan_states_memory_disk_and_time_with_their_reckoning(bench):
    text = recipes.load("qwen3_video", options(bench)[:2]).plan()
    assert "3 questions about 3 videos" in text
    assert "16.33 GiB  2 x 8,767,123,696" in text
    assert "memory of a device" in text
    assert "sampler grid(fps=1.0, limit=128)" in text


def test_a_model_whose_size_is_not_known_is_not_guessed(bench):
    assert "unknown" in recipes.load("qwen3_video", [*options(bench)[:2], "slm=me/mine"]).plan()


def test_parameters_are_counted_from_a_configuration_without_its_weights(bench):
    import transformers

    for name, kind in (
        ("slm", transformers.AutoModelForCausalLM),
        ("teacher", transformers.AutoModelForImageTextToText),
    ):
        found = shape_of(str(bench / name))
        loaded = kind.from_pretrained(bench / name)
        assert found is not None
        assert found.parameters == sum(p.numel() for p in loaded.parameters())
        assert (found.width, found.layers, found.inner) == (32, 2, 48)
    assert shape_of(str(bench / "teacher")).deepstack == 2  # pyright: ignore


def test_the_published_sizes_are_those_of_the_published_configurations():
    import transformers

    config = transformers.Qwen3Config(
        vocab_size=151936,
        hidden_size=1024,
        intermediate_size=3072,
        num_hidden_layers=28,
        num_attention_heads=16,
        num_key_value_heads=8,
        head_dim=128,
        tie_word_embeddings=True,
    )
    with torch.device("meta"):
        made = transformers.AutoModelForCausalLM.from_config(config)
    assert sum(p.numel() for p in made.parameters()) == PUBLISHED["Qwen/Qwen3-0.6B"].parameters


def test_adapters_are_counted_as_peft_makes_them():
    shape = Shape("", 0, width=1024, layers=28, inner=3072)
    # q 1024 -> 2048, k and v 1024 -> 1024, o 2048 -> 1024, as Qwen3-0.6B
    peft = 28 * 16 * ((1024 + 2048) * 2 + (1024 + 1024) * 2 + 3 * (1024 + 3072))
    assert adapters(shape, 16) == pytest.approx(peft, rel=0.2)


def test_costs_grow_as_their_formulas_say():
    shape = Shape("x", 10**9, width=1000, layers=10, inner=4000)
    common = {"slm": shape, "teacher": shape, "learned": 10**6, "candidates": 100, "tokens": 10}
    common |= {"budget": 8, "micro": 1, "steps": 10, "batch": 4, "videos": 7, "questions": 9}
    rows = {
        name: how
        for name, *how in Plan(**common, features=768, checkpointed=True).rows()  # pyright: ignore
    }
    assert rows["weights, x"][0] == "1.86 GiB"
    assert rows["candidates' visual tokens"] == ["0.00 GiB", "1 x 100 x 10 x 2,000 bytes"]
    assert rows["tokens a step"][0] == f"{4 * (8 * 22 + 200 + 500):,}"
    assert shape.activations(10, checkpointed=True) == 2 * 10 * (10 * 1000 + 34_000)
    assert shape.activations(10, checkpointed=False) == 2 * 10 * 10 * 34_000
