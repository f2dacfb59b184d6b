"""Logits, or the set function -> k one-hot rows Y over n candidates that gradients pass through.

Three ways to draw them, each with Gumbel noise and a temperature tau, each without repeats:

    soft_greedy     row j = softmax(gains of F given the j - 1 chosen so far / (unit tau) + noise g)
    gumbel_slots    row j = softmax((s + noise g_j) / tau) over what is not yet chosen
    relaxed_top_k   z = s + noise g;  row j = softmax(z / tau);  z <- z + log(1 - row j)

By default rows are straight-through: exactly one-hot in value, soft in derivative, so that
``membership(Y)`` is k-hot. The first is a greedy maximiser of F itself and the one that learned
best in a study at feature level; that a set is chosen by Gumbel-Softmax is the paper's (arXiv
2512.11534), the forms are our reading. Sources: Jang, Gu and Poole 2017 (arXiv 1611.01144) and
Maddison, Mnih and Teh 2017 (1611.00712) for Gumbel-Softmax; Xie and Ermon 2019 (1901.10517) for the
relaxed subset; Kool, van Hoof and Welling 2019 (1903.06059): the k best of s + g are k draws
without replacement.

Logits are "... n" with an optional mask of the real candidates: padding is never chosen, draws no
noise and so changes nothing. Where fewer than k are real, the rows too many are all zero.
Randomness comes from the generator given and from nowhere else.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from hfs.errors import UsageError
from hfs.objective import Objective
from hfs.stacked import Given, Stacked, in_stacks

NEVER = -1e30
"""Logit of what must not be chosen: finite, so that no derivative becomes 0 times infinity."""
LEAST_UNIT = 1e-2
"""Of 1/k, what a wholly relevant frame can add: gains that differ by less count as noise."""
FEW = 64
"""Candidates beyond which noise is held down, and for which the default temperatures were found."""


class Drawn(NamedTuple):
    """A set as soft greedy drew it."""

    rows: Float[Tensor, "k n"]
    """In the order of choice."""
    value: Float[Tensor, ""]
    """F of the set, as the sum of each row times the gains before it. Its derivative raises the
    scores of the chosen and, through the rows, whatever would have gained more."""


def soft_greedy(
    objective: Objective,
    *,
    tau: float,
    budget: int | None = None,
    noise: float = 0.0,
    generator: torch.Generator | None = None,
    mask: Bool[Tensor, "n"] | None = None,
    hard: bool = True,
) -> Float[Tensor, "k n"]:
    """min(budget, n) rows by noisy greedy ascent of F, in the order of choice.

    Row j is the softmax over the marginal gains given the candidates chosen before it; its
    derivative reaches whatever the objective's scores were made from. ``tau`` -> 0 without noise is
    hard greedy. ``budget`` is the objective's own where it is not given; only what ``mask`` has is
    chosen.

    Gains are measured in units of the distance between the best and the worst first choice of this
    video, without derivative: F's own unit differs by budget (1/k) and knob, and with it tau = 0.1
    would be cold for one video and hot for another. One unit serves all k steps, so that choices
    among gains too small to matter stay open instead of being blown up to certainties. The largest
    of n noises grows with log n, so beyond 64 candidates gains count log n / log 64 times as much:
    else a frame of evidence among 512 is in 26 % of the noisy draws of 4, and one among 64 in 68 %
    (with it 47 % and 68 %, and 78 % and 92 % without noise; made scores, tau .2, noise 1).
    """
    (drawn,) = soft_greedy_batch(
        [objective],
        tau=tau,
        budget=budget,
        noise=noise,
        generators=None if generator is None else [generator],
        masks=None if mask is None else [mask],
        hard=hard,
    )
    return drawn.rows


def soft_greedy_batch(
    objectives: Sequence[Objective],
    *,
    tau: float,
    budget: int | None = None,
    noise: float = 0.0,
    generators: Sequence[torch.Generator] | None = None,
    masks: Sequence[Bool[Tensor, "_"]] | None = None,
    hard: bool = True,
) -> list[Drawn]:
    """`soft_greedy` of several videos of any sizes at once, which for small ones is far faster.

    A video's noise comes from its own generator, so its rows do not depend on its company.
    """
    drawn: dict[int, Drawn] = {}
    for stack in in_stacks(objectives, budget):
        some = [objectives[i] for i in stack]
        of = Stacked.of(some)
        allowed = of.real.clone()
        if masks is not None:
            for row, i in zip(allowed, stack, strict=True):
                row[: len(masks[i])] &= masks[i]
        k = min(budget or of.budget, allowed.shape[1])
        noises = torch.zeros(len(stack), k, allowed.shape[1])
        if noise:
            for row, i, o in zip(noises, stack, some, strict=True):
                n = len(o.worth)  # the number of draws is the video's own, whatever its company
                every = torch.ones(min(k, n), n, dtype=torch.bool)
                own = gumbel(every, generators[i] if generators else None)
                row[: len(every), :n] = noise * own
        rows, values = _ascend(of, allowed, noises, tau, hard)
        for place, (i, o) in enumerate(zip(stack, some, strict=True)):
            most = int(allowed[place].sum())
            drawn[i] = Drawn(rows[place, :most, : len(o.worth)], values[place, :most].sum())
    return [drawn[i] for i in range(len(objectives))]


def gumbel_slots(
    logits: Float[Tensor, "*b n"],
    k: int,
    *,
    tau: float,
    noise: float = 0.0,
    generator: torch.Generator | None = None,
    mask: Bool[Tensor, "*b n"] | None = None,
    hard: bool = True,
) -> Float[Tensor, "*b k n"]:
    """k slots, each a Gumbel-Softmax over the candidates that no slot before it has taken."""
    allowed = torch.ones_like(logits, dtype=torch.bool) if mask is None else mask
    rows: list[Tensor] = []
    for _ in range(k):
        perturbed = logits + noise * gumbel(allowed, generator) if noise else logits
        z = (perturbed / tau).masked_fill(~allowed, NEVER)
        chosen = z.argmax(-1)
        soft = z.softmax(-1)
        row = straight_through(soft, chosen) if hard else soft
        rows.append(row * allowed.any(-1, keepdim=True))
        allowed = allowed & ~_one_hot(chosen, allowed)
    return torch.stack(rows, -2)


def relaxed_top_k(
    logits: Float[Tensor, "*b n"],
    k: int,
    *,
    tau: float,
    noise: float = 0.0,
    generator: torch.Generator | None = None,
    mask: Bool[Tensor, "*b n"] | None = None,
    hard: bool = True,
) -> Float[Tensor, "*b k n"]:
    """k rows of the relaxed top-k, best first; a hard row j is the j-th best of z.

    Rows sum to 1 and ``tau`` -> 0 gives the exact top-k. Soft rows of a warm tau may give one
    candidate more than 1 together (two candidates, p = .99 and .01 at tau = 1: 1.49 and .51), so
    only hard rows keep every membership within [0, 1].
    """
    real = torch.ones_like(logits, dtype=torch.bool) if mask is None else mask
    z = logits + noise * gumbel(real, generator) if noise else logits
    places = z.detach().masked_fill(~real, NEVER).argsort(dim=-1, descending=True, stable=True)
    rows: list[Tensor] = []
    for j in range(k):
        x = (z / tau).masked_fill(~real, NEVER)
        soft = x.softmax(-1)
        absent = torch.full_like(places[..., 0], j) >= real.sum(-1)
        chosen = places[..., min(j, places.shape[-1] - 1)]
        row = straight_through(soft, chosen) if hard else soft
        rows.append(row.masked_fill(absent[..., None], 0))
        z = z + _log_rest(x)
    return torch.stack(rows, -2)


def straight_through(
    soft: Float[Tensor, "*b n"], chosen: Int[Tensor, "*b"] | None = None
) -> Float[Tensor, "*b n"]:
    """One-hot in value, at ``chosen`` or at each row's largest; the derivative is ``soft``'s."""
    hard = _one_hot(soft.argmax(-1) if chosen is None else chosen, soft).to(soft.dtype)
    return hard + (soft - soft.detach())


def membership(rows: Float[Tensor, "*b k n"]) -> Float[Tensor, "*b n"]:
    """w = the sum of the rows; k-hot where they are hard."""
    return rows.sum(-2)


def in_time_order(rows: Float[Tensor, "*b k n"]) -> Float[Tensor, "*b k n"]:
    """The rows sorted by the candidate that each chose, empty rows last."""
    n = rows.shape[-1]
    values = rows.detach()
    place = values.argmax(-1).masked_fill(values.sum(-1) == 0, n)
    order = place.argsort(dim=-1, stable=True)
    return rows.gather(-2, order[..., None].expand(rows.shape))


def gumbel(real: Bool[Tensor, "*b n"], generator: torch.Generator | None) -> Float[Tensor, "*b n"]:
    """Standard Gumbel noise where ``real``, 0 elsewhere: one draw for each real candidate in turn.

    Drawn on the generator's device, so one seed gives the same noise wherever the scores lie.
    """
    if generator is None:
        raise UsageError("expected a torch.Generator where noise is not 0, got None")
    count = int(real.sum())
    draw = torch.empty(count, device=generator.device).exponential_(generator=generator)
    noise = torch.zeros(real.shape, device=real.device)
    noise[real] = -draw.clamp_min(torch.finfo(draw.dtype).tiny).log().to(real.device)
    return noise


def _ascend(
    of: Stacked,
    allowed: Bool[Tensor, "b n"],
    noises: Float[Tensor, "b k n"],
    tau: float,
    hard: bool,
) -> tuple[Float[Tensor, "b k n"], Float[Tensor, "b k"]]:
    """The rows of each video and what each added: the choices first, then their derivative."""
    with torch.no_grad():
        given, free = of.nothing(), allowed
        members = torch.zeros(len(allowed), 0, dtype=torch.long)
        gains = of.gains_after(given, members)
        low = gains.masked_fill(~allowed, torch.inf).amin(1)
        high = gains.masked_fill(~allowed, -torch.inf).amax(1)
        unit = (high - low).clamp_min(LEAST_UNIT / of.budget)
        crowd = allowed.sum(1).clamp_min(FEW).log() / math.log(FEW)
        scale = (tau * unit / crowd)[:, None]
        for noise in noises.unbind(1):
            chosen = (gains / scale + noise).masked_fill(~free, NEVER).argmax(1, keepdim=True)
            members = torch.cat([members, chosen], 1)
            if members.shape[1] == noises.shape[1]:
                break
            free = free.scatter(1, chosen, False)
            alone = of.alone(chosen)
            given = Given(*(torch.maximum(a, b) for a, b in zip(given, alone, strict=True)))
            gains = of.gains_after(given, members)
    gains = of.gains_along(members)
    picked = _one_hot(members, allowed)
    free = allowed[:, None] & (picked.cumsum(1) - picked.long() == 0)
    soft = (gains / scale[..., None] + noises).masked_fill(~free, NEVER).softmax(-1)
    rows = straight_through(soft, members) if hard else soft
    return rows, (rows * gains).sum(-1)


def _one_hot(chosen: Int[Tensor, "*b"], like: Tensor) -> Bool[Tensor, "*b n"]:
    return torch.arange(like.shape[-1], device=like.device) == chosen[..., None]


def _log_rest(x: Float[Tensor, "*b n"]) -> Float[Tensor, "*b n"]:
    """log(1 - softmax(x)), accurate and with finite derivatives where one candidate has it all.

    For the largest, 1 - p is the sum of the others' shares and never rounds to 0.
    """
    largest = _one_hot(x.argmax(-1), x)
    of_largest = x.masked_fill(largest, NEVER).logsumexp(-1, keepdim=True)
    of_largest = of_largest - x.logsumexp(-1, keepdim=True)
    others = torch.log1p(-x.softmax(-1).masked_fill(largest, 0))
    return torch.where(largest, of_largest, others)
