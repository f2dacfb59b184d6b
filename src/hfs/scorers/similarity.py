"""The question's vectors and the frames' -> how alike they are in the backbone's own space."""

from dataclasses import dataclass

from hfs.types import Candidates, Channel, Evidence, Features, Query


@dataclass(frozen=True)
class Scorer:
    """Cosine of the question's vectors with each frame's; nothing without a text tower."""

    def __call__(
        self, candidates: Candidates, features: Features, evidence: Evidence, query: Query
    ) -> list[Channel]:
        if query.vectors is None:
            return []
        return [Channel("visual", query.vectors.float() @ features.vectors.float().T)]
