"""A question and its options -> a trained student's thought and its query vectors."""

from collections.abc import Callable
from dataclasses import dataclass

from hfs import trained
from hfs.backbones import Backbone
from hfs.cache import Cache
from hfs.types import Query


@dataclass(frozen=True)
class Encoder:
    """A trained student thinks of cues and asks with a vector bound to each; see scorer student.

    The facets are the question, for the queries at the end, and the cue of every other query.
    """

    model: str
    """The student: a folder, a hub name, or a name that this package has weights for."""
    device: str = "auto"
    dtype: str = "auto"

    def __call__(self, question: str, options: tuple[str, ...], backbone: Backbone) -> Query:
        """Raises UsageError where the backbone is not the one that the student was trained with."""
        return self.remembering(Cache(None))(question, options, backbone)

    def remembering(self, cache: Cache) -> Callable[[str, tuple[str, ...], Backbone], Query]:
        """The same, with thoughts kept in the cache."""

        def encode(question: str, options: tuple[str, ...], backbone: Backbone) -> Query:
            import torch

            trained.record(self.model).check(backbone.revision)
            student = trained.student(self.model, device=self.device, dtype=self.dtype)
            thought = student.think([question], [options], cache)[0]
            with torch.no_grad():
                made = student.queries([question], [options], [thought])
            words = made.facets[0]
            return Query(
                question,
                options,
                words,
                made.weights[0].cpu(),
                backbone.embed_text(list(words)) if backbone.has_text else None,
                thought=thought.text if thought.note else str(thought),
                implicit=made.vectors[0].cpu(),
                selector=student.named(made.routes, 1)[0],
                notes=(thought.note,) if thought.note else (),
            )

        return encode
