"""All that is trained in the world, as one module: towers, language model, student, reader.

The rungs hand on what they have learned: the towers give the reader its first sight and the
student its features, the language model is the student's own. `settle` writes the two that
others read by name to a folder; it is called again whenever a run is resumed, with the same result.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor, nn

import hfs
from hfs import hub, plugins
from hfs.errors import UsageError
from hfs.ladder import models, words
from hfs.ladder.models import Sizes
from hfs.model_card import card
from hfs.plugins import Spec
from hfs.student import HFSStudent
from hfs.student_config import HFSStudentConfig
from hfs.training.checkpoint import Checkpoints
from hfs.training.recipe import Learner
from hfs.training.teacher import Teacher
from hfs.world import World
from hfs.world.captions import Caption

HEARD = 150
"""Films whose words make the tokenizer."""


class Ladder(Learner):
    """Groups: ``towers``, ``slm``, ``sight`` (the reader's tower and connector), ``teacher`` (its
    language model), ``student``, and ``route`` (its router, where it has one)."""

    def __init__(self, sizes: Sizes, world: World, student: Mapping[str, Any]):
        super().__init__()
        self.sizes = sizes
        self.tokenizer = words.tokenizer(words.corpus(world, HEARD))
        self.towers = models.towers(sizes, self.tokenizer)
        reader = models.reader(sizes, self.tokenizer)
        self._blind = models.sight(reader)
        self.teacher = Teacher(
            reader, self.tokenizer, models.pictures(sizes)[1], template=words.TEMPLATE
        )
        slm = models.language_model(sizes, self.tokenizer)
        config = HFSStudentConfig(
            slm_config=slm.config.to_dict(), feature_width=sizes.sight, instruction="", **student
        )
        self.student = HFSStudent(config, slm, self.tokenizer)

    @property
    def slm(self) -> Any:
        """The language model that thinks: the student's own."""
        return self.student.slm

    @property
    def reader(self) -> Any:
        """The teacher's model."""
        return self.teacher.model

    def groups(self) -> Mapping[str, list[nn.Parameter]]:
        language = (
            self.reader.get_decoder(),
            self.reader.get_input_embeddings(),
            self.reader.get_output_embeddings(),
        )
        route = [] if self.student.route is None else list(self.student.route.parameters())
        known = {id(p) for p in (*self.slm.parameters(), *route)}
        return {
            "towers": list(self.towers.parameters()),
            "slm": list(self.slm.parameters()),
            "sight": [
                *self.reader.model.vision_model.parameters(),
                *self.reader.model.connector.parameters(),
            ],
            "teacher": list({id(p): p for part in language for p in part.parameters()}.values()),
            "student": [p for p in self.student.parameters() if id(p) not in known],
            **({"route": route} if route else {}),
        }

    def tokenised(self, captions: Sequence[Caption]) -> Int[Tensor, "c t"]:
        """Captions as the text tower reads them: as `hfs.backbones.siglip` gives them to it."""
        most, pad = self.sizes.caption, self.tokenizer.pad_token_id
        asked = [caption.text.lower() for caption in captions]
        rows = self.tokenizer(asked, add_special_tokens=False).input_ids
        ended = [[*row[: most - 1], self.tokenizer.eos_token_id] for row in rows]
        return torch.tensor([row + [pad] * (most - len(row)) for row in ended])

    def take(self, run: Path, groups: Sequence[str]) -> None:
        """Begin with what another run of the same sizes has learned in these groups.

        Raises UsageError where it has no checkpoint, or one that does not fit.
        """
        found = Checkpoints(run / "checkpoints").newest()
        if found is None:
            raise UsageError(f"expected a run with a checkpoint in {run}, found none: name another")
        wanted = {id(p) for name in groups for p in self.groups()[name]}
        own = {name: p for name, p in self.named_parameters() if id(p) in wanted}
        had = {name: value.shape for name, value in found.parameters.items()}
        odd = [name for name, p in own.items() if had.get(name) != p.shape]
        if odd:
            raise UsageError(
                f"expected {run} to have learned {odd[0]} at this size, found another or none: "
                "name a run of this recipe"
            )
        with torch.no_grad():
            for name, parameter in own.items():
                parameter.copy_(found.parameters[name])

    @contextmanager
    def reading(self, run: Path) -> Iterator[Teacher]:
        """For a while, the teacher as another run has it; what it sees by stays."""
        mine = [p.detach().clone() for p in self.groups()["teacher"]]
        self.take(run, ("teacher",))
        try:
            yield self.teacher
        finally:
            with torch.no_grad():
                for parameter, value in zip(self.groups()["teacher"], mine, strict=True):
                    parameter.copy_(value)

    def see(self) -> bool:
        """Give a reader that is still blind the towers' sight; says whether it was."""
        blind = torch.equal(models.sight(self.reader), self._blind)
        if blind:
            models.share_sight(self.towers, self.reader)
        return blind

    def settle(self, folder: Path) -> str:
        """Write backbone and language model, note their revisions, and give the backbone's spec."""
        backbone, slm = folder / "backbone", folder / "slm"
        renewed(backbone, self._save_backbone)
        renewed(slm, partial(hub.save, self.slm))
        self.student.config.base_revision = hub.revision_of(slm)
        made = Spec("siglip", {"model": str(backbone), "dtype": "float32", "batch": 64})
        beside = Spec("siglip", {**made.options, "model": "./backbone"})
        self.student.config.backbone = str(beside)
        self.student.config.backbone_revision = plugins.build("backbones", made).revision
        self.teacher.revision = models.seen_by(self.reader)
        return str(made)

    def save(self, folder: Path, facts: Mapping[str, Any]) -> None:
        """``student``, with the backbone inside it, and ``teacher``."""
        text = card(
            self.student.config.to_dict(),
            recipe=str(facts.get("recipe", "")),
            data="films of hfs.world, made by rules; answers only, no evidence",
            commit=f"hfs {hfs.__version__} {facts.get('commit', '')}".strip(),
            teacher="trained from nothing in the same run",
            figures=facts.get("figures"),
        )
        self.student.save_pretrained(folder / "student", card=text)
        self._save_backbone(folder / "student" / "backbone")
        self.teacher.save_pretrained(folder / "teacher")

    def _save_backbone(self, folder: Path) -> None:
        hub.save(self.towers, folder)
        self.tokenizer.save_pretrained(folder)
        models.pictures(self.sizes)[0].save_pretrained(folder)


def renewed(folder: Path, save: Callable[[Path], Any]) -> None:
    """Saved anew, but left alone where the same weights are there: other runs may be reading.

    Of several processes the first saves (transformers writes in no other), and it goes first.
    """
    several = torch.distributed.is_available() and torch.distributed.is_initialized()
    if several and torch.distributed.get_rank():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as made:
        part = Path(made) / folder.name
        save(part)
        if folder.is_dir() and hub.revision_of(folder) == hub.revision_of(part):
            return
        if folder.is_dir():
            folder.rename(Path(made) / "old")
        part.rename(folder)
