"""The method learns: tiny models of real classes find the evidence in films from answers alone."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import checkpoints
import checkpoints_students
import checkpoints_teachers
import cue_clips
import pytest
import torch
from safetensors.torch import load_file

import hfs
from hfs import recipes
from hfs.student import HFSStudent
from hfs.training.items import Item, Items
from hfs.training.judge import chosen, judge
from hfs.training.learner import Pair
from hfs.training.loop import train
from hfs.training.setting import Setting
from hfs.training.store import Store
from hfs.training.teacher import Teacher


@dataclass(frozen=True)
class Bench:
    """Tiny checkpoints, films and questions in one folder."""

    root: Path

    @property
    def options(self) -> list[str]:
        """Of the tiny recipe."""
        backbone = f"siglip(model={str(self.root / 'eyes')!r}, device='cpu', dtype='float32')"
        return [
            f"data={self.root / 'questions.jsonl'}",
            f"videos={self.root / 'videos'}",
            f"slm={self.root / 'slm'}",
            f"teacher={self.root / 'teacher'}",
            f"backbone={backbone}",
            f"store={self.root / 'store'}",
            "batch=5",
        ]

    def run(self, out: Path, *options: str, told: Callable[..., None] | None = None, **how) -> Path:
        return train(recipes.load("tiny", [*self.options, *options]), out, told=told, **how)


@pytest.fixture(scope="module")
def bench(tmp_path_factory) -> Bench:
    root = tmp_path_factory.mktemp("bench")
    made = {
        "slm": checkpoints_students.qwen3,
        "teacher": checkpoints_teachers.qwen3_vl,
        "eyes": checkpoints.siglip,
    }
    for name, make in made.items():
        (root / name).mkdir()
        make(root / name)
    cue_clips.clips(root)
    return Bench(root)


@pytest.fixture(scope="module")
def learned(bench, tmp_path_factory) -> Path:
    """A whole run: warm-up, calibration, mutual learning on one batch of five questions."""
    out = tmp_path_factory.mktemp("learned")
    bench.run(out, "warmup=30", "calibrate=30", "steps=60")
    return out


def records(out: Path) -> list[dict[str, float]]:
    lines = (out / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in lines]


@pytest.fixture(scope="module")
def trained(bench, learned) -> tuple[Pair, Items, list[Item]]:
    """The models as a user loads them from the folders that the run wrote, and the questions."""
    student = HFSStudent.from_pretrained(learned / "models" / "student")
    teacher = Teacher.from_pretrained(
        str(learned / "models" / "teacher"), device="cpu", dtype="float32"
    )
    setting = Setting(
        data=bench.root / "questions.jsonl",
        videos=bench.root / "videos",
        store=bench.root / "store",
        slm="",
        teacher="",
        backbone=student.config.backbone,
        sampler=student.config.sampler,
    )
    eyes = setting._maker(None).eyes
    items = Items.of(setting.questions.examples, Store(setting.store), student, eyes)
    return Pair(student, teacher), items, [items.load(i) for i in range(len(items))]


def test_one_batch_is_learned_to_a_loss_near_0(learned):
    found = records(learned)
    assert found[0]["correct"] < 0.5
    assert found[0]["answer"] > 1.5
    assert found[-1]["correct"] == 1.0
    assert found[-1]["answer"] < 0.2
    assert found[-1]["teacher_to_student"] < 0.2


def test_the_frames_that_hold_the_answer_are_chosen_though_no_label_named_them(trained):
    models, _, items = trained
    for budget in (1, 2):
        for pick, item in zip(chosen(models.student, items, budget=budget), items, strict=True):
            _, second = cue_clips.cue(int(item.example.id.removeprefix("q")))
            if second is not None:
                seconds = item.seen.features.times[pick].round().long().tolist()
                assert second in seconds, (item.example.id, budget)


def test_the_saved_models_answer_from_two_frames_as_the_training_ones_did(trained):
    models, items, _ = trained
    figures = judge(models, items, budgets=(2,))
    assert figures["accuracy 2"] == 1.0
    assert figures["answer 2"] < 0.2


def test_a_user_who_selects_with_the_saved_student_gets_the_frames_that_training_chose(
    bench, learned, trained
):
    models, items, _ = trained
    written = Items.of(
        items.examples, items.store, models.student, items.backbone, thinking="written"
    )
    student = f"model={str(learned / 'models' / 'student')!r}"
    exact = f"{student}, device='cpu', dtype='float32'"
    spec = f"trained({student}, encoder=implicit({exact}), scorers=[student({exact})])"
    for i in range(len(written)):
        item = written.load(i)
        found = hfs.select(
            item.example.path,
            item.example.question,
            options=item.example.options,
            budget=3,
            pipeline=spec,
            cache=None,
        )
        (picks,) = chosen(models.student, [item], budget=3)
        assert found.times == item.seen.features.times[picks].tolist()


def test_the_saved_student_names_its_recipe_data_and_figures(learned):
    card = (learned / "models" / "student" / "README.md").read_text(encoding="utf-8")
    assert "tiny(data=" in card
    assert "questions.jsonl" in card
    assert "mutual teacher_to_student" in card


class Stopped(Exception):
    pass


def test_a_run_of_real_models_stopped_and_resumed_is_the_run_that_was_not(bench, tmp_path):
    options = ("warmup=1", "calibrate=1", "steps=3", "every=1")
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    bench.run(whole, *options)

    def stopping(phase: str, done: int, total: int) -> None:
        if (phase, done) == ("mutual", 2):
            raise Stopped

    with pytest.raises(Stopped):
        bench.run(cut, *options, told=stopping)
    bench.run(cut, *options, resume=True)
    assert records(whole) == records(cut)
    for name in ("student", "teacher"):
        a, b = (load_file(run / "models" / name / "model.safetensors") for run in (whole, cut))
        assert all(torch.equal(a[key], b[key]) for key in a)


def test_a_process_killed_at_any_moment_goes_on_to_the_same_losses(tmp_path):
    toy = str(Path(__file__).with_name("toy_recipe.py"))
    options = ["steps=20", "slow=0.02", "every=3", "dropout=0.5"]
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    train(recipes.load(toy, options), whole)
    command = [sys.executable, "-m", "hfs", "train", toy, *options, "--out", str(cut), "-q"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while not (cut / "checkpoints" / "00000006").is_dir():
            assert process.poll() is None
            time.sleep(0.01)
        time.sleep(0.07)
        os.kill(process.pid, signal.SIGKILL)
    assert not (cut / "models").exists()
    train(recipes.load(toy, options), cut, resume=True)
    assert records(whole) == records(cut)
    a, b = (load_file(run / "models" / "toy.safetensors") for run in (whole, cut))
    assert all(torch.equal(a[key], b[key]) for key in a)
