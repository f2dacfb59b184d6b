"""Single frames -> a reader that can name what it sees: captions written token by token.

The reader's towers have learned to see and its language model to do nothing. Here the connector
and the language model learn to say all that is true of one frame, as multimodal models are aligned
before they are asked anything; the tower stays as it is.
"""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from hfs.ladder.pool import Pool, scaled
from hfs.training.recipe import Moment, Outcome
from hfs.training.visual_tokens import VisualTokens
from hfs.world.captions import Facts

NAMING = "What does the frame show?"


@dataclass(frozen=True)
class Named:
    """One frame as the tower sees it, and what it shows in words."""

    patches: Float[Tensor, "p d"]
    text: str


@dataclass(frozen=True)
class Names:
    """A `Source` of named frames."""

    patches: Float[Tensor, "n p d"]
    texts: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.texts)

    def name(self, index: int) -> str:
        return f"frame {index}"

    def load(self, index: int) -> Named:
        return Named(self.patches[index], self.texts[index])


@dataclass(frozen=True)
class Naming:
    """The connector and the language model learn to describe one frame."""

    def __call__(self, models: Any, items: list[Named], at: Moment) -> Outcome:
        teacher = models.teacher
        patches = torch.stack([item.patches for item in items]).to(teacher.device)
        tokens = teacher.model.model.connector(patches)
        read = teacher(
            [VisualTokens(row[None]) for row in tokens],
            [torch.zeros(1, dtype=torch.long)] * len(items),
            [[0.0]] * len(items),
            [NAMING] * len(items),
            [()] * len(items),
            [item.text for item in items],
        )
        return Outcome(read.ce, {"answer": read.ce.detach(), "correct": read.correct.float()})


def described(facts: Facts) -> str:
    """All facts of a frame in one line."""
    known = {kind: value for kind, value in facts if value}
    first = f"{known['colour']} {known['shape']}, {known['ground']}"
    rest = [f"{kind} {known[kind]}" for kind in ("digit", "letter", "word") if kind in known]
    return ", ".join([first, *rest, *([known["event"]] if "event" in known else [])])


@torch.no_grad()
def names(models: Any, pool: Pool, *, batch: int = 256) -> Names:
    """A pool's frames as the reader's own tower sees them."""
    tower = models.reader.model.vision_model
    seen = [
        tower(pixel_values=scaled(part).to(models.teacher.device)).last_hidden_state.cpu()
        for part in pool.pixels.split(batch)
    ]
    return Names(torch.cat(seen), tuple(described(facts) for facts in pool.facts))
