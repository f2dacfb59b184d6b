"""Examples, a store and thoughts -> what a training step looks at, one item a question.

The thought of a question is the one that its data gives, or the student's own, written ahead
without gradient, or none. The prior is the cosine of each query's words with each candidate, in the
backbone's own space.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from hfs import student_inputs
from hfs.backbones import Backbone
from hfs.errors import UsageError
from hfs.student import HFSStudent
from hfs.thinking import Cue, Thought
from hfs.training.data import Example
from hfs.training.recipe import Told
from hfs.training.store import Seen, Store
from hfs.training.videos import Videos
from hfs.types import Features

log = logging.getLogger(__name__)

Thinking = Literal["given", "written", "none"]
"""The data's cues where it has them, else the student's; the student's always; none at all."""
AT_ONCE = 64
"""Questions thought about between two words on the progress."""


@dataclass(frozen=True)
class Item:
    """One question with its video, all on the CPU."""

    example: Example
    seen: Seen
    content: Features
    """The video's candidates as the set function compares them (`hfs.content`)."""
    thought: Thought
    prior: Float[Tensor, "m n"]
    text: Float[Tensor, "n e"] | None = None
    target: Float[Tensor, "n"] | None = None
    """A fixed label of each candidate's importance, where training by pseudo labels has one."""

    @property
    def answer(self) -> str | int:
        """As the teacher takes it."""
        return self.example.answer if self.example.correct is None else self.example.correct


@dataclass(frozen=True)
class Items:
    """A `Source` of items."""

    examples: tuple[Example, ...]
    store: Store
    thoughts: tuple[Thought, ...]
    student: HFSStudent
    """Names the queries that a thought leads to."""
    backbone: Backbone
    targets: tuple[Float[Tensor, "_n"], ...] | None = None
    _words: dict[str, Float[Tensor, "d"]] = field(default_factory=dict, repr=False)
    """Embedded once."""

    @cached_property
    def _videos(self) -> Videos:
        return Videos(self.store)

    @staticmethod
    def of(
        examples: Sequence[Example],
        store: Store,
        student: HFSStudent,
        backbone: Backbone,
        *,
        thinking: Thinking = "given",
        told: Told = lambda stage, done, total: None,
    ) -> "Items":
        """The examples whose videos are in the store, each with its thought.

        Raises UsageError where none are.
        """
        if thinking not in get_args(Thinking):
            raise UsageError(
                f"expected thinking among {', '.join(get_args(Thinking))}, got {thinking!r}"
            )
        gone = {name for name, _ in store.missing({(e.video, e.path) for e in examples})}
        kept = tuple(e for e in examples if e.video not in gone)
        if not kept:
            raise UsageError(
                f"expected features of the {len(gone)} videos in {store.root}, got none: make "
                "them with hfs features"
            )
        if gone:
            log.warning("%d videos are not in %s and are left out", len(gone), store.root)
        thoughts = _thoughts(kept, store, student, thinking, told)
        return Items(kept, store, thoughts, student, backbone)

    def __len__(self) -> int:
        return len(self.examples)

    def name(self, index: int) -> str:
        return self.examples[index].id

    def load(self, index: int) -> Item:
        example, thought = self.examples[index], self.thoughts[index]
        opened = self._videos[example.video]
        seen = opened.seen
        facets = self.student.facets(example.question, thought)
        words = self._embedded(facets) if self.backbone.has_text else None
        said = seen.said if self.student.config.text_width else None
        return Item(
            example=example,
            seen=seen,
            content=opened.content,
            thought=thought,
            prior=student_inputs.prior(words, seen.features.vectors, said, m=len(facets)),
            text=said,
            target=None if self.targets is None else self.targets[index],
        )

    def labelled(self, targets: Sequence[Float[Tensor, "_n"]]) -> "Items":
        """The same items with a fixed importance of each one's candidates."""
        return replace(self, targets=tuple(targets))

    def _embedded(self, words: Sequence[str]) -> Float[Tensor, "u e"]:
        new = [word for word in dict.fromkeys(words) if word not in self._words]
        if new:
            self._words.update(zip(new, self.backbone.embed_text(new), strict=True))
        return torch.stack([self._words[word] for word in words])


def _thoughts(
    examples: Sequence[Example], store: Store, student: HFSStudent, thinking: Thinking, told: Told
) -> tuple[Thought, ...]:
    if thinking == "none":
        return tuple(Thought("", ()) for _ in examples)
    given = {i: example.cues for i, example in enumerate(examples) if thinking == "given"}
    found = {
        i: Thought("\n".join(cues), tuple(map(Cue.of, cues))) for i, cues in given.items() if cues
    }
    asked = [i for i in range(len(examples)) if i not in found]
    for start in range(0, len(asked), AT_ONCE):
        told("thinking", start, len(asked))
        some = asked[start : start + AT_ONCE]
        written = _written([examples[i] for i in some], store, student)
        found |= dict(zip(some, written, strict=True))
    return tuple(found[i] for i in range(len(examples)))


def _written(examples: list[Example], store: Store, student: HFSStudent) -> list[Thought]:
    """The student's own thoughts.

    Adapters never change them. A full language model that learns would come to write others, and a
    run that is resumed would not be the run that was not: so its first thoughts are kept.
    """
    questions, options = [e.question for e in examples], [e.options for e in examples]
    base = student.config.base_revision
    if student.config.lora is not None or not base:
        return student.think(questions, options, store.thoughts)
    keys = [
        {"model": base, "question": q, "options": json.dumps(o)}
        for q, o in zip(questions, options, strict=True)
    ]
    kept: list[Any] = [store.thoughts.json("first-thoughts", key) for key in keys]
    if not all(isinstance(text, str) for text in kept):
        kept = [thought.text for thought in student.think(questions, options)]
        for key, text in zip(keys, kept, strict=True):
            store.thoughts.put_json("first-thoughts", key, text)
    most = student.config.most_cues
    return [
        Thought.of(text, most=most).or_question(q) for text, q in zip(kept, questions, strict=True)
    ]
