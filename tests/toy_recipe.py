"""A recipe without models: a small network that learns sums, with noise and answers of any length.

``hfs train tests/toy_recipe.py steps=6`` runs it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn

from hfs.training.recipe import Learner, Moment, Outcome, Phase, Recipe, Run

SIZE = 10


class Toy(Learner):
    """Two small nets, the second of which reads what the first makes."""

    def __init__(self, dropout: float):
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.first = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Dropout(dropout))
            self.second = nn.Linear(8, 1)

    def groups(self) -> Mapping[str, list[nn.Parameter]]:
        return {"first": list(self.first.parameters()), "second": list(self.second.parameters())}

    def save(self, folder: Path, facts: Mapping[str, Any]) -> None:
        folder.mkdir(exist_ok=True)
        save_file(self.state_dict(), folder / "toy.safetensors")


@dataclass(frozen=True)
class Sums:
    """Squared error of the sum of each item's tokens, averaged over its own number of them."""

    noise: float = 0.1

    def __call__(self, models: Any, examples: list[Any], at: Moment) -> Outcome:
        losses = []
        for i, rows in enumerate(examples):
            noise = torch.randn(rows.shape, generator=at.generator(i))
            made = models.second(models.first(rows + self.noise * noise))[:, 0]
            losses.append((made - rows.sum(1)).square().mean())
        loss = torch.stack(losses)
        return Outcome(loss, {"error": loss.detach().sqrt()})


@dataclass(frozen=True)
class Rows:
    """Items of 1 to 5 tokens of 4 numbers; one of them may be no number."""

    bad: int | None

    def __len__(self) -> int:
        return SIZE

    def name(self, index: int) -> str:
        return f"item-{index}"

    def load(self, index: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(index)
        rows = torch.randn(1 + index % 5, 4, generator=generator)
        return rows * torch.nan if index == self.bad else rows


def recipe(
    steps: int = 6,
    batch: int = 4,
    dropout: float = 0.0,
    bad: int | None = None,
    slow: float = 0.0,
    rate: float = 1e-2,
) -> Recipe:
    """Phase one trains the second net, phase two both; ``slow`` seconds pass before each load."""
    import time

    @dataclass(frozen=True)
    class Slow(Rows):
        def load(self, index: int) -> torch.Tensor:
            time.sleep(slow)
            return super().load(index)

    return Recipe(
        name="toy",
        phases=(
            Phase("warm-up", Sums(), steps // 2, batch, {"second": rate}),
            Phase("both", Sums(0.2), steps - steps // 2, batch, {"first": rate, "second": rate}),
        ),
        build=lambda: Toy(dropout),
        data={"train": lambda models, told: Slow(bad)},
        run=Run(every=2),
        plan=lambda: f"{steps} steps of sums",
    )
