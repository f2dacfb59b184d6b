"""Questions -> a language model that thinks: it learns to write the cues of the questions."""

from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.utils.rnn import pad_sequence

from hfs import prompting
from hfs.training.losses import IGNORED, answer_loss
from hfs.training.recipe import Moment, Outcome
from hfs.world import Item


@dataclass(frozen=True)
class Question:
    """A question as the model is asked it, and the thought that it should write."""

    prompt: tuple[int, ...]
    thought: tuple[int, ...]
    """Its tokens and the end of the turn."""


@dataclass(frozen=True)
class Questions:
    """A `Source` of the world's questions."""

    items: tuple[Item, ...]
    tokenizer: Any

    def __len__(self) -> int:
        return len(self.items)

    def name(self, index: int) -> str:
        return self.items[index].id

    def load(self, index: int) -> Question:
        item = self.items[index]
        options = item.options if index % 2 else ()  # with and without, so that both are known
        asked = prompting.prompt(self.tokenizer, item.question, options, instruction="")
        written = prompting.plain(self.tokenizer, item.thought)
        return Question(tuple(asked), (*written, self.tokenizer.eos_token_id))


@dataclass(frozen=True)
class Thinking:
    """Cross-entropy of the thought's tokens, mean over each thought."""

    def __call__(self, models: Any, questions: list[Question], at: Moment) -> Outcome:
        slm = models.slm
        device = next(slm.parameters()).device
        rows = [torch.tensor(q.prompt + q.thought) for q in questions]
        ids = pad_sequence(rows, batch_first=True)
        labels = torch.full_like(ids, IGNORED)
        for i, q in enumerate(questions):
            start = len(q.prompt)
            labels[i, start : start + len(q.thought)] = torch.tensor(q.thought)
        logits = slm(input_ids=ids.to(device), use_cache=False).logits
        each = answer_loss(logits, labels.to(device))
        return Outcome(each, {"thought": each.detach()})
