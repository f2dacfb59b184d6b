"""Answers, sets and importances -> what training minimises, one number an example.

    L = answer + l_set * (-F(w)) + l_ts * KL(sg(p_T) || p_S) + l_st * KL(sg(p_S) || p_T)

answer is the cross-entropy of the answer's tokens; F the set function at the chosen membership; p_T
how much the teacher used each frame; p_S = softmax(s / tau) the student's distribution over the
same frames; sg stops the gradient, so that the first divergence teaches the student and the second
the teacher (deep mutual learning, Zhang et al. 2018, arXiv 1706.00384). That student and teacher
align their importances by KL and are trained with cross-entropy is the paper's (arXiv 2512.11534);
two directions with a weight each are our reading.

The default weights are those of a study at feature level: cross-entropy alone did not find the
evidence, teacher -> student was the essential part, student -> teacher gained nothing at .1 and
harmed at 1; -F as a loss was not tried there.

Masks say which frames count (True). Frames that the teacher did not see are left out on both sides,
so "restricted to the chosen" and "over all candidates" differ only in the mask, or in handing over
one score a slot (`at_chosen`) instead of one a candidate.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from hfs.errors import UsageError
from hfs.objective import Objective

IGNORED = -100
"""Label of a token that is no part of the answer, as in transformers."""
NOTHING = 1e-8
"""A share below it counts as it: no logarithm of zero, no derivative beyond its inverse."""


@dataclass(frozen=True)
class LossWeights:
    """What each part of the loss counts; 0 leaves the part out."""

    answer: float = 1.0
    set: float = 0.1
    teacher_to_student: float = 0.3
    student_to_teacher: float = 0.05

    def __post_init__(self) -> None:
        for field in fields(self):
            if not 0 <= (value := getattr(self, field.name)) < float("inf"):
                raise UsageError(f"expected a loss weight {field.name} of 0 or more, got {value}")


class Total(NamedTuple):
    """The weighted sum and, for the log, its unweighted parts without gradient."""

    loss: Float[Tensor, "b"]
    parts: dict[str, Float[Tensor, "b"]]


class Mutual(NamedTuple):
    """Both divergences of an example, unweighted."""

    teacher_to_student: Float[Tensor, "b"]
    student_to_teacher: Float[Tensor, "b"]


def total(weights: LossWeights, parts: Mapping[str, Float[Tensor, "b"]]) -> Total:
    """The weighted sum of the parts that there are, by the names of `LossWeights`.

    A part of weight 0 is logged and not added, so it need not be finite. Raises UsageError for a
    part of another name, and where nothing is left to minimise.
    """
    known = [field.name for field in fields(weights)]
    if unknown := set(parts) - set(known):
        raise UsageError(f"expected losses among {', '.join(known)}, got {', '.join(unknown)}")
    terms = [getattr(weights, name) * x for name, x in parts.items() if getattr(weights, name)]
    if not terms:
        raise UsageError(f"expected a loss of weight above 0 among {', '.join(known)}, got none")
    return Total(torch.stack(terms).sum(0), {name: x.detach() for name, x in parts.items()})


def answer_loss(logits: Float[Tensor, "b t v"], labels: Int[Tensor, "b t"]) -> Float[Tensor, "b"]:
    """Cross-entropy of each example's answer, the mean over its tokens; 0 where it has none.

    Logits at a place predict the label at the next one, and labels of `IGNORED` do not count, as in
    transformers' causal language models; but each example weighs the same, however long its answer.
    """
    wanted = labels[:, 1:]
    asked = wanted != IGNORED
    # only the answers' rows of a large vocabulary are made float32
    each = functional.cross_entropy(_wide(logits[:, :-1][asked]), wanted[asked], reduction="none")
    places = torch.zeros(asked.shape, dtype=each.dtype, device=each.device)
    sums = places.masked_scatter(asked, each).sum(1)
    return sums / asked.sum(1).clamp_min(1)


def set_loss(
    objective: Objective, w: Float[Tensor, "n"], *, through_scores: bool = True
) -> Float[Tensor, ""]:
    """-F(w), which falls as the chosen set gets better by the student's own scores.

    The derivative in w asks for better frames under these scores; the one in the scores asks for
    scores under which the chosen frames look better, and ``through_scores`` False leaves it out.
    """
    return -(objective if through_scores else _fixed(objective)).value(w)


def teacher_to_student(
    p_T: Float[Tensor, "b c"],
    s: Float[Tensor, "b c"],
    mask: Bool[Tensor, "b c"] | None = None,
    *,
    tau: float = 1.0,
    tau_T: float = 1.0,
) -> Float[Tensor, "b"]:
    """KL(sg(p_T) || softmax(s / tau)): brings the student's scores to the teacher's importances."""
    mask = torch.ones_like(p_T, dtype=torch.bool) if mask is None else mask
    p = _shares(p_T.detach(), mask, tau_T)
    return _divergence(p, _log_student(s, mask, tau))


def student_to_teacher(
    p_T: Float[Tensor, "b c"],
    s: Float[Tensor, "b c"],
    mask: Bool[Tensor, "b c"] | None = None,
    *,
    tau: float = 1.0,
    tau_T: float = 1.0,
) -> Float[Tensor, "b"]:
    """KL(sg(softmax(s / tau)) || p_T): brings the teacher's importances to the student's scores."""
    mask = torch.ones_like(p_T, dtype=torch.bool) if mask is None else mask
    p = _log_student(s.detach(), mask, tau).exp() * mask
    return _divergence(p, _shares(p_T, mask, tau_T).clamp_min(NOTHING).log())


def mutual(
    p_T: Float[Tensor, "b c"],
    s: Float[Tensor, "b c"],
    mask: Bool[Tensor, "b c"] | None = None,
    *,
    tau: float = 1.0,
    tau_T: float = 1.0,
) -> Mutual:
    """Both divergences between the importances p_T (any scale) and the student's scores s."""
    return Mutual(
        teacher_to_student(p_T, s, mask, tau=tau, tau_T=tau_T),
        student_to_teacher(p_T, s, mask, tau=tau, tau_T=tau_T),
    )


def at_chosen(s: Float[Tensor, "n"], rows: Float[Tensor, "k n"]) -> Float[Tensor, "k"]:
    """The score of the candidate that each hard row chose, in the order of the rows."""
    return s[rows.detach().argmax(1)]


def _fixed(objective: Objective) -> Objective:
    """The same set function with scores that have no derivative."""
    parts = {field.name: getattr(objective, field.name) for field in fields(objective)}
    return replace(
        objective, **{name: x.detach() for name, x in parts.items() if isinstance(x, Tensor)}
    )


def _wide(x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """In float32 at least: logarithms of half precision are too coarse to compare."""
    return x if x.dtype == torch.float64 else x.float()


def _shares(p: Float[Tensor, "b c"], mask: Bool[Tensor, "b c"], tau: float) -> Float[Tensor, "b c"]:
    """Importances as shares that sum to 1 over the mask; a tau above 1 evens them out.

    An example whose importances are all 0 has even shares: nothing is known of it.
    """
    p = _wide(p) * mask
    even = mask / mask.sum(1, keepdim=True).clamp_min(1)
    sums = p.sum(1, keepdim=True)
    p = torch.where(sums > 0, p / torch.where(sums > 0, sums, 1), even)
    if tau == 1:
        return p
    p = p.clamp_min(NOTHING) ** (1 / tau) * mask
    return p / p.sum(1, keepdim=True).clamp_min(NOTHING)


def _log_student(
    s: Float[Tensor, "b c"], mask: Bool[Tensor, "b c"], tau: float
) -> Float[Tensor, "b c"]:
    """log softmax(s / tau) over the mask; finite everywhere."""
    return (_wide(s) / tau).masked_fill(~mask, -1e30).log_softmax(1)


def _divergence(p: Float[Tensor, "b c"], log_q: Float[Tensor, "b c"]) -> Float[Tensor, "b"]:
    """sum p (log p - log q), where p is 0 outside the mask and without gradient."""
    return (torch.xlogy(p, p) - p * log_q).sum(1)
