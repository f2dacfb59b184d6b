"""Questions with thoughts, candidates for them, and a student that was moved as if by training."""

from typing import Any

import torch

from hfs.student import HFSStudent
from hfs.student_output import QueryBatch, StudentOutput
from hfs.thinking import Thought

LORA = {"r": 4, "alpha": 8}
QUESTIONS = ["What is above the door?", "Who?", "How many men are there in the garden?"]
OPTIONS = [("a number", "a lamp"), (), ("one", "two", "three")]
THOUGHTS = [
    Thought.of("when the man opens the door\nread the number above it\ncompare the two doors"),
    Thought.of("what the man in the red shirt looks like"),
    Thought("", ()),
]
LENGTHS = [7, 4, 6]


def shaken(student: HFSStudent) -> HFSStudent:
    """Every trainable weight moved, as if by training: adapters begin as zero."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in student.parameters():
            if parameter.requires_grad:
                parameter += 0.05 * torch.randn(parameter.shape, generator=generator)
    return student


def scene(queries: QueryBatch, lengths: list[int] = LENGTHS, *, seed: int = 0) -> dict[str, Any]:
    """Candidates of several videos, padded."""
    g = torch.Generator().manual_seed(seed)
    b, n, m = len(lengths), max(lengths), queries.vectors.shape[1]
    times = torch.rand(b, n, generator=g, dtype=torch.float64).cumsum(1) * 30
    text = torch.randn(b, n, 5, generator=g)
    text[:, ::2] = 0
    return {
        "features": torch.randn(b, n, 12, generator=g),
        "times": times,
        "mask": torch.arange(n) < torch.tensor(lengths)[:, None],
        "prior": torch.randn(b, m, n, generator=g),
        "text": text,
    }


def scored(student: HFSStudent, queries: QueryBatch, given: dict[str, Any]) -> StudentOutput:
    with torch.no_grad():
        return student.score(
            given["features"], given["times"], given["mask"], queries, given["prior"], given["text"]
        )


def asked(student: HFSStudent, *which: int) -> QueryBatch:
    chosen = which or (0, 1, 2)
    pick = [[items[i] for i in chosen] for items in (QUESTIONS, OPTIONS, THOUGHTS)]
    with torch.no_grad():
        return student.queries(*pick)
