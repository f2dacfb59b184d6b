"""What a student is built from, how wide it is, and the pipeline it was trained in: config.json."""

from typing import Any, ClassVar, no_type_check

from transformers import AutoConfig, PreTrainedConfig

from hfs.prompting import INSTRUCTION


@no_type_check  # a checker of shapes would bind ``__init__`` to the fields, and it takes more
class HFSStudentConfig(PreTrainedConfig):
    """Everything needed to rebuild a student and the pipeline that it was trained in."""

    model_type: ClassVar[str] = "hfs_student"

    slm_config: dict[str, Any] | None = None
    """The language model's own configuration."""
    base: str = ""
    """Hub name or folder of the language model whose weights are not in this checkpoint; a name
    that begins with "./" is a folder beside it. Empty: all weights are inside."""
    base_revision: str = ""
    """The exact files of the language model, as `hfs.hub.revision_of` gives them."""
    lora: dict[str, Any] | None = None
    """``r``, ``alpha``, ``dropout``, ``targets`` of the adapters; None: the full model is
    trained."""

    feature_width: int = 768
    """d: of the backbone's vectors."""
    text_width: int = 0
    """e: of embedded text evidence, 0 where none is read."""
    query_width: int = 256
    """q: of the query vectors."""
    width: int = 256
    """Of the score network."""
    layers: int = 2
    heads: int = 4
    cue_tokens: int = 1
    """Query tokens after each cue."""
    global_tokens: int = 2
    """Query tokens after all cues."""

    instruction: str = INSTRUCTION
    """What the language model is told before the question; may be empty."""
    most_cues: int = 6
    thought_tokens: int = 160
    """Most tokens of a generated thought."""

    backbone: str = "pixels"
    """Spec of the backbone whose vectors the student reads; a ``model`` that begins with "./" is a
    folder beside the checkpoint."""
    backbone_revision: str = ""
    """Its exact files and precision."""
    sampler: str = "grid"
    readers: list[str] | None = None
    """Specs; None: the preset's own."""
    scorers: list[str] | None = None
    """Specs that score beside the student, such as ``lexical``; None: no other."""
    selector: str = "hfs"
    """What chooses from its scores, as a selector's spec."""
    selectors: list[str] | None = None
    """Specs between which the student's router decides, question by question, for the selector
    ``routed``; None: it has no router."""


AutoConfig.register(HFSStudentConfig.model_type, HFSStudentConfig, exist_ok=True)
