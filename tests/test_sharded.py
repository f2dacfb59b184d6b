"""Whole tensors by name leave a model and its optimizer and come back, as of a sharded run."""

import copy
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from hfs.training import sharded


def made(seed: int) -> tuple[nn.Module, torch.optim.Optimizer]:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    return model, torch.optim.AdamW(model.parameters(), lr=0.0)


def step(model: nn.Module, optimizer: torch.optim.Optimizer, count: int) -> None:
    for group in optimizer.param_groups:
        group["lr"] = 0.1
    for i in range(count):
        model(torch.full((2, 3), float(i + 1))).square().sum().backward()
        optimizer.step()
        optimizer.zero_grad()


def test_what_is_kept_of_one_model_makes_another_go_on_alike():
    accelerator = SimpleNamespace(
        distributed_type="FSDP", get_state_dict=lambda model: model.state_dict()
    )
    one, two = made(0), made(1)
    sharded.begin(one[1])
    sharded.begin(two[1])
    step(*one, 3)
    learned = {"0.weight", "0.bias", "1.weight", "1.bias"}
    kept = sharded.parameters(accelerator, one[0], learned)
    state = sharded.moments(accelerator, *one)
    assert set(kept) == set(state) == learned
    assert set(state["0.weight"]) == {"step", "exp_avg", "exp_avg_sq"}
    sharded.restore(accelerator, *two, *copy.deepcopy((kept, state)))  # as read from a file
    step(*one, 2)
    step(*two, 2)
    for a, b in zip(one[0].parameters(), two[0].parameters(), strict=True):
        assert torch.equal(a, b)


def test_beginning_moves_nothing():
    model, optimizer = made(0)
    before = [p.clone() for p in model.parameters()]
    sharded.begin(optimizer)
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
    assert len(optimizer.state) == 4


@pytest.mark.parametrize(
    "name",
    ["a.b", "module.a.b", "_fsdp_wrapped_module.a._fsdp_wrapped_module.b", "_orig_mod.module.a.b"],
)
def test_a_parameter_has_one_name_whatever_wraps_it(name):
    assert sharded.plain_name(name) == "a.b"


def test_only_fsdp_and_deepspeed_shard():
    for kind, expected in (("DistributedType.FSDP", True), ("DEEPSPEED", True), ("NO", False)):
        assert sharded.is_sharded(SimpleNamespace(distributed_type=kind)) is expected
