"""Scorers: what was seen, what was said and what is asked -> channels of relevance."""

from typing import Protocol

from hfs.types import Candidates, Channel, Evidence, Features, Query


class Scorer(Protocol):
    """No channel where the evidence it reads does not exist; one channel for each kind that does."""

    def __call__(
        self, candidates: Candidates, features: Features, evidence: Evidence, query: Query
    ) -> list[Channel]: ...
