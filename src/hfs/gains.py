"""What sets already give -> what each candidate would add to them, term by term.

The marginal gains of the set function (`hfs.objective`), written once for one growing set, for all
beginnings of a set and for many videos at a time: leading dimensions, "*b" below, broadcast, and
every function is differentiable in what it is given. Weights and signs of the terms, and the
division by the budget, are the caller's.
"""

from jaxtyping import Float
from torch import Tensor


def served(
    facets: Float[Tensor, "... m n"], weights: Float[Tensor, "... m"], best: Float[Tensor, "... m"]
) -> Float[Tensor, "... n"]:
    """By how much each candidate serves the facets better than ``best``, the set so far."""
    better = (facets - best[..., None]).clamp_min(0)
    return (weights[..., None, :] @ better).squeeze(-2)


def repeated(
    worth: Float[Tensor, "... n"],
    own: Float[Tensor, "... n"],
    looks: Float[Tensor, "... s n"],
    members_worth: Float[Tensor, "... s"],
    members_own: Float[Tensor, "... s"],
) -> Float[Tensor, "... n"]:
    """How much more relevance would repeat a better frame's.

    ``own`` is the share of a candidate's relevance that better members take from it, ``looks`` how
    much each of s members looks like each candidate that is better than it, 0 for the others.
    """
    more = (looks - members_own[..., None]).clamp_min_(0)
    return worth * own + (members_worth[..., None, :] @ more).squeeze(-2)


def covered(
    rows: Float[Tensor, "... c n"], best: Float[Tensor, "... n"], distinct: Float[Tensor, "... n"]
) -> Float[Tensor, "... c"]:
    """How much better than ``best`` each of c candidates covers; it stands for each of n by rows.

    Memory: the size of the differences, all leading dimensions times c times n.
    """
    more = (rows - best[..., None, :]).clamp_min_(0)
    return (more @ distinct[..., None]).squeeze(-1)
