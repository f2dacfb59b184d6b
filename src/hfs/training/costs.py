"""Models, frames and steps -> what a run of student and teacher takes: memory, disk, arithmetic.

Formulas, P parameters, T tokens a sequence, L layers, d width, f width of the perceptron, in bytes
of 2 where weights and activations are bfloat16:

    weights       2 P                               frozen; learned ones are float32
    learned       16 P_learned                      float32 weight, gradient, two moments
    activations   2 T L d + 2 T (18 d + 4 f)        checkpointed: inputs of layers, one layer whole
                  2 T L (18 d + 4 f)                not checkpointed (fused attention)
    candidates    2 n t d (1 + e)                   visual tokens of a video, e deepstack levels
    arithmetic    (4 or 6) P T                      forward, backward to inputs and adapters, and,
                                                    checkpointed, forward again

They are rules of thumb, good to a third or so, and leave out what a framework keeps for itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

PEAK, SHARE = 989e12, 0.35
"""Dense bfloat16 operations a second of one H100 SXM, and how much of it such a run reaches."""
TIME_MARK = 12
"""Tokens around a frame: its time and its two marks."""


@dataclass(frozen=True)
class Shape:
    """How large a language model is, its vision tower included in the parameters."""

    name: str
    parameters: int
    width: int
    layers: int
    inner: int
    """f."""
    deepstack: int = 0
    source: str = "as published"

    def activations(self, tokens: int, *, checkpointed: bool) -> int:
        """Bytes of one sequence."""
        layer = 18 * self.width + 4 * self.inner
        if checkpointed:
            return 2 * tokens * (self.layers * self.width + layer)
        return 2 * tokens * self.layers * layer

    def operations(self, tokens: int, *, checkpointed: bool) -> float:
        """Of one sequence, forward and backward with adapters."""
        return (6.0 if checkpointed else 4.0) * self.parameters * tokens


PUBLISHED = {
    "Qwen/Qwen3-0.6B": Shape("Qwen/Qwen3-0.6B", 596_049_920, 1024, 28, 3072),
    "Qwen/Qwen3-1.7B": Shape("Qwen/Qwen3-1.7B", 1_720_574_976, 2048, 28, 6144),
    "Qwen/Qwen3-VL-8B-Instruct": Shape(
        "Qwen/Qwen3-VL-8B-Instruct", 8_767_123_696, 4096, 36, 12288, 3
    ),
}


def shape_of(model: str) -> Shape | None:
    """A model's size: from its own configuration where that is on this machine, built without
    memory (on the meta device), else as published; None where neither is known."""
    config = _config(model)
    if config is None:
        return PUBLISHED.get(model.partition("@")[0])
    from transformers import AutoModelForCausalLM, AutoModelForImageTextToText

    kind = AutoModelForImageTextToText if hasattr(config, "vision_config") else AutoModelForCausalLM
    with torch.device("meta"):
        made = kind.from_config(config)
    text = config.get_text_config()
    return Shape(
        name=model,
        parameters=sum(p.numel() for p in made.parameters()),
        width=text.hidden_size,
        layers=text.num_hidden_layers,
        inner=text.intermediate_size,
        deepstack=len(
            getattr(getattr(config, "vision_config", None), "deepstack_visual_indexes", ())
        ),
        source="from its configuration",
    )


def _config(model: str) -> Any:
    """The configuration in the model's folder or in the hub's cache; nothing is fetched."""
    from transformers import AutoConfig

    name, _, revision = model.partition("@")
    local = Path(model).expanduser()
    try:
        return AutoConfig.from_pretrained(
            local if local.is_dir() else name,
            revision=revision or "main",
            local_files_only=True,
            trust_remote_code=False,
        )
    except (OSError, ValueError):
        return None


@dataclass(frozen=True)
class Plan:
    """A run whose cost is asked for."""

    slm: Shape | None
    teacher: Shape | None
    learned: int
    """Parameters of adapters, query tokens and score network."""
    candidates: int
    """n, most a video."""
    tokens: int
    """t, visual tokens a frame."""
    budget: int
    """k, most frames shown."""
    micro: int
    steps: int
    batch: int
    videos: int
    questions: int
    features: int
    """d of the backbone."""
    checkpointed: bool
    devices: int = 1

    @property
    def reads(self) -> int:
        """Tokens of the teacher's sequence: frames with their times, question, options."""
        return self.budget * (self.tokens + TIME_MARK) + 200

    @property
    def thinks(self) -> int:
        """Tokens of the student's sequence: instruction, question, thought, query tokens."""
        return 500

    def rows(self) -> list[tuple[str, str, str]]:
        """(what, how much, how it is reckoned)."""
        if self.slm is None or self.teacher is None:
            return [("memory and time", "unknown", "the models' configurations are not here")]
        slm, teacher = self.slm, self.teacher
        token = 2 * teacher.width * (1 + teacher.deepstack)
        one = self.candidates * self.tokens * token
        memory = {
            f"weights, {slm.name}": (2 * slm.parameters, f"2 x {slm.parameters:,}"),
            f"weights, {teacher.name}": (2 * teacher.parameters, f"2 x {teacher.parameters:,}"),
            "learned weights": (16 * self.learned, f"16 x {self.learned:,}"),
            "activations, student": (
                self.micro * slm.activations(self.thinks, checkpointed=False),
                f"{self.micro} x {self.thinks} tokens",
            ),
            "activations, teacher": (
                self.micro * teacher.activations(self.reads, checkpointed=self.checkpointed),
                f"{self.micro} x {self.reads:,} tokens"
                + (", checkpointed" if self.checkpointed else ""),
            ),
            "candidates' visual tokens": (
                self.micro * one,
                f"{self.micro} x {self.candidates} x {self.tokens} x {token:,} bytes",
            ),
        }
        found = [(name, _gib(size), how) for name, (size, how) in memory.items()]
        found.append(("memory of a device", _gib(sum(s for s, _ in memory.values())), "the sum"))
        return [*found, *self._work(slm, teacher, one)]

    def _work(self, slm: Shape, teacher: Shape, one: int) -> list[tuple[str, str, str]]:
        disk = self.videos * (one + self.candidates * 4 * self.features)
        each = teacher.operations(self.reads, checkpointed=self.checkpointed)
        each += slm.operations(self.thinks, checkpointed=False)
        seconds = self.steps * self.batch * each / (PEAK * SHARE * self.devices)
        return [
            ("features on disk", _gib(disk), f"{self.videos:,} videos"),
            (
                "tokens a step",
                f"{self.batch * (self.reads + self.thinks):,}",
                f"{self.batch} x ({self.reads:,} + {self.thinks})",
            ),
            ("arithmetic a step", f"{self.batch * each / 1e12:,.0f} TFLOP", "(4 or 6) P T"),
            (
                f"time, {self.steps:,} steps",
                f"{seconds / 3600:,.1f} h",
                f"{self.devices} x H100 at {SHARE:.0%} of {PEAK / 1e12:.0f} TFLOP/s",
            ),
        ]

    def __str__(self) -> str:
        return table(self.rows())


def table(rows: Sequence[tuple[str, str, str]]) -> str:
    """Rows as aligned text, the second column to the right."""
    first, second = (max(len(row[i]) for row in rows) for i in (0, 1))
    return "\n".join(f"  {a:<{first}}  {b:>{second}}  {c}".rstrip() for a, b, c in rows)


def adapters(shape: Shape | None, rank: int) -> int:
    """Parameters of adapters of that rank on all linear layers, a quarter of d for keys and values.

    Per layer and rank: q and o 2 x 2 d, k and v 2 x 1.25 d, gate, up and down 3 (d + f).
    """
    if shape is None:
        return 0
    return int(shape.layers * rank * (6.5 * shape.width + 3 * (shape.width + shape.inner)))


def _gib(size: int | float) -> str:
    return f"{size / 2**30:,.2f} GiB"
