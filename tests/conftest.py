"""What every test shares: checked shapes, a quiet machine, the real files where present."""

import functools
import os
import sys
from collections.abc import Callable
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"  # before any import of the hub's client: tests use no network

import hypothesis
import torch
from jaxtyping import install_import_hook

sys.path.insert(0, str(Path(__file__).parent))  # tests import their own render.py
install_import_hook("hfs", "beartype.beartype")

import pytest  # noqa: E402 (after the hook)

SHARED = Path(__file__).parents[2] / "shared"
torch.set_num_threads(1)
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")  # a loaded machine is no failure


@pytest.fixture(autouse=True)
def no_rng_leak():
    """A test that draws from the global generator would make its neighbours depend on order."""
    before = torch.get_rng_state()
    yield
    assert torch.equal(before, torch.get_rng_state()), "a global random generator was used"


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    """No test reads or fills the user's cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real videos and annotations beside the checkout, or a skip that says they are not there."""
    if not SHARED.is_dir():
        pytest.skip(f"the folder of real files, {SHARED.name}/, is not beside the checkout")
    return SHARED


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory) -> Callable[[str], Path]:
    """The folder of a tiny random checkpoint by its name in checkpoints*.py, made once."""
    import checkpoints
    import checkpoints_teachers

    def made(name: str) -> Path:
        home = checkpoints if hasattr(checkpoints, name) else checkpoints_teachers
        return getattr(home, name)(tmp_path_factory.mktemp(name))

    return functools.cache(made)
