"""Questions, options and answers -> rows of tokens for the teacher, and which answers are right.

Rows end where the last token of the answer is predicted and are padded on the right. Where there
are options, the answer is one letter behind the model's usual opening; else it is the text.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from hfs.errors import UsageError
from hfs.training.losses import IGNORED
from hfs.training.prompt import Prompt, Prompter


@dataclass(frozen=True)
class AnswerRows:
    """What the model reads, and where the answers are predicted."""

    prompts: list[Prompt]
    ids: Int[Tensor, "b t"]
    predicts: Int[Tensor, "b a"]
    targets: Int[Tensor, "b a"]
    """IGNORED beyond an answer's end."""

    def to(self, device: torch.device) -> "AnswerRows":
        """The same on another device."""
        return replace(
            self,
            ids=self.ids.to(device),
            predicts=self.predicts.to(device),
            targets=self.targets.to(device),
        )


def answer_rows(
    prompter: Prompter,
    tokens: Sequence[int],
    times: Sequence[Sequence[float]],
    questions: Sequence[str],
    options: Sequence[Sequence[str]],
    answers: Sequence[str | int],
    *,
    padding: int,
) -> AnswerRows:
    """One row a question; ``tokens`` is how many a frame takes in it, ``times`` its frames'.

    Raises UsageError where an answer names none of its options.
    """
    prompts, rows, predicts, targets = [], [], [], []
    for count, seconds, question, choices, answer in zip(
        tokens, times, questions, options, answers, strict=True
    ):
        prompt = prompter.prompt(seconds, count, question, choices)
        opening, target = _target(prompter, choices, answer)
        last = len(prompt.ids) + len(opening) - 1
        prompts.append(prompt)
        rows.append(torch.tensor(prompt.ids + opening + target[:-1]))
        predicts.append(torch.arange(last, last + len(target)))
        targets.append(torch.tensor(target))
    return AnswerRows(
        prompts,
        pad_sequence(rows, batch_first=True, padding_value=padding),
        pad_sequence(predicts, batch_first=True),
        pad_sequence(targets, batch_first=True, padding_value=IGNORED),
    )


def _target(
    prompter: Prompter, options: Sequence[str], answer: str | int
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Tokens that are given, and those that are to be predicted."""
    if not options:
        return (), prompter.answer(str(answer))
    opening, letters = prompter.letters(len(options))
    return opening, (letters[option_index(options, answer)],)


def right(
    prompter: Prompter,
    logits: Float[Tensor, "b a v"],
    targets: Int[Tensor, "b a"],
    options: Sequence[Sequence[str]],
) -> Bool[Tensor, "b"]:
    """Of the letters the right one is the likeliest; without options, every token is."""
    asked = torch.tensor([bool(choices) for choices in options], device=logits.device)
    written = ((logits.argmax(-1) == targets) | (targets == IGNORED)).all(1)
    letters = [prompter.letters(len(o))[1] if o else (0,) for o in options]
    padded = pad_sequence([torch.tensor(ids) for ids in letters], batch_first=True)
    real = pad_sequence([torch.ones(len(ids)) for ids in letters], batch_first=True).bool()
    ids = padded.to(logits.device)
    scores = logits[:, 0].gather(1, ids).masked_fill(~real.to(ids.device), float("-inf"))
    likeliest = ids.gather(1, scores.argmax(1, keepdim=True))[:, 0]
    return torch.where(asked, likeliest == targets[:, 0], written)


def option_index(options: Sequence[str], answer: str | int) -> int:
    """Which option an answer names: by index, by its text, or by its letter.

    Raises UsageError where it names none.
    """
    letters = [chr(ord("A") + i) for i in range(len(options))]
    if isinstance(answer, int) and 0 <= answer < len(options):
        return answer
    for names in (list(options), letters):
        if answer in names:
            return names.index(str(answer))
    raise UsageError(
        f"expected an answer among the options {list(options)}, their letters or indices, "
        f"got {answer!r}"
    )
