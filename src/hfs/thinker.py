"""Questions and a causal language model -> thoughts, written greedily, stopped after enough cues.

Any instruction-tuned model of transformers that generates text serves. Thoughts are kept by the
model's exact files and precision, the form and words of the prompt, and the bounds of decoding.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from hfs import hub, prompting
from hfs.cache import Cache
from hfs.thinking import MOST, Thought, parse

NOTHING = Cache(None)
WRITTEN = 8
"""New tokens between two looks at whether enough cues are there."""


@dataclass(frozen=True)
class Thinker:
    """A language model with its tokenizer; ``revision`` names its exact weights and precision."""

    model: Any
    tokenizer: Any
    revision: str
    instruction: str = prompting.INSTRUCTION
    most: int = MOST
    """Cues of a thought."""
    tokens: int = 160
    """Most tokens of a thought."""
    batch: int = 16
    """Questions at once; the longest are answered first."""

    def __call__(
        self, questions: Sequence[str], options: Sequence[Sequence[str]], cache: Cache = NOTHING
    ) -> list[Thought]:
        """A thought a question; where no cue is found, its question serves, and a note says so."""
        texts: dict[int, str] = {}
        keys = [self._key(q, o) for q, o in zip(questions, options, strict=True)]
        for i, key in enumerate(keys):
            if isinstance(found := cache.json("thoughts", key), str):
                texts[i] = found
        prompts = {
            i: prompting.prompt(
                self.tokenizer, questions[i], options[i], instruction=self.instruction
            )
            for i in range(len(questions))
            if i not in texts
        }
        for group in _groups(prompts, self.batch):
            written = self.write([prompts[i] for i in group])
            for i, text in zip(group, written, strict=True):
                cache.put_json("thoughts", keys[i], text)
                texts[i] = text
        return [
            Thought.of(texts[i], most=self.most).or_question(question)
            for i, question in enumerate(questions)
        ]

    def write(self, prompts: list[list[int]]) -> list[str]:
        """What the model writes after each prompt, a last line that was cut off left out."""
        limit = getattr(self.model.config, "max_position_embeddings", None)
        prompting.check_length(max(map(len, prompts)) + self.tokens, limit)
        ids, mask = _left_padded(prompts, self._pad)
        device = next(self.model.parameters()).device
        with torch.no_grad():
            out = self.model.generate(
                ids.to(device),
                attention_mask=mask.to(device),
                generation_config=self._decoding,
                stopping_criteria=self._enough(ids.shape[1]),
            )
        ends = {*self._ends, *({self._pad} if self._ends else ())}
        return [self._text(row, ends) for row in out[:, ids.shape[1] :].tolist()]

    def _text(self, row: list[int], ends: set[int]) -> str:
        stop = next((i for i, token in enumerate(row) if token in ends), None)
        text = self.tokenizer.decode(row[:stop], skip_special_tokens=True).strip()
        if stop is None and len(row) >= self.tokens and "\n" in text:
            text = text.rpartition("\n")[0]
        return text

    def _enough(self, start: int) -> Any:
        """Ends a row once it holds ``most`` whole lines that are cues."""
        from transformers import StoppingCriteriaList

        done: dict[int, bool] = {}

        def enough(ids: Int[Tensor, "b t"], scores: Any, **_: Any) -> Bool[Tensor, "b"]:
            if (ids.shape[1] - start) % WRITTEN == 0:
                for i, row in enumerate(ids[:, start:].tolist()):
                    whole = self.tokenizer.decode(row, skip_special_tokens=True).rpartition("\n")[0]
                    done[i] = len(parse(whole, most=self.most)) >= self.most
            return torch.tensor([done.get(i, False) for i in range(len(ids))], device=ids.device)

        return StoppingCriteriaList([enough])  # pyright: ignore[reportArgumentType]

    @property
    def _decoding(self) -> Any:
        """Greedy, whatever the model's own settings are."""
        from transformers import GenerationConfig

        return GenerationConfig(
            do_sample=False,
            num_beams=1,
            temperature=1.0,
            top_p=1.0,
            top_k=50,
            repetition_penalty=1.0,
            no_repeat_ngram_size=0,
            max_new_tokens=self.tokens,
            eos_token_id=self._ends or None,
            pad_token_id=self._pad,
        )

    @property
    def _ends(self) -> list[int]:
        """Tokens that end a message: the model's own and the tokenizer's."""
        own = getattr(self.model.generation_config, "eos_token_id", None)
        several = own if isinstance(own, list) else [own]
        return sorted({e for e in (*several, self.tokenizer.eos_token_id) if e is not None})

    @property
    def _pad(self) -> int:
        pad = self.tokenizer.pad_token_id
        return pad if pad is not None else next(iter(self._ends), 0)

    def _key(self, question: str, options: Sequence[str]) -> dict[str, str]:
        return {
            "model": self.revision,
            "message": prompting.message(question, options, self.instruction),
            "decoding": f"prompt {prompting.VERSION}, {self.tokens} tokens, {self.most} cues",
        }


@lru_cache(maxsize=2)
def thinker(model: str, device: str, dtype: str, tokens: int) -> Thinker:
    """The thinker of a hub name or folder, loaded once a process. Raises as `hfs.hub` does."""
    folder = hub.folder(model)
    where = hub.pick_device(device)
    kind = hub.pick_dtype(dtype, where)
    loaded = hub.load_model(folder, "AutoModelForCausalLM", device=where, dtype=kind)
    revision = f"{hub.revision_of(folder)}-{str(kind).removeprefix('torch.')}"
    return Thinker(loaded, hub.load_tokenizer(folder), revision, tokens=tokens)


def _groups(prompts: dict[int, list[int]], size: int) -> Iterator[list[int]]:
    """Batches of like length, so that little is padding; the longest first, to fail early."""
    order = sorted(prompts, key=lambda i: -len(prompts[i]))
    for start in range(0, len(order), size):
        yield order[start : start + size]


def _left_padded(rows: list[list[int]], pad: int) -> tuple[Int[Tensor, "b t"], Bool[Tensor, "b t"]]:
    longest = max(map(len, rows))
    ids = torch.tensor([[pad] * (longest - len(row)) + row for row in rows])
    mask = torch.tensor([[False] * (longest - len(row)) + [True] * len(row) for row in rows])
    return ids, mask
