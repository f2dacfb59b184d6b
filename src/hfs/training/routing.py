"""Questions that are answered from several selectors' choices -> a student that knows which to ask.

No one set function serves every question: one that asks what most of a video shows wants frames
from all over it, one that counts things wants frames that differ, and one that looks for several
things wants a frame of each. All of the student's selectors choose, the teacher answers from each
choice, and the router's loss is the cross-entropy of the answer in the mixture that it weighs:

    loss = -log sum_s softmax(routes)_s * exp(-ce_s)

Every selector is tried on every question, so nothing is sampled, and one that alone leads to the
answer is found however unlikely it has become: the expected error in place of this has no gradient
left by then, and was measured worse (docs/log.md). A mixture of experts after Jacobs et al. (1991)
with selectors for experts. Ours; the paper (arXiv 2512.11534) has one set function.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from hfs.errors import UsageError
from hfs.training.items import Item
from hfs.training.judge import picked
from hfs.training.recipe import Moment, Outcome
from hfs.training.step import answered, scored, scores_of

SELECTORS = (
    "hfs(redundancy=0.6,service=0.5)",
    "hfs(coverage=0.0,redundancy=0.6,service=0.5)",
    "hfs(coverage=0.6,redundancy=0.6,service=0.5)",
    "hfs(redundancy=0.6,service=0.25)",
    "hfs(service=0.5)",
    "hfs",
    "hfs(coverage=0.6,redundancy=0.6)",
    "uniform",
)
"""More or less of each term of the set function, and no look at the question at all; the first
chooses until the router has learned."""


@dataclass(frozen=True)
class Routing:
    """The router learns alone, by answers; student and teacher stay as they are."""

    prior: bool = True
    """Whether the backbone's similarity enters the scores, as it did in the student's training."""

    def __call__(self, models: Any, items: list[Item], at: Moment, /) -> Outcome:
        """Raises UsageError for a student without a router."""
        selectors = models.student.config.selectors
        if not selectors:
            raise UsageError(
                "expected a student with selectors to route between, got one without: name them "
                "in its configuration, selectors=[...]"
            )
        output = scored(models.student, items, prior=self.prior)
        routes = output.routes
        assert routes is not None
        with torch.no_grad(), torch.autocast("cpu", enabled=False):  # sets, in full precision
            known = scores_of(models.student, output, items)
            budget = at.settings.budget
            tried = [picked(known, items, budget=budget, selector=s) for s in selectors]
        ce, correct = (x.to(routes.device) for x in _answered(models, items, tried))
        loss = -(routes.log_softmax(1) - ce).logsumexp(1)
        wrong = 1 - correct
        taken = wrong.gather(1, routes.argmax(1, keepdim=True)).squeeze(1)
        logged = {"error": taken, "first_error": wrong[:, 0], "least_error": wrong.amin(1)}
        return Outcome(loss, {name: value.detach() for name, value in logged.items()})


@torch.no_grad()
def _answered(
    models: Any, items: list[Item], tried: Sequence[Sequence[Int[Tensor, "_k"]]]
) -> tuple[Float[Tensor, "b s"], Float[Tensor, "b s"]]:
    """Cross-entropy of the teacher's answers from each choice, and whether they are right.

    Selectors often choose alike: what several of them chose is read once.
    """
    places: dict[tuple[int, ...], int] = {}
    where = [
        places.setdefault((i, *Y.tolist()), len(places)) for row in tried for i, Y in enumerate(row)
    ]
    different, reads = list(places), []
    for start in range(0, len(different), len(items)):
        some = different[start : start + len(items)]
        asked, picks = [items[i] for i, *_ in some], [torch.tensor(Y) for _, *Y in some]
        reads.append(answered(models.teacher, asked, picks, importance=None))
    index = torch.tensor(where).view(len(tried), len(items)).T
    ce = torch.cat([read.ce for read in reads]).cpu()[index]
    return ce, torch.cat([read.correct for read in reads]).float().cpu()[index]
