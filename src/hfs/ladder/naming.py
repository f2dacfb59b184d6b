"""Frames -> a reader that can name what it sees: captions written token by token.

The reader begins with a tower that has learned to see and a language model that knows nothing. Here
tower, connector and language model learn to say all that is true of one frame, as multimodal models
are aligned before they are asked anything, and to find that frame among others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from hfs.ladder.pool import Pool, scaled
from hfs.ladder.seeing import Sight
from hfs.training.recipe import Moment, Outcome
from hfs.training.visual_tokens import VisualTokens
from hfs.world.captions import Facts

ASKED = "What does the frame show?"
RIDGE = 1e-3
"""Of the regression, as a share of the mean variance."""
CUES = ("colour", "shape", "digit", "letter", "word", "event")


@dataclass(frozen=True)
class Naming:
    """The reader learns to describe one frame among up to ``shown``.

    A frame is shown alone or with others of the batch, and is asked for by facts that it alone has.
    """

    shown: int = 6

    def __call__(self, models: Any, items: list[Sight], at: Moment) -> Outcome:
        teacher = models.teacher
        pixels = torch.stack([item.pixels for item in items])
        tokens = _tokens(teacher.model.model, scaled(pixels).to(teacher.device))
        visual, questions = [], []
        for i in range(len(items)):
            rng = np.random.default_rng(at.generator(i).initial_seed())
            count = min(int(rng.integers(1, self.shown + 1)), len(items))
            order = rng.permutation(count)
            group = ((i + order) % len(items)).tolist()
            visual.append(VisualTokens(tokens[torch.tensor(group, device=tokens.device)]))
            known = [items[j].facts for j in group]
            questions.append(f"What does the {asked(known, int(order.argmin()), rng)} show?")
        read = teacher(
            visual,
            [torch.arange(len(each.tokens)) for each in visual],
            [[0.0] * len(each.tokens) for each in visual],
            questions,
            [()] * len(items),
            [described(item.facts) for item in items],
        )
        return Outcome(read.ce, {"answer": read.ce.detach(), "correct": read.correct.float()})


def _tokens(model: Any, pixels: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n t d"]:
    return model.connector(model.vision_model(pixel_values=pixels).last_hidden_state)


@torch.no_grad()
def align(models: Any, pool: Pool, *, frames: int = 8000, batch: int = 256) -> None:
    """Begin with a connector that says in the reader's own words what is true of a frame.

    Ridge regression of the sum of the words' embeddings on the tower's patches, in closed form.
    From a random start, what makes up little of the tower's variance stays unread: letters were 2 %
    of it, digits 19 %, and after 2,500 steps only digits could be named.
    """
    model, tokenizer = models.reader.model, models.tokenizer
    embed = model.get_input_embeddings().weight
    inputs: list[Tensor] = []
    keep = model.connector.modality_projection.register_forward_pre_hook(
        lambda _, given: inputs.append(given[0][:, 0].float())
    )
    try:
        for part in pool.pixels[:frames].split(batch):
            _tokens(model, scaled(part).to(embed.device))
    finally:
        keep.remove()
    x = torch.cat(inputs)
    ids = tokenizer([f" {described(facts)}" for facts in pool.facts[:frames]]).input_ids
    idle = set.intersection(*map(set, ids))  # the commas
    y = torch.stack([embed[[t for t in row if t not in idle]].sum(0) for row in ids])
    x, y = x - x.mean(0), (y - y.mean(0)) / y.std()
    gram = x.T @ x
    ridge = RIDGE * gram.diagonal().mean() * torch.eye(len(gram), device=gram.device)
    projection = model.connector.modality_projection.proj
    projection.weight.copy_(torch.linalg.solve(gram + ridge, x.T @ y).T)


def asked(frames: Sequence[Facts], at: int, rng: np.random.Generator) -> str:
    """Words for a frame that are true of no other: a fact, or as many as it takes.

    Frames that show the same in everything are asked for by all of it, and are answered alike.
    """
    others = [frame for i, frame in enumerate(frames) if i != at]
    if not others:
        return "frame"
    known = {kind: value for kind, value in frames[at] if value}
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
