"""Two processes over gloo compute what one does, go on from what one did, and stop together."""

import json
import os
import shutil
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
import toy_recipe
from safetensors.torch import load_file

from hfs import recipes
from hfs.errors import FailureError
from hfs.training.batches import Order
from hfs.training.loop import train

TOY = str(Path(__file__).with_name("toy_recipe.py"))
PARAMETERS = "parameters.safetensors"


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
    said = [process.communicate(timeout=900)[1] for process in started]
    codes = [process.returncode for process in started]
    return [f"{code}: {text}" for code, text in zip(codes, said, strict=True)]


def records(out: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]


def assert_alike(one: Path, two: Path, *, tolerance: float) -> None:
    for a, b in zip(records(one), records(two), strict=True):
        numbers = {k for k, v in a.items() if isinstance(v, float)} - {"seconds"}
        for figure in numbers:
            near = pytest.approx(b[figure], abs=tolerance, rel=tolerance)
            assert a[figure] == near, (figure, a, b)


def test_two_processes_go_on_from_one_make_its_steps_and_stop_together_where_it_did(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    bad = Order(toy_recipe.SIZE, 0, 2)(4)[0]  # not met before step 4
    options = ["steps=10", "batch=2", "micro=1", f"bad={bad}"]
    with pytest.raises(FailureError, match="in step 4 "):
        train(recipes.load(TOY, options), one)
    shutil.copytree(one / "checkpoints" / "00000002", two / "checkpoints" / "00000002")
    said = launch(two, TOY, *options, "--resume")
    assert all(text.startswith("1:") for text in said), said
    assert all(f"with the examples item-{bad}: look at these" in text for text in said), said
    whole = records(one)
    (one / "metrics.jsonl").write_text("".join(json.dumps(r) + "\n" for r in whole[2:]))
    assert len(whole) == 4
    assert_alike(one, two, tolerance=1e-6)
    alone, shared = (load_file(run / "checkpoints/00000004" / PARAMETERS) for run in (one, two))
    for name, values in alone.items():
        assert torch.allclose(values, shared[name], atol=1e-6, rtol=0), name


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
    assert_alike(tmp_path / "one", tmp_path / "two", tolerance=1e-6)


def test_two_processes_climb_the_ladder_and_share_what_the_first_writes(tmp_path):
    """transformers saves nothing but in the first process, and both look at the same films."""
    few = {"see": 1, "think": 0, "name": 0, "warm": 0, "widen": 0, "calibrate": 1, "mutual": 1,
           "route": 0, "films": 2, "clips": 2, "pool": 100, "batch": 2, "checked": 1}  # fmt: skip
    options = [f"{name}={value}" for name, value in few.items()]
    said = launch(tmp_path / "run", "world", *options, f"folder={tmp_path / 'films'}")
    assert all(text.startswith("0:") for text in said), said
    assert [r["phase"] for r in records(tmp_path / "run")] == [
        "see", "calibrate", "mutual", "mutual check"
    ]  # fmt: skip
    assert (tmp_path / "run" / "models" / "student" / "backbone" / "model.safetensors").exists()
