"""Frames -> a reader that can name what it sees: captions written token by token.

The reader's towers have learned to see and its language model to do nothing. Here the connector
and the language model learn to say all that is true of one frame, as multimodal models are aligned
before they are asked anything, and to find that frame among others; the tower stays as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from hfs.ladder.pool import Pool, scaled
from hfs.training.recipe import Moment, Outcome
from hfs.training.visual_tokens import VisualTokens
from hfs.world.captions import Facts

ASKED = "What does the {} show?"
SHOWN = 6
"""Most frames at once."""
CUES = ("colour", "shape", "digit", "letter", "word", "event")


@dataclass(frozen=True)
class Named:
    """One frame as the tower sees it, and what it shows."""

    patches: Float[Tensor, "p d"]
    facts: Facts


@dataclass(frozen=True)
class Names:
    """A `Source` of named frames."""

    patches: Float[Tensor, "n p d"]
    facts: tuple[Facts, ...]

    def __len__(self) -> int:
        return len(self.facts)

    def name(self, index: int) -> str:
        return f"frame {index}"

    def load(self, index: int) -> Named:
        return Named(self.patches[index], self.facts[index])


@dataclass(frozen=True)
class Naming:
    """The connector and the language model learn to describe one frame among up to `SHOWN`.

    A frame is shown alone or with others of the batch, and is asked for by facts that it alone has.
    """

    def __call__(self, models: Any, items: list[Named], at: Moment) -> Outcome:
        teacher = models.teacher
        tokens = teacher.model.model.connector(
            torch.stack([item.patches for item in items]).to(teacher.device)
        )
        visual, questions = [], []
        for i, item in enumerate(items):
            rng = np.random.default_rng(at.generator(i).initial_seed())
            count = min(int(rng.integers(1, SHOWN + 1)), len(items))
            group = (i + rng.permutation(count)) % len(items)
            others = [items[j].facts for j in group.tolist() if j != i]
            visual.append(VisualTokens(tokens[torch.from_numpy(group).to(tokens.device)]))
            questions.append(ASKED.format(asked(item.facts, others, rng)))
        read = teacher(
            visual,
            [torch.arange(len(each.tokens)) for each in visual],
            [[0.0] * len(each.tokens) for each in visual],
            questions,
            [()] * len(items),
            [described(item.facts) for item in items],
        )
        return Outcome(read.ce, {"answer": read.ce.detach(), "correct": read.correct.float()})


def asked(frame: Facts, others: Sequence[Facts], rng: np.random.Generator) -> str:
    """Words for a frame that are true of no other: a fact, or as many as it takes.

    Frames that show the same in everything are asked for by all of it, and are answered alike.
    """
    if not others:
        return "frame"
    known = {kind: value for kind, value in frame if value}
    said: list[tuple[str, str]] = []
    cues = [CUES[i] for i in rng.permutation(len(CUES)).tolist() if CUES[i] in known]
    for kind in cues:
        said.append((kind, known[kind]))
        if not any(set(said) <= other for other in others):
            break
    values = " ".join(value for kind in CUES for name, value in said if name == kind)
    return f"frame with the {values}"


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
    return Names(torch.cat(seen), pool.facts)
