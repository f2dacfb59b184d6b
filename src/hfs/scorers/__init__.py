"""Scorers: what was seen, what was said and what is asked -> channels of relevance."""

from typing import Protocol, runtime_checkable

from hfs.types import Candidates, Channel, Evidence, Features, Query


@runtime_checkable
class Scorer(Protocol):
    """One channel for each kind of evidence that it reads and that exists, else none."""

    def __call__(
        self, candidates: Candidates, features: Features, evidence: Evidence, query: Query
    ) -> list[Channel]: ...
