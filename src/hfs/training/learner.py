"""A student and a teacher -> one module for accelerate, and two folders when they are trained."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

import hfs
from hfs.model_card import card
from hfs.student import HFSStudent
from hfs.training.recipe import Learner
from hfs.training.teacher import Teacher


class Pair(Learner):
    """The selector that learns, and the reasoner that it learns with.

    Groups: ``student`` (query tokens, projections, score network), ``route`` (its router), ``slm``
    (the adapters or the full language model), ``teacher``. One that is frozen is absent.
    """

    def __init__(self, student: HFSStudent, teacher: Teacher, *, data: str = ""):
        super().__init__()
        self.student, self.teacher = student, teacher
        self.data = data
        """What the model card says of the training data."""

    def groups(self) -> Mapping[str, list[nn.Parameter]]:
        route = [] if self.student.route is None else list(self.student.route.parameters())
        inside = {id(p) for p in (*self.student.slm.parameters(), *route)}
        parts = {
            "student": [p for p in self.student.parameters() if id(p) not in inside],
            "route": route,
            "slm": list(self.student.slm.parameters()),
            "teacher": list(self.teacher.parameters()),
        }
        learned = {name: [p for p in part if p.requires_grad] for name, part in parts.items()}
        return {name: part for name, part in learned.items() if part}

    def save(self, folder: Path, facts: Mapping[str, Any]) -> None:
        """``student`` for ``hfs select --model``, ``teacher`` for whoever answers with it."""
        text = card(
            self.student.config.to_dict(),
            recipe=str(facts.get("recipe", "")),
            data=self.data,
            commit=f"hfs {hfs.__version__} {facts.get('commit', '')}".strip(),
            teacher=self.teacher.revision,
            figures=facts.get("figures"),
        )
        from transformers.utils import logging

        shown = logging.is_progress_bar_enabled()
        logging.disable_progress_bar()  # a bar for a moment's work would only clutter
        try:
            self.student.save_pretrained(folder / "student", card=text)
            self.teacher.save_pretrained(folder / "teacher")
        finally:
            if shown:
                logging.enable_progress_bar()
