"""Groups of parameters -> the repeated layers that hold them, compiled while a phase lasts.

Layers alone: they take the time, and the first one's code serves all like it. What is learned is
the same up to rounding. A small reader's step takes a fifth less on a CPU, after half a minute of
compiling; SigLIP towers gain nothing (docs/log.md), so a phase asks for it group by group.

Only for tasks that go back through their graph once. Importance by gradient does so twice, for
which torch must not reuse a graph's buffers; and where its cache on disk held a layer compiled to
do that, a second gradient was wrong without a word.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import nn

from hfs.training.recipe import Learner


def can_compile() -> bool:
    """Whether the models are on a CPU, which has the C++ compiler that torch.compile needs: g++, or
    CXX names it. On a GPU it was not tried."""
    return not torch.cuda.is_available() and shutil.which(os.environ.get("CXX", "g++")) is not None


@contextmanager
def compiled(learner: Learner, groups: Sequence[str]) -> Iterator[None]:
    """The groups' layers are compiled, each when first called; afterwards all is as before."""
    layers = list(_layers(learner, groups)) if groups else []
    try:
        for layer in layers:
            layer.forward = torch.compile(layer.forward, dynamic=True)
        yield
    finally:
        for layer in layers:
            layer.__dict__.pop("forward", None)


def _layers(learner: Learner, groups: Sequence[str]) -> Iterator[nn.Module]:
    """Members of stacks of layers of one class that hold a parameter of the groups."""
    known = learner.groups()
    wanted = {id(p) for name in groups for p in known[name]}
    for stack in learner.modules():
        if isinstance(stack, nn.ModuleList) and len({type(layer) for layer in stack}) == 1:
            for layer in stack:
                if any(id(p) in wanted for p in layer.parameters()):
                    yield layer
