"""Step of how many -> learning rate, temperature, noise, budget and loss weights at that step.

Pure functions, without state: a run that is resumed at a step has the settings that it would have
had. A step counts from 0; the last one, ``total - 1``, has the last value.

The defaults are those that learned best in a study at feature level (soft greedy with tau .2 -> .1
and noise 1 -> .5, budgets 4 and 8 in turn where the encoder's similarity is a prior in the scores,
32 -> 16 -> 8 and 4 where it is not; one-cycle learning rate of 10 % warm-up).
"""

import math
from dataclasses import dataclass, fields
from typing import Literal

from hfs.errors import UsageError
from hfs.training.losses import LossWeights

Shape = Literal["one_cycle", "cosine", "constant"]


DEFAULT_WEIGHTS = LossWeights()


@dataclass(frozen=True)
class Stage:
    """A share of the steps during which these budgets take turns."""

    share: float
    budgets: tuple[int, ...]


STEADY = (Stage(1.0, (4, 8)),)
"""For a student that starts from the encoder's similarity."""
CURRICULUM = (Stage(0.25, (32,)), Stage(0.25, (16,)), Stage(0.5, (8, 4)))
"""For one that starts from nothing: while many frames are shown, some are evidence."""


@dataclass(frozen=True)
class Settings:
    """What holds at one step."""

    tau: float
    """Temperature of the relaxation."""
    noise: float
    """Weight of its Gumbel noise."""
    budget: int
    """Frames shown to the teacher."""
    lr_factor: float
    """Share of each group's highest learning rate, in [0, 1]."""
    weights: LossWeights


@dataclass(frozen=True)
class Schedule:
    """All that changes in time, as fractions of a training of any length."""

    tau: tuple[float, float] = (0.2, 0.1)
    """First and last, geometric between."""
    noise: tuple[float, float] = (1.0, 0.5)
    """First and last, linear between."""
    budgets: tuple[Stage, ...] = STEADY
    lr: Shape = "one_cycle"
    warmup: float = 0.1
    """Share of the steps in which the learning rate rises."""
    weights: LossWeights = DEFAULT_WEIGHTS
    first_weights: LossWeights | None = None
    """Weights at step 0, if others; they change linearly to ``weights``."""
    ramp: float = 0.2
    """Share of the steps over which they do."""

    def __post_init__(self) -> None:
        rules = {
            "tau: both above 0": min(self.tau) > 0,
            "noise: both 0 or more": min(self.noise) >= 0,
            "warmup: in [0, 1)": 0 <= self.warmup < 1,
            "ramp: in [0, 1]": 0 <= self.ramp <= 1,
            "budgets: shares above 0 that sum to 1": (
                min((s.share for s in self.budgets), default=0) > 0
                and math.isclose(sum(s.share for s in self.budgets), 1, abs_tol=1e-6)
            ),
            "budgets: whole numbers of at least 1": all(
                s.budgets and min(s.budgets) >= 1 for s in self.budgets
            ),
        }
        if broken := [rule for rule, kept in rules.items() if not kept]:
            raise UsageError(f"expected a schedule that keeps the rule {broken[0]!r}, got {self}")

    def at(self, step: int, total: int) -> Settings:
        """The settings of one of ``total`` steps."""
        return Settings(
            tau=geometric(step, total, *self.tau),
            noise=linear(step, total, *self.noise),
            budget=budget(step, total, self.budgets),
            lr_factor=learning_rate(step, total, shape=self.lr, warmup=self.warmup),
            weights=_mixed(
                self.first_weights or self.weights,
                self.weights,
                min(1.0, progress(step, total) / self.ramp) if self.ramp else 1.0,
            ),
        )


def progress(step: int, total: int) -> float:
    """0 at the first step, 1 at the last and after it."""
    return min(max(step, 0) / max(total - 1, 1), 1.0)


def linear(step: int, total: int, first: float, last: float) -> float:
    """From first to last by equal differences."""
    return first + (last - first) * progress(step, total)


def geometric(step: int, total: int, first: float, last: float) -> float:
    """From first to last by equal ratios; both above 0."""
    return first * (last / first) ** progress(step, total)


def budget(step: int, total: int, stages: tuple[Stage, ...] = STEADY) -> int:
    """The budget at a step: that of its stage, whose budgets take turns step by step."""
    done, end = min(max(step, 0), max(total - 1, 0)), 0.0
    for stage in stages:
        end += stage.share
        if done < round(end * total):
            return stage.budgets[step % len(stage.budgets)]
    return stages[-1].budgets[step % len(stages[-1].budgets)]


def learning_rate(
    step: int, total: int, *, shape: Shape = "one_cycle", warmup: float = 0.1, floor: float = 0.0
) -> float:
    """The share of the highest learning rate at a step.

    ``cosine`` rises linearly, so that even step 0 learns, and falls to ``floor`` by half a cosine.
    ``one_cycle`` rises from 1/25 by half a cosine and falls by another one (Smith and Topin 2018,
    arXiv 1708.07120, in the form of torch's OneCycleLR, cosine annealing, two phases). ``constant``
    only rises. A training of a single step makes it at the highest rate.
    """
    if total <= 1:
        return 1.0
    rise = warmup * total
    if shape == "one_cycle":
        top = rise - 1
        if step < top:
            return _between(1 / 25, 1.0, step / top)
        return _between(1.0, max(floor, 1 / 25e4), _share(step - top, total - 1 - top))
    if step + 1 < rise:
        return (step + 1) / rise
    if shape == "constant":
        return 1.0
    return _between(1.0, floor, _share(step + 1 - rise, total - rise))


def _between(first: float, last: float, share: float) -> float:
    """From first to last by half a cosine."""
    return last + (first - last) * (1 + math.cos(math.pi * share)) / 2


def _share(part: float, whole: float) -> float:
    return min(max(part / whole, 0.0), 1.0) if whole > 0 else 1.0


def _mixed(first: LossWeights, last: LossWeights, share: float) -> LossWeights:
    names = [field.name for field in fields(LossWeights)]
    return LossWeights(
        **{name: (1 - share) * getattr(first, name) + share * getattr(last, name) for name in names}
    )
