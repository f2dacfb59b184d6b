"""Two processes over gloo compute what one does, go on from what one did, and stop together."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import checkpoints
import checkpoints_students
import checkpoints_teachers
import cue_clips
import pytest
import torch
from safetensors.torch import load_file

from hfs import recipes
from hfs.training.loop import train

TOY = str(Path(__file__).with_name("toy_recipe.py"))


def launch(out: Path, recipe: str, *options: str) -> list[str]:
    """``hfs train`` in two processes; each one's exit code and what it said on stderr."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "hfs", "train", recipe, "--out", str(out), *options]
    started = []
    for rank in ("0", "1"):
        env = {
            **os.environ,
            "ACCELERATE_USE_CPU": "true",
            "OMP_NUM_THREADS": "1",
            "RANK": rank,
            "LOCAL_RANK": rank,
            "WORLD_SIZE": "2",
            "LOCAL_WORLD_SIZE": "2",
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(port),
        }
        started.append(subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True))
    said = [process.communicate(timeout=300)[1] for process in started]
    codes = [process.returncode for process in started]
    return [f"{code}: {text}" for code, text in zip(codes, said, strict=True)]


def records(out: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]


def assert_alike(one: Path, two: Path, *, tolerance: float) -> None:
    for a, b in zip(records(one), records(two), strict=True):
        numbers = {k for k, v in a.items() if isinstance(v, float)} - {"seconds"}
        for figure in numbers:
            assert a[figure] == pytest.approx(b[figure], abs=tolerance), (figure, a, b)


class Stopped(Exception):
    pass


def test_two_processes_go_on_from_one_and_make_the_steps_that_one_makes(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    options = ["steps=8", "batch=6", "micro=2"]
    recipe = recipes.load(TOY, options)
    train(recipe, one)

    def stopping(phase: str, done: int, total: int) -> None:
        if (phase, done) == ("warm-up", 3):  # the checkpoint of step 2 is there
            raise Stopped

    with pytest.raises(Stopped):
        train(recipe, two, told=stopping)
    said = launch(two, TOY, *options, "--resume")
    assert all(text.startswith("0:") for text in said), said
    assert_alike(one, two, tolerance=1e-6)
    alone, shared = (load_file(out / "models" / "toy.safetensors") for out in (one, two))
    for name, values in alone.items():
        assert torch.allclose(values, shared[name], atol=1e-6, rtol=0), name


def test_a_loss_that_is_no_number_stops_both_processes_with_the_example_named(tmp_path):
    said = launch(tmp_path, TOY, "steps=4", "batch=10", "bad=3")
    assert all(text.startswith("1:") for text in said), said
    assert all("with the examples item-3: look at these" in text for text in said), said


def test_two_processes_train_student_and_teacher_as_one_does(tmp_path):
    for name, make in {
        "slm": checkpoints_students.qwen3,
        "teacher": checkpoints_teachers.qwen3_vl,
        "eyes": checkpoints.siglip,
    }.items():
        (tmp_path / name).mkdir()
        make(tmp_path / name)
    data, videos = cue_clips.clips(tmp_path, count=4)
    backbone = f"siglip(model={str(tmp_path / 'eyes')!r}, device='cpu', dtype='float32')"
    options = [f"data={data}", f"videos={videos}", f"backbone={backbone}", "batch=4", "micro=2"]
    options += [f"{name}={tmp_path / name}" for name in ("slm", "teacher")]
    options += ["warmup=1", "calibrate=1", "steps=2", "rate=1e-3"]
    train(recipes.load("tiny", options), tmp_path / "one")
    said = launch(tmp_path / "two", "tiny", *options)
    assert all(text.startswith("0:") for text in said), said
    assert_alike(tmp_path / "one", tmp_path / "two", tolerance=1e-4)
