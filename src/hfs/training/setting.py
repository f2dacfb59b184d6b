"""Names of models, a file of questions, a folder of videos -> what a recipe's phases run on."""

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from hfs.backbones import Backbone
from hfs.errors import FailureError, UsageError
from hfs.student import HFSStudent
from hfs.training.data import Questions, read
from hfs.training.items import Items, Thinking
from hfs.training.learner import Pair
from hfs.training.recipe import Told
from hfs.training.store import READERS, SAMPLER, Maker, Store
from hfs.training.teacher import LoRA, Teacher

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Setting:
    """Everything about a run of student and teacher that is not its phases."""

    data: Path
    videos: Path
    store: Path
    """Features and visual tokens, made where they are missing (`hfs features` makes them ahead)."""
    slm: str
    teacher: str
    backbone: str
    """A spec, such as ``siglip``."""
    sampler: str = SAMPLER
    readers: tuple[str, ...] = READERS
    selector: str = "hfs"
    slm_lora: dict[str, Any] | None = None
    """Of `HFSStudent.create`; None trains all of the small language model."""
    teacher_lora: LoRA | None = None
    teacher_frozen: bool = False
    tokens: int | None = None
    """Most visual tokens a frame."""
    dtype: str = "float32"
    """Of the language models' own weights; adapters and new weights are float32."""
    checkpointing: bool = False
    width: int = 256
    """Of the score network and the query vectors."""
    text: bool = False
    """Whether the score network reads what is said or shown; needs a backbone with a text tower."""
    student: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of `HFSStudentConfig`: ``cue_tokens``, ``layers``, ``instruction``, ..."""
    thinking: Thinking = "given"
    seed: int = 0

    @cached_property
    def questions(self) -> Questions:
        """Read once. Raises UsageError as `hfs.training.data.read` does."""
        return read(self.data, self.videos)

    def build(self) -> Pair:
        """Student and teacher on the CPU."""
        if self.teacher_frozen and self.teacher_lora is not None:
            raise UsageError("expected a frozen teacher or one with adapters, got both: choose")
        eyes = self._maker(None).eyes
        student = HFSStudent.create(
            self.slm,
            lora=self.slm_lora,
            seed=self.seed,
            dtype=self.dtype,
            feature_width=_width(eyes),
            text_width=_width(eyes) if self.text else 0,
            query_width=self.width,
            width=self.width,
            backbone=self.backbone,
            backbone_revision=eyes.revision,
            sampler=self.sampler,
            readers=list(self.readers),
            selector=self.selector,
            **self.student,
        )
        with torch.random.fork_rng():
            torch.manual_seed(self.seed)  # adapters are drawn at random
            teacher = Teacher.from_pretrained(
                self.teacher,
                device="cpu",
                dtype=self.dtype,
                tokens=self.tokens,
                lora=self.teacher_lora,
                frozen=self.teacher_frozen,
                checkpointing=self.checkpointing,
            )
        about = f"{len(self.questions.examples):,} questions of {self.data.name}"
        return Pair(student, teacher, data=about)

    def open(self, models: Pair, told: Told) -> Items:
        """The questions, features made where they are missing; a ``Source`` for `Recipe.data`.

        Raises FailureError where they are missing in a run of several processes, which would wait
        for one of them for hours.
        """
        maker, store = self._maker(models.teacher), Store(self.store)
        store.prepare(maker)
        missing = store.missing(self.questions.videos)
        if missing and int(os.environ.get("WORLD_SIZE", "1")) > 1:
            raise FailureError(
                f"expected the features of all videos in {self.store}, got none of "
                f"{len(missing)}: make them first, with hfs features or with one process"
            )
        for line in store.fill(missing, maker, told):
            log.warning("a video is left out: %s", line)
        return Items.of(
            self.questions.examples,
            store,
            models.student,
            maker.eyes,
            thinking=self.thinking,
            told=told,
        )

    @property
    def note(self) -> str:
        """What there is to train on, in words."""
        found = self.questions
        lines = [f"  {len(found.examples):,} questions about {len(found.videos):,} videos"]
        return "\n".join([*lines, *([f"  {found.note}"] if found.note else [])])

    def _maker(self, teacher: Teacher | None) -> Maker:
        return Maker(self.backbone, self.sampler, self.readers, teacher)


def _width(eyes: Backbone) -> int:
    """Of the vectors that a backbone gives."""
    return int(eyes.embed(torch.zeros(1, 3, 32, 32, dtype=torch.uint8)).shape[1])
