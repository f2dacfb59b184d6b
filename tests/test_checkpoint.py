"""A checkpoint is whole or not there, and what is damaged is passed over."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from hfs.errors import FailureError, OutputError
from hfs.training.checkpoint import Checkpoint, Checkpoints, flatten, unflatten


def made(step: int) -> Checkpoint:
    values = torch.full((2, 3), float(step))
    return Checkpoint({"step": step}, {"a.b": values}, {"a.b/exp_avg": values.bfloat16()})


def test_what_is_saved_is_found_again_exactly(tmp_path):
    kept = Checkpoints(tmp_path / "checkpoints")
    assert kept.newest() is None
    kept.save(7, made(7))
    found = kept.newest()
    assert found is not None
    assert found.record == {"step": 7}
    assert torch.equal(found.parameters["a.b"], torch.full((2, 3), 7.0))
    assert found.optimizer["a.b/exp_avg"].dtype == torch.bfloat16
    modes = {file.stat().st_mode for file in (tmp_path / "checkpoints" / "00000007").iterdir()}
    assert len(modes) == 1, "whoever may read one file may read all"


def test_only_the_newest_are_kept_and_no_scraps_remain(tmp_path):
    kept = Checkpoints(tmp_path, keep=2)
    for step in (1, 2, 10, 11, 10):
        kept.save(step, made(step))
    assert kept.steps() == [10, 11]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["00000010", "00000011"]


@pytest.mark.parametrize("damage", ["cut", "gone", "changed", "state"])
def test_a_damaged_one_is_passed_over_with_a_warning(tmp_path, caplog, damage):
    kept = Checkpoints(tmp_path)
    kept.save(1, made(1))
    kept.save(2, made(2))
    file = tmp_path / "00000002" / ("state.json" if damage == "state" else "optimizer.safetensors")
    content = file.read_bytes()
    match damage:
        case "cut" | "state":
            file.write_bytes(content[:-3])
        case "gone":
            file.unlink()
        case "changed":
            file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    found = kept.newest()
    assert found is not None
    assert found.record["step"] == 1
    assert "00000002 is damaged" in caplog.text


def test_a_checkpoint_of_another_version_is_not_taken_for_damage(tmp_path):
    kept = Checkpoints(tmp_path)
    kept.save(1, made(1))
    state = tmp_path / "00000001" / "state.json"
    state.write_text(state.read_text().replace('"version": 1', '"version": 9'))
    with pytest.raises(FailureError, match="of version 1, got 9"):
        kept.newest()


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"file/00000001, got .*the last checkpoint is whole"):
        Checkpoints(tmp_path / "file").save(1, made(1))


def test_an_optimizers_state_goes_flat_and_back():
    state = {"a/b.c": {"step": torch.tensor(3.0), "exp_avg": torch.ones(2)}, "d": {"step": 4}}
    back = unflatten(flatten(state))
    assert set(back) == {"a/b.c", "d"}
    assert float(back["d"]["step"]) == 4
    assert torch.equal(back["a/b.c"]["exp_avg"], torch.ones(2))


WRITER = """
import sys, torch
from pathlib import Path
from hfs.training.checkpoint import Checkpoint, Checkpoints
kept = Checkpoints(Path(sys.argv[1]))
for step in range(1, 100000):
    values = torch.full((50_000,), float(step))
    kept.save(step, Checkpoint({"step": step}, {"a": values}, {"a/exp_avg": values}))
    print(step, flush=True)
"""


def test_a_writer_killed_at_any_moment_leaves_a_whole_checkpoint(tmp_path):
    for delay in (0.0, 0.0031, 0.0073):
        root = tmp_path / str(delay)
        command = [sys.executable, "-c", WRITER, str(root)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            said = [process.stdout.readline() for _ in range(3)]
            time.sleep(delay)
            os.kill(process.pid, signal.SIGKILL)
        found = Checkpoints(root).newest()
        assert found is not None
        step = found.record["step"]
        assert step >= int(said[-1])
        assert torch.equal(found.parameters["a"], torch.full((50_000,), float(step)))
        left = [p for p in Path(root).iterdir() if not p.name.startswith(".")]
        assert all(torch.isfinite(torch.tensor(float(p.name))) for p in left)
