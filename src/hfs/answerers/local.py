"""Frames and a question -> the answer of a multimodal model of transformers on this machine."""

import inspect
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from hfs import hub
from hfs.answerers import Answer, Asked
from hfs.answers import letter, letters
from hfs.chat import Chat
from hfs.errors import UsageError
from hfs.message import Message, Pairing, within

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answerer:
    """Any image-text-to-text model of transformers, on this machine, greedily."""

    model: str
    """A local folder, or a name on the hub, ``@revision`` included where it is pinned."""
    choice: Literal["generate", "likelihood"] = "generate"
    """How one of several options is chosen: from the text, or by comparing the letters'
    probabilities, where every answer is one of the options. Open questions are always texts."""
    pairing: Pairing = "images"
    """A video needs a model whose videos state times (Qwen3-VL), and torchvision."""
    pixels: int | None = None
    """Frames with more pixels are shrunk to this many."""
    batch: int = 1
    """Questions answered at once."""
    new_tokens: int = 64
    """Longest answer."""
    device: str = "auto"
    dtype: str = "auto"
    device_map: str | None = None
    """``auto`` spreads the model over several accelerators."""

    def __post_init__(self) -> None:
        if min(self.batch, self.new_tokens, 1 if self.pixels is None else self.pixels) < 1:
            raise UsageError("expected batch, new_tokens and pixels of at least 1")
        hub.pick_dtype(self.dtype, hub.pick_device(self.device))

    def __call__(self, items: Sequence[Asked]) -> list[Answer]:
        """A question that does not fit the model or its memory is an error of its own answer."""
        _ = self._chat, self._model  # what no question can survive is raised here
        starts = range(0, len(items), self.batch)
        return [a for i in starts for a in self._answers(items[i : i + self.batch])]

    @property
    def revision(self) -> str:
        """The exact files of the model."""
        return hub.revision_of(self._folder)

    def _answers(self, items: Sequence[Asked]) -> list[Answer]:
        started = time.perf_counter()
        try:
            answers, failure = self._ask(items), ""
        except (torch.OutOfMemoryError, UsageError, ValueError) as error:
            failure = f"{type(error).__name__}: {' '.join(str(error).split())}"
            answers = [Answer("", error=failure)]
        if failure and len(items) > 1:  # here, where the failed batch's memory is free again
            log.warning("a batch of %d failed (%s): one by one", len(items), failure)
            return [answer for item in items for answer in self._answers([item])]
        seconds = (time.perf_counter() - started) / len(items)
        return [replace(answer, seconds=seconds) for answer in answers]

    def _ask(self, items: Sequence[Asked]) -> list[Answer]:
        inputs = self._chat([message(item, self.pixels) for item in items])
        counts = inputs["attention_mask"].sum(1).tolist()
        self._check(max(counts))
        inputs = inputs.to(self._model.device, dtype=self._model.dtype)
        compared = self.choice == "likelihood" and all(item.options for item in items)
        if self.choice == "likelihood" and not compared and len(items) > 1:
            return [answer for item in items for answer in self._ask([item])]
        with torch.no_grad():
            found = self._compare(inputs, items) if compared else self._generate(inputs, items)
        return [replace(a, tokens_in=n) for a, n in zip(found, counts, strict=True)]

    def _generate(self, inputs: Any, items: Sequence[Asked]) -> list[Answer]:
        tokenizer, read = self._chat.processor.tokenizer, inputs["input_ids"].shape[1]
        written = self._model.generate(
            **inputs,
            max_new_tokens=self.new_tokens,
            do_sample=False,
            num_beams=1,
            temperature=None,
            top_p=None,
            top_k=None,
            pad_token_id=tokenizer.pad_token_id,
        )[:, read:].cpu()
        texts = tokenizer.batch_decode(written, skip_special_tokens=True)
        # some templates begin the thought themselves; an answer comes only after its end
        thinks = tokenizer.decode(inputs["input_ids"][0, -16:]).rstrip().endswith("<think>")
        answers = []
        for text, item, row in zip(texts, items, written, strict=True):
            named = letter("<think>" * thinks + text, item.options) if item.options else None
            answers.append(Answer(text.strip(), named, tokens_out=self._length(row)))
        return answers

    def _length(self, written: Int[Tensor, "t"]) -> int:
        """Tokens up to and with the one that ended the answer."""
        ends = self._model.generation_config.eos_token_id
        known = torch.tensor([] if ends is None else ends, dtype=written.dtype)
        last = torch.isin(written, known).nonzero()
        return int(last[0]) + 1 if len(last) else len(written)

    def _compare(self, inputs: Any, items: Sequence[Asked]) -> list[Answer]:
        last = {"logits_to_keep": 1} if "logits_to_keep" in self._takes else {}
        logits = self._model(**inputs, **last, use_cache=False).logits[:, -1].float()
        answers = []
        for row, item in zip(logits.log_softmax(-1).cpu(), items, strict=True):
            shares = self._shares(row, len(item.options))
            best = letters(len(item.options))[int(shares.argmax())]
            answers.append(Answer(best, best, likelihoods=tuple(shares.tolist())))
        return answers

    def _shares(self, logp: Float[Tensor, "v"], count: int) -> Float[Tensor, "c"]:
        """Each letter's probability among the letters, over every way to begin with it."""
        ways = [self._spellings(one) for one in letters(count)]
        return torch.stack([logp[ids].logsumexp(0) for ids in ways]).softmax(0)

    def _spellings(self, one: str) -> list[int]:
        """The single tokens that write a letter, with and without a space before it."""
        tokenizer = self._chat.processor.tokenizer
        spelled = [tokenizer.encode(text, add_special_tokens=False) for text in (one, f" {one}")]
        ids = {s[0] for s in spelled if len(s) == 1} | {tokenizer.convert_tokens_to_ids(one)}
        return sorted(ids - {None, tokenizer.unk_token_id})

    def _check(self, tokens: int) -> None:
        config = self._model.config.get_text_config()
        most = getattr(config, "max_position_embeddings", None)
        if most is not None and tokens + self.new_tokens > most:
            raise UsageError(
                f"expected a prompt and answer of at most {most} tokens, got {tokens} and "
                f"{self.new_tokens}: show fewer or smaller frames (pixels=...)"
            )

    @cached_property
    def _folder(self) -> Any:
        return hub.folder(self.model)

    @cached_property
    def _chat(self) -> Chat:
        return Chat.of(self._folder, self.pairing)

    @cached_property
    def _model(self) -> Any:
        device = hub.pick_device(self.device)
        model = hub.load_model(
            self._folder,
            "AutoModelForImageTextToText",
            device=device,
            dtype=hub.pick_dtype(self.dtype, device),
            device_map=self.device_map,
        )
        if model.config.is_encoder_decoder:
            raise UsageError(
                f"expected a model that goes on with its prompt, got {type(model).__name__}, which "
                "encodes it: name a chat model such as Qwen3-VL"
            )
        return model

    @cached_property
    def _takes(self) -> set[str]:
        """The arguments of the model's forward pass."""
        return set(inspect.signature(self._model.forward).parameters)


def message(item: Asked, pixels: int | None) -> Message:
    """What is shown and said for a question, its frames no larger than asked for."""
    return Message(within(item.frames, pixels), item.prompt, item.duration, item.subtitles)
