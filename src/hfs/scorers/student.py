"""A trained student's query vectors, what is seen and said -> its own verdict on candidates."""

from dataclasses import dataclass

from hfs import student_inputs, trained
from hfs.errors import UsageError
from hfs.types import Candidates, Channel, Evidence, Features, Query


@dataclass(frozen=True)
class Scorer:
    """A trained student scores the candidates in context; needs the encoder implicit."""

    model: str
    """The student: a folder, a hub name, or a name that this package has weights for."""
    device: str = "auto"
    dtype: str = "auto"

    def __call__(
        self, candidates: Candidates, features: Features, evidence: Evidence, query: Query
    ) -> list[Channel]:
        """Raises UsageError for the query or the features of another model."""
        record = trained.record(self.model)
        record.check(features.backbone.rpartition(" ")[2])
        student = trained.student(self.model, device=self.device, dtype=self.dtype)
        vectors = query.implicit
        if vectors is None or vectors.shape[1] != student.config.query_width:
            got = "none" if vectors is None else f"vectors of width {vectors.shape[1]}"
            raise UsageError(
                f"expected query vectors of width {student.config.query_width} from the student "
                f"{self.model}, got {got}: use encoder=implicit(model={self.model!r}), or --model "
                f"{self.model} for the whole pipeline"
            )
        said = None
        if student.config.text_width:
            embed = trained.tower(record.backbone).embed_text
            width = student.config.text_width
            said = student_inputs.text(evidence, candidates.times, embed, width=width)
        prior = student_inputs.prior(query.vectors, features.vectors, said, m=len(vectors))
        relevance, facets = student.judge(
            features.vectors,
            candidates.times,
            vectors,
            query.weights.float(),
            prior,
            said,
        )
        return [Channel("student", facets.cpu(), relevance.cpu())]
