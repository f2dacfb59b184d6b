"""Layers of the named groups are compiled in place, and nothing else."""

import pytest
import torch
from torch import nn

from hfs.training.compiling import can_compile, compiled
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


def test_the_layers_of_a_group_are_compiled_while_it_lasts_and_no_others(learner, monkeypatch):
    made = []
    monkeypatch.setattr(torch, "compile", lambda forward, **how: made.append((forward, how)))
    names = list(learner.state_dict())
    with compiled(learner, ("first",)):
        assert [forward.__self__ for forward, _ in made] == list(learner.first)
        assert all(how == {"dynamic": True} for _, how in made)
        assert list(learner.state_dict()) == names
        assert all(layer.forward is None for layer in learner.first)
    assert all("forward" not in vars(layer) for layer in learner.first)
    made.clear()
    with compiled(learner, ("second", "first")):
        assert {forward.__self__ for forward, _ in made} == {*learner.first, *learner.second}
    made.clear()
    with compiled(learner, ()):
        assert not made


def test_layers_are_as_before_after_an_error_too(learner, monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda forward, **_: forward)
    with pytest.raises(KeyError, match="third"), compiled(learner, ("first", "third")):
        pass
    with pytest.raises(ZeroDivisionError), compiled(learner, ("first",)):
        raise ZeroDivisionError
    assert all("forward" not in vars(layer) for layer in learner.first)


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")  # torch's own
@pytest.mark.skipif(not can_compile(), reason="no compiler for a CPU here")
def test_a_compiled_layer_gives_what_it_gave_and_learns_the_same(learner):
    x = torch.randn(3, 4, generator=torch.Generator().manual_seed(1))
    (gradient,) = torch.autograd.grad(learner.first[0](x).sum(), learner.first[0].linear.weight)
    before = learner.first[1](x)
    with compiled(learner, ("first",)), torch.random.fork_rng():  # torch draws while it compiles
        after = learner.first[0](x)
        (again,) = torch.autograd.grad(after.sum(), learner.first[0].linear.weight)
        torch.testing.assert_close(learner.first[1](x), before)
    torch.testing.assert_close(again, gradient)


def test_layers_are_compiled_on_a_cpu_that_has_a_compiler(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setenv("CXX", "python3")
    assert can_compile()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert not can_compile()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert not can_compile()
