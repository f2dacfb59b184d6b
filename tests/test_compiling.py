"""Layers of the named groups are compiled in place, and nothing else."""

import shutil

import pytest
import torch
from torch import nn

from hfs.errors import UsageError
from hfs.training.compiling import compile_layers
from hfs.training.recipe import Learner


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)

    def forward(self, x):
        return x + self.linear(x).tanh()


class Stacks(Learner):
    def __init__(self):
        super().__init__()
        self.first = nn.ModuleList(Block() for _ in range(2))
        self.second = nn.ModuleList(Block() for _ in range(2))
        self.mixed = nn.ModuleList([Block(), nn.Linear(4, 4)])

    def groups(self):
        return {
            "first": [*self.first.parameters(), *self.mixed.parameters()],
            "second": list(self.second.parameters()),
        }


@pytest.fixture
def learner():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Stacks()


def test_the_layers_of_a_group_are_compiled_and_no_others(learner, monkeypatch):
    monkeypatch.setenv("CXX", "python3")
    compiled = []
    monkeypatch.setattr(nn.Module, "compile", lambda layer, **how: compiled.append((layer, how)))
    names = list(learner.state_dict())
    compile_layers(learner, "first")
    assert [layer for layer, _ in compiled] == list(learner.first)
    compile_layers(learner, "second, first")
    assert {layer for layer, _ in compiled[2:]} == {*learner.first, *learner.second}
    assert all(how == {"dynamic": True} for _, how in compiled)
    assert list(learner.state_dict()) == names


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")  # torch's own
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
def test_a_compiled_layer_gives_what_it_gave_and_learns_the_same(learner):
    x = torch.randn(3, 4, generator=torch.Generator().manual_seed(1))
    (gradient,) = torch.autograd.grad(learner.first[0](x).sum(), learner.first[0].linear.weight)
    before = learner.first[1](x)
    compile_layers(learner, "first")
    with torch.random.fork_rng():  # torch draws while it compiles
        after = learner.first[0](x)
        (again,) = torch.autograd.grad(after.sum(), learner.first[0].linear.weight)
        torch.testing.assert_close(learner.first[1](x), before)
    torch.testing.assert_close(again, gradient)


def test_an_unknown_group_and_a_missing_compiler_are_said(learner, monkeypatch):
    with pytest.raises(UsageError, match="groups among first, second, got third"):
        compile_layers(learner, "first,third")
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(UsageError, match="none named no-such-compiler: install g"):
        compile_layers(learner, "first")
