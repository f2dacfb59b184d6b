"""A question, its options and a thought -> token ids that hold a place for each query token.

    prompt | cue 1 [Q] | cue 2 [Q] | ... | [G] [G]

A query token stands right after its cue, so that causal attention lets it read the question and the
cues up to its own; the global ones stand at the end and read everything. Tokens of a kind share
their embedding: what tells the queries apart is what they have read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from hfs import prompting
from hfs.errors import UsageError
from hfs.thinking import KINDS, Cue


class Slot(NamedTuple):
    """The place held for a query token in a row."""

    place: int
    token: int
    """Which query token: those of a cue first, then the global ones."""
    kind: int
    """Of its cue, as an index of KINDS; len(KINDS) for a global one."""


@dataclass(frozen=True)
class Slots:
    """Token ids of a batch, padded at the end, and the places in it that are held."""

    ids: Int[Tensor, "b t"]
    mask: Bool[Tensor, "b t"]
    """True for what is not padding."""
    place: Int[Tensor, "b m"]
    """Of each query; a real one's place again where there is no further query."""
    token: Int[Tensor, "b m"]
    kind: Int[Tensor, "b m"]
    real: Bool[Tensor, "b m"]
    """The global queries first, then those of each cue."""

    @staticmethod
    def of(rows: Sequence[tuple[list[int], list[Slot]]], device: torch.device) -> "Slots":
        """The rows as tensors. Raises UsageError for one without any query token."""
        if not all(slots for _, slots in rows):
            raise UsageError(
                "expected a thought with a cue, as this student has no global query tokens, got "
                "one without: let the question serve, Thought.or_question"
            )
        longest, m = max(len(ids) for ids, _ in rows), max(len(slots) for _, slots in rows)
        lengths = torch.tensor([len(ids) for ids, _ in rows])
        filled = [[*slots, *slots[-1:] * (m - len(slots))] for _, slots in rows]
        place, token, kind = torch.tensor(filled).to(device).unbind(-1)
        return Slots(
            ids=torch.tensor([ids + [0] * (longest - len(ids)) for ids, _ in rows]).to(device),
            mask=(torch.arange(longest) < lengths[:, None]).to(device),
            place=place,
            token=token,
            kind=kind,
            real=torch.tensor([[j < len(slots) for j in range(m)] for _, slots in rows]).to(device),
        )


def row(
    tokenizer: Any,
    question: str,
    options: Sequence[str],
    cues: Sequence[Cue],
    *,
    instruction: str,
    each: int,
    free: int,
) -> tuple[list[int], list[Slot]]:
    """Token ids with ``each`` places after every cue and ``free`` at the end; free ones first."""
    ids = prompting.prompt(tokenizer, question, options, instruction=instruction)
    line = prompting.plain(tokenizer, "\n")
    bound: list[Slot] = []
    for cue in cues:
        ids += prompting.plain(tokenizer, str(cue))
        bound += [Slot(len(ids) + j, j, KINDS.index(cue.kind)) for j in range(each)]
        ids += [0] * each + line
    last = [Slot(len(ids) + j, each + j, len(KINDS)) for j in range(free)]
    return ids + [0] * free, [*last, *bound]


def shares(real: Bool[Tensor, "b m"], free: int) -> Float[Tensor, "b m"]:
    """Each query's share before training: half is the global ones' and half the cues'.

    Where there are none of one sort, all is the other's; any positive number where none is real.
    """
    bound = real.sum(1, keepdim=True) - free
    half = torch.where(bound > 0, 0.5 if free else 1.0, 1.0)
    is_free = torch.arange(real.shape[1], device=real.device) < free
    return torch.where(is_free, half / max(free, 1), half / bound.clamp_min(1))
