"""Two processes over gloo compute what one does, and stop together."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

TOY = str(Path(__file__).with_name("toy_recipe.py"))


def launch(out: Path, processes: int, *options: str, recipe: str = TOY) -> list[str]:
    """``hfs train`` in so many processes; what each said on stderr."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "hfs", "train", recipe, "--out", str(out), *options]
    started = []
    for rank in range(processes):
        ranked = {
            "RANK": str(rank),
            "LOCAL_RANK": str(rank),
            "WORLD_SIZE": str(processes),
            "LOCAL_WORLD_SIZE": str(processes),
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(port),
        }
        env = {**os.environ, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
        env |= ranked if processes > 1 else {}
        started.append(subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True))
    said = [process.communicate(timeout=120)[1] for process in started]
    codes = [process.returncode for process in started]
    return [f"{code}: {text}" for code, text in zip(codes, said, strict=True)]


def records(out: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]


def test_two_processes_make_the_steps_that_one_makes(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    options = ("steps=8", "batch=6", "micro=2")
    for out, processes in ((one, 1), (two, 2)):
        said = launch(out, processes, *options)
        assert all(text.startswith("0:") for text in said), said
    for a, b in zip(records(one), records(two), strict=True):
        for figure in ("loss", "error", "gradient"):
            assert a[figure] == pytest.approx(b[figure], abs=1e-6), a
    alone, shared = (load_file(out / "models" / "toy.safetensors") for out in (one, two))
    for name, values in alone.items():
        assert torch.allclose(values, shared[name], atol=1e-6, rtol=0), name


def test_a_run_of_one_process_goes_on_in_two_and_nan_stops_both(tmp_path):
    assert launch(tmp_path, 1, "steps=4", "batch=4")[0].startswith("0:")
    said = launch(tmp_path, 2, "steps=4", "batch=4", "--resume")
    assert all(text.startswith("0:") for text in said), said
    said = launch(tmp_path / "bad", 2, "steps=4", "batch=10", "bad=3")
    assert all(text.startswith("1:") for text in said), said
    assert all("with the examples item-3: look at these" in text for text in said), said
