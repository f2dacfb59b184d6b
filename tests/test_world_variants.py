"""The study's variants begin with a teacher that has not met a student."""

from importlib import util
from pathlib import Path

import pytest
import torch

from hfs.training.checkpoint import Checkpoint, Checkpoints

RECIPES = Path(__file__).parent.parent / "recipes"


@pytest.fixture
def variants(monkeypatch):
    monkeypatch.syspath_prepend(str(RECIPES))
    spec = util.spec_from_file_location("world_variants", RECIPES / "world_variants.py")
    assert spec is not None
    assert spec.loader is not None
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(place: Path, *learned: str) -> Path:
    """A run's folder whose optimizer has moments of these parameters."""
    moments = {f"{name}/exp_avg": torch.zeros(1) for name in learned}
    record = {"step": 1, "recipe": "world()", "seed": 0}
    Checkpoints(place / "checkpoints").save(1, Checkpoint(record, {}, moments))
    return place


def test_a_base_ends_before_its_last_rung(variants, tmp_path):
    calibrated = run(tmp_path / "base", "teacher.model.lm_head.weight", "student.slm.norm.weight")
    assert variants.untaught(calibrated) == calibrated
    climbed = run(tmp_path / "run", "teacher.model.lm_head.weight", "student.network.beta")
    with pytest.raises(SystemExit, match=r"end before its last rung, got .*mutual=0"):
        variants.untaught(climbed)
    with pytest.raises(SystemExit, match="expected a run with a checkpoint"):
        variants.untaught(tmp_path / "nothing")


def test_labels_need_the_run_that_makes_them(variants, tmp_path):
    with pytest.raises(SystemExit, match="--with early_labels=RUN"):
        variants.options("early_labels", tmp_path, {})
    made = variants.options("early_labels", Path("b"), {"early_labels": "e"})
    assert made == ["labeller=e", "base=b", "labels=all"]
