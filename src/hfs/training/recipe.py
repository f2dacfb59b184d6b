"""What a training run is made of, as plain values: phases, models, data and the run's settings.

A recipe is a Python function ``recipe(**options) -> Recipe``; building one is cheap, and nothing is
loaded before ``build`` is called. A phase has a task, a frozen dataclass whose fields are the
ingredients of its loss (`hfs.training.step`), so that an ablation is one field of one phase.
"""

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from hfs.errors import UsageError
from hfs.training.schedules import Schedule, Settings

Told = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and of how much."""


class Outcome(NamedTuple):
    """What a task makes of a few examples; every example counts the same in the step's loss."""

    loss: Float[Tensor, "b"]
    """One number an example, with its gradient."""
    parts: dict[str, Float[Tensor, "b"]]
    """What to log, one number an example, without gradient; the same names in every call."""


@runtime_checkable
class Source(Protocol):
    """The examples of a phase; ``load`` is called ahead of need, in a thread.

    One that has ``lengths`` too, a number for each, gets batches of examples that are about as long
    (`hfs.training.batches`).
    """

    def __len__(self) -> int: ...

    def name(self, index: int) -> str:
        """What an error calls the example."""
        ...

    def load(self, index: int) -> Any:
        """The example with all that its task needs, on the CPU; the same whenever it is called."""
        ...


@dataclass(frozen=True)
class Moment:
    """Where in a phase some examples are looked at: all that a task's randomness depends on."""

    phase: "Phase"
    step: int
    """Optimizer steps of the phase done before."""
    seed: int
    places: tuple[int, ...]
    """Of these examples in the step's batch, whichever process holds them."""

    @property
    def settings(self) -> Settings:
        """What the phase's schedule says for this step."""
        return self.phase.schedule.at(self.step, self.phase.steps)

    def generator(self, i: int, device: str | torch.device = "cpu") -> torch.Generator:
        """Randomness of the i-th of these examples, whatever the number of processes."""
        mixed = mix(self.seed, self.phase.name, self.step, self.places[i])
        return torch.Generator(device).manual_seed(mixed)


@runtime_checkable
class Task(Protocol):
    """What one phase does with examples and models: a frozen dataclass of its ingredients."""

    def __call__(self, models: Any, examples: list[Any], at: Moment, /) -> Outcome: ...


@dataclass(frozen=True)
class Phase:
    """So many steps of one task on one kind of data."""

    name: str
    """Unique in its recipe."""
    task: Task
    steps: int
    batch: int = 8
    """Examples a step, over all processes and accumulated micro batches."""
    rates: Mapping[str, float] = field(default_factory=dict)
    """Learning rate at its height by group of parameters (`Learner.groups`); others are frozen."""
    schedule: Schedule = field(default_factory=Schedule)
    """All that changes with the phase's steps."""
    data: str = "train"
    """Which of the recipe's sources."""
    check: Callable[[Any], Mapping[str, float]] | None = None
    """Judges the models when the phase is over; its figures are logged. It may raise FailureError
    where going on would be in vain."""
    compiled: tuple[str, ...] = ()
    """Groups whose layers are compiled for this phase (`hfs.training.compiling`); only for a task
    that goes back through its graph once."""

    def __post_init__(self) -> None:
        if self.steps < 0 or self.batch < 1:
            raise UsageError(
                f"expected a phase of 0 or more steps and a batch of 1 or more, got "
                f"{self.steps} and {self.batch} in {self.name!r}"
            )


class Learner(nn.Module):
    """The models of a run as one module, so that accelerate can wrap, shard and reduce them.

    A subclass holds the models and says which parameters are learned.
    """

    def groups(self) -> Mapping[str, list[nn.Parameter]]:
        """The parameters that may learn, by name of the group; every other one is frozen."""
        raise NotImplementedError

    def save(self, folder: Path, facts: Mapping[str, Any]) -> None:
        """Write what a user of the trained models loads; ``facts`` are for the model card."""
        raise NotImplementedError

    def forward(self, examples: list[Any], at: Moment) -> Outcome:
        return at.phase.task(self, examples, at)


@dataclass(frozen=True)
class Run:
    """Settings that every recipe has; ``hfs train RECIPE name=value`` takes them all."""

    seed: int = 0
    micro: int = 8
    """Examples at once in one process; the batch is accumulated from them."""
    precision: str = "no"
    """Of the arithmetic: ``no`` for float32, or ``bf16`` where it is safe (autocast)."""
    clip: float = 1.0
    """Largest norm of the gradient."""
    decay: float = 0.01
    """Weight decay of AdamW, on matrices only."""
    every: int = 100
    """Steps between checkpoints; one is made at the end of each phase too."""
    keep: int = 2
    """Checkpoints kept, the newest ones."""
    log_with: str | None = None
    """``tensorboard``, ``trackio`` or ``wandb``, beside metrics.jsonl, which is always written."""

    def __post_init__(self) -> None:
        whole = {"micro": self.micro, "every": self.every, "keep": self.keep}
        for name, value in whole.items():
            if value < 1:
                raise UsageError(f"expected {name} of at least 1, got {value}")
        if self.precision not in ("no", "bf16"):
            raise UsageError(f"expected a precision of no or bf16, got {self.precision!r}")
        if not (math.isfinite(self.clip) and self.clip > 0):
            raise UsageError(f"expected clip, the largest gradient norm, above 0, got {self.clip}")


@dataclass(frozen=True)
class Recipe:
    """A whole training run, not yet begun."""

    name: str
    phases: tuple[Phase, ...]
    build: Callable[[], Learner]
    """Makes the models on the CPU, the same ones each time."""
    data: Mapping[str, Callable[[Any, Told], Source]]
    """Opens a source, given the learner, when a phase that names it begins. The main process does
    so first, so that what it computes and keeps (features, thoughts) the others find."""
    run: Run = Run()
    plan: Callable[[], str] = lambda: ""
    """What the run will do and cost, printed before anything heavy happens."""
    spec: str = ""
    """Name and options as given: what a checkpoint is resumed by."""

    def __post_init__(self) -> None:
        names = [phase.name for phase in self.phases]
        if len(set(names)) < len(names):
            raise UsageError(f"expected phases of different names, got {', '.join(names)}")
        if lacking := {phase.data for phase in self.phases} - set(self.data):
            raise UsageError(
                f"expected data named {', '.join(sorted(lacking))}, got {', '.join(self.data)}"
            )


def mix(*parts: int | str) -> int:
    """A seed in [0, 2^63) that depends on all the parts, equal on every machine."""
    text = "\0".join(f"{type(part).__name__}:{part}" for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
