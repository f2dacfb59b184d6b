"""A student is saved as what it is, and a folder that is not whole is refused."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

pytest.importorskip("transformers")
pytest.importorskip("peft")

import checkpoints_students as students
from asked_students import LORA, OPTIONS, QUESTIONS, asked, scene, scored, shaken
from safetensors.torch import load_file, save_file

from hfs.errors import UsageError, WeightsError
from hfs.student import HFSStudent


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Path:
    return students.qwen3(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module", params=["adapters", "full"])
def student(request, base) -> HFSStudent:
    lora = LORA if request.param == "adapters" else None
    made = HFSStudent.create(str(base), lora=lora, text_width=5, **students.NARROW)
    return shaken(made)


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
    with pytest.raises(UsageError, match="push_to_hub"):
        student.save_pretrained(saved, push_to_hub=True)
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
