"""k slots of visual tokens, their times, a question -> the answer's loss and what was looked at.

Any `AutoModelForImageTextToText` of a family in `hfs.training.prompt`: the model's own forward runs
on the model's own prompt, and takes the slots where it would have taken its vision tower's output,
so position ids, deepstack and masks stay its own. With one-hot Y the logits are the plain model's
on the same frames. One pass reads a batch of ragged prompts, padded on the right, where causal
attention never looks; the head sees only the positions that predict the answer.
"""

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from typing import Any, Literal

import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor, nn
from torch.nn.functional import pad
from torch.nn.utils.rnn import pad_sequence

from hfs import hub
from hfs.errors import UsageError
from hfs.training.adapters import LoRA, checkpoint, let_learn
from hfs.training.answer_rows import AnswerRows, answer_rows, right
from hfs.training.importance import Reading, by_gradient, make_readable
from hfs.training.losses import IGNORED, answer_loss
from hfs.training.prompt import Prompt, Prompter, chat_template
from hfs.training.slots import Choice, Slots, fill
from hfs.training.visual_tokens import Tower, VisualTokens

Importance = Literal["attention", "gradient", "gate"]


@dataclass(frozen=True)
class TeacherOutput:
    """What one batch gave; padded slots have a False mask and no importance."""

    loss: Float[Tensor, ""]
    """Mean of ``ce``."""
    ce: Float[Tensor, "b"]
    """Cross-entropy of the answer, mean over its tokens."""
    importance: Float[Tensor, "b k"] | None
    """Sums to 1 over each sample's slots. By attention it keeps its graph, through which the
    teacher learns (and, as the slots' tokens have their part in it, the choice Y too)."""
    mask: Bool[Tensor, "b k"]
    correct: Bool[Tensor, "b"]
    """The right letter is the likeliest of the letters; a free answer's tokens all are the
    likeliest."""


@dataclass(frozen=True)
class Reply:
    """The teacher's own answer to one question."""

    text: str
    letter: str | None
    """The likeliest option's, where there are options."""
    likelihoods: tuple[float, ...] = ()
    """Of the options; they sum to 1."""


class Teacher(nn.Module):
    """The reasoner that the student learns with; `Teacher.from_pretrained` makes one."""

    _adapted: Any
    """peft's view of the model, where it has adapters."""

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        image_processor: Any,
        *,
        template: str,
        tokens: int | None = None,
        lora: LoRA | None = None,
        frozen: bool = False,
        checkpointing: bool = False,
        attention_layers: int | None = None,
        revision: str = "",
    ):
        super().__init__()
        if frozen and lora:
            raise UsageError("expected a frozen teacher or one with adapters, got both: name one")
        self._takes = set(signature(model.forward).parameters)
        if "mm_encoder_outputs" not in self._takes:
            raise UsageError(
                f"expected a model that takes visual tokens (mm_encoder_outputs), got "
                f"{type(model).__name__} without: install a newer transformers"
            )
        self.model = model
        self.tokenizer, self.image_processor = tokenizer, image_processor
        self.prompter = Prompter(
            tokenizer, model.config.model_type, model.config.image_token_id, template=template
        )
        self.tower = Tower(model, image_processor, tokens=tokens)
        self.revision = revision
        make_readable(model)
        model.requires_grad_(False)
        adapted = None if frozen else let_learn(model, lora)
        object.__setattr__(self, "_adapted", adapted)  # not a second registration of the modules
        if checkpointing:
            checkpoint(model.get_decoder())
        depth = model.get_decoder().config.num_hidden_layers
        last = depth if attention_layers is None else attention_layers
        if not 1 <= last <= depth:
            raise UsageError(f"expected attention_layers of 1 to {depth}, got {last}")
        self._first_layer = depth - last
        self.train(False)

    @staticmethod
    def from_pretrained(
        model: str,
        *,
        device: str = "auto",
        dtype: str = "auto",
        tokens: int | None = None,
        lora: LoRA | None = None,
        frozen: bool = False,
        checkpointing: bool = False,
        attention_layers: int | None = None,
    ) -> "Teacher":
        """The teacher of a model's folder or name on the hub.

        ``tokens`` is the most that a frame may take (`visual_tokens.Tower` states the resize).
        Unless ``frozen``, the language model learns, whole (load it in float32 then; the loop's
        mixed precision does the rest) or by ``lora``, in float32 on any; the vision tower never.
        ``checkpointing`` trades a second forward pass of the language model for its memory.
        ``attention_layers`` is how many last layers importance by attention reads: all of them.
        """
        folder = hub.folder(model)
        where = hub.pick_device(device)
        kind = hub.pick_dtype(dtype, where)
        loaded = hub.load_model(folder, "AutoModelForImageTextToText", device=where, dtype=kind)
        tokenizer = hub.load_tokenizer(folder)
        return Teacher(
            loaded,
            tokenizer,
            hub.load_image_processor(folder),
            template=chat_template(folder, tokenizer),
            tokens=tokens,
            lora=lora,
            frozen=frozen,
            checkpointing=checkpointing,
            attention_layers=attention_layers,
            revision=f"{hub.revision_of(folder)}-{str(kind).removeprefix('torch.')}-{tokens}",
        )

    def save_pretrained(self, folder: Path) -> None:
        """A whole model with tokenizer and image processor, as `from_pretrained` loads it.

        Adapters are added to the weights of a copy.
        """
        saved = copy.deepcopy(self._adapted).merge_and_unload() if self._adapted else self.model
        hub.save(saved, folder)
        self.tokenizer.save_pretrained(folder, chat_template=self.prompter.template)
        self.image_processor.save_pretrained(folder)

    @property
    def device(self) -> torch.device:
        return next(self.model.parameters()).device

    def train(self, mode: bool = True) -> "Teacher":
        """Dropout and checkpointing are the language model's alone; the tower never trains."""
        super().train(False)
        self.training = mode
        self.model.get_decoder().train(mode)
        return self

    def encode(self, frames: UInt8[Tensor, "n 3 h w"], *, batch: int = 16) -> VisualTokens:
        """Each candidate's visual tokens, once, on the CPU; to be cached (``revision`` keys it)."""
        return self.tower.encode(frames, batch=batch)

    def forward(
        self,
        visual: Sequence[VisualTokens],
        Y: Sequence[Choice],
        times: Sequence[Sequence[float]],
        questions: Sequence[str],
        options: Sequence[Sequence[str]],
        answers: Sequence[str | int],
        *,
        importance: Importance | None = None,
    ) -> TeacherOutput:
        """Answer every sample from its own k slots.

        ``times`` are those of the k chosen frames. An answer is a text; where there are options, it
        is one of their texts, or its letter, or its index.
        """
        slots = self._slots(visual, Y, times)
        batch = self._batch(slots, times, questions, options, answers)
        mask = pad_sequence([torch.ones(len(s.tokens)) for s in slots], batch_first=True)
        mask = mask.to(self.device)
        learning, slopes = torch.is_grad_enabled(), importance in ("gradient", "gate")
        with torch.set_grad_enabled(learning or slopes):
            if slopes:
                slots = [s.watched() for s in slots]
            reading = self._reading(batch, slots, mask) if importance == "attention" else None
            logits = self._read(batch, slots, reading)
            # answer_loss has each place predict the next one; here a place predicts its own target
            ce = answer_loss(pad(logits, (0, 0, 0, 1)), pad(batch.targets, (1, 0), value=IGNORED))
            log_p = -ce * (batch.targets != IGNORED).sum(1)
            found = by_gradient(log_p, slots, mask, gate=importance == "gate") if slopes else None
        ce = ce if learning else ce.detach()
        return TeacherOutput(
            loss=ce.mean(),
            ce=ce,
            importance=reading.importance() if reading else found,
            mask=mask.bool(),
            correct=right(self.prompter, logits.detach(), batch.targets, options),
        )

    @torch.no_grad()
    def reply(
        self,
        visual: Sequence[VisualTokens],
        Y: Sequence[Choice],
        times: Sequence[Sequence[float]],
        questions: Sequence[str],
        options: Sequence[Sequence[str]],
        *,
        max_new_tokens: int = 32,
    ) -> list[Reply]:
        """The likeliest option's letter where there are options, else greedy text."""
        slots = self._slots(visual, Y, times)
        batch = self._batch(slots, times, questions, options, [0 if o else "" for o in options])
        logits = self._read(batch, slots, None)[:, 0].float()
        replies = []
        for i, choices in enumerate(options):
            if not choices:
                replies.append(Reply(self._write(batch.prompts[i], slots[i], max_new_tokens), None))
                continue
            _, letters = self.prompter.letters(len(choices))
            shares = logits[i, list(letters)].softmax(0)
            letter = chr(ord("A") + int(shares.argmax()))
            replies.append(Reply(letter, letter, tuple(shares.tolist())))
        return replies

    def _slots(
        self,
        visual: Sequence[VisualTokens],
        Y: Sequence[Choice],
        times: Sequence[Sequence[float]],
    ) -> list[Slots]:
        device = self.device
        slots = [fill(v, y, device=device) for v, y in zip(visual, Y, strict=True)]
        for s, t in zip(slots, times, strict=True):
            if len(t) != len(s.tokens) or list(t) != sorted(t):
                raise UsageError(
                    f"expected one time for each of {len(s.tokens)} slots, ascending, got {list(t)}"
                )
        return slots

    def _batch(
        self,
        slots: Sequence[Slots],
        times: Sequence[Sequence[float]],
        questions: Sequence[str],
        options: Sequence[Sequence[str]],
        answers: Sequence[str | int],
    ) -> AnswerRows:
        tokens = [s.tokens.shape[1] for s in slots]
        made = answer_rows(
            self.prompter, tokens, times, questions, options, answers,
            padding=self.tokenizer.pad_token_id or 0,
        )  # fmt: skip
        return made.to(self.device)

    def _read(
        self, batch: AnswerRows, slots: Sequence[Slots], reading: Reading | None
    ) -> Float[Tensor, "b a v"]:
        """The model's own forward, its head on the predicting positions alone."""
        inputs = self._inputs(batch.ids, slots)
        if reading is not None:
            inputs["reading"] = reading
        with _only(self.model.get_output_embeddings(), batch.predicts):
            return self.model(**inputs, use_cache=False).logits

    def _inputs(self, ids: Int[Tensor, "b t"], slots: Sequence[Slots]) -> dict[str, Any]:
        levels = range(len(slots[0].extra))
        extra = [[slot for s in slots for slot in s.extra[level].unbind()] for level in levels]
        tokens = [slot for s in slots for slot in s.tokens.unbind()]
        inputs: dict[str, Any] = {
            "input_ids": ids,
            "mm_encoder_outputs": {"image": self.tower.output(tokens, extra)},
        }
        grids = [s.grid for s in slots for _ in s.tokens if s.grid is not None]
        if grids:
            inputs["image_grid_thw"] = torch.tensor(grids, device=ids.device)
        if "mm_token_type_ids" in self._takes:
            inputs["mm_token_type_ids"] = (ids == self.prompter.image_token_id).int()
        return inputs

    def _reading(
        self, batch: AnswerRows, slots: Sequence[Slots], mask: Float[Tensor, "b k"]
    ) -> Reading:
        belongs = torch.zeros(*mask.shape, batch.ids.shape[1])
        for i, (prompt, s) in enumerate(zip(batch.prompts, slots, strict=True)):
            for j, start in enumerate(prompt.starts):
                belongs[i, j, start : start + s.tokens.shape[1]] = 1
        said = (batch.targets != IGNORED).float()
        said[:, 1:] *= batch.targets[:, 1:] != self.prompter.end[0]
        return Reading(batch.predicts, said, belongs.to(mask.device), self._first_layer)

    def _write(self, prompt: Prompt, slots: Slots, max_new_tokens: int) -> str:
        ids = torch.tensor([prompt.ids], device=self.device)
        written = self.model.generate(
            **self._inputs(ids, [slots]), do_sample=False, max_new_tokens=max_new_tokens
        )
        new = written[0, ids.shape[1] :]
        return self.tokenizer.decode(new, skip_special_tokens=True).strip()


@contextmanager
def _only(head: nn.Module, positions: Int[Tensor, "b a"]) -> Iterator[None]:
    """The head is given these positions of each sample instead of all."""

    def gather(_: nn.Module, given: tuple[Tensor, ...]) -> tuple[Tensor]:
        each = torch.arange(len(positions), device=positions.device)[:, None]
        return (given[0][each, positions],)

    handle = head.register_forward_pre_hook(gather)
    try:
        yield
    finally:
        handle.remove()
