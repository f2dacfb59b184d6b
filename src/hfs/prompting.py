"""A question and its options -> the tokens that ask a causal language model for visual cues.

One message of the user, set in the model's own chat template, reasoning switched off where the
template knows ``enable_thinking``. A model without a template is a base model and reads the same
words plainly, ended by "Cues:". The words of question and options are data: they are tokenised on
their own, with every special token spelled out in them broken up, so they cannot end the message.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from hfs.errors import UsageError, WeightsError

VERSION = 1
"""Of the message's form; part of every cached thought's key."""

INSTRUCTION = (
    "Somebody will be shown a few frames of a video and then has to answer the question below. "
    "List what has to be seen in those frames, as short visual cues, one a line, six lines at "
    "most. Begin each line with one of these words: when (the moment or scene to find), what (a "
    "thing or person to look at), read (text to read), compare (things to compare), count (things "
    "to count). Describe what is visible; do not answer the question and write nothing else."
)

_PLACE = "hfs7question3place"
"""Marks where the message goes; letters and digits that no template or tokenizer rewrites."""


def message(question: str, options: Sequence[str], instruction: str) -> str:
    """What the user says."""
    lines = [instruction, ""] if instruction else []
    lines += [f"Question: {question}"]
    if options:
        lines += ["Options:", *(f"- {option}" for option in options)]
    return "\n".join(lines)


def prompt(
    tokenizer: Any, question: str, options: Sequence[str] = (), *, instruction: str = INSTRUCTION
) -> list[int]:
    """The token ids up to where the model writes its first cue.

    Raises WeightsError where the chat template does not take one message of a user.
    """
    said = message(question, options, instruction)
    if not tokenizer.chat_template:
        start = [] if tokenizer.bos_token_id is None else [tokenizer.bos_token_id]
        return [*start, *plain(tokenizer, f"{said}\n\nCues:\n")]
    before, after = _around(tokenizer)
    return [
        *_as_written(tokenizer, before),
        *plain(tokenizer, said),
        *_as_written(tokenizer, after),
    ]


def plain(tokenizer: Any, text: str) -> list[int]:
    """The token ids of a text as nothing but words, none of them special."""
    return tokenizer(
        unmarked(tokenizer, text),
        add_special_tokens=False,
        split_special_tokens=True,
        verbose=False,
    ).input_ids


def unmarked(tokenizer: Any, text: str) -> str:
    """The text with a space inside whatever the tokenizer would take for a mark of its own.

    Besides special tokens, tokenizers know marks that are not flagged as special, ``</think>`` for
    one, and ``split_special_tokens`` does not split those.
    """
    marks = _marks(tokenizer)
    while marks and (broken := marks.sub(lambda m: f"{m[0][0]} {m[0][1:]}", text)) != text:
        text = broken
    return text


@lru_cache(maxsize=4)
def _marks(tokenizer: Any) -> re.Pattern[str] | None:
    """What finds the longest mark at any place."""
    added = {str(token).strip() for token in tokenizer.added_tokens_decoder.values()}
    marks = [mark for mark in added if len(mark) > 1 and not mark.isalnum()]
    longest_first = sorted(marks, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first))) if marks else None


def check_length(count: int, limit: int | None) -> None:
    """Raises UsageError where a model cannot read that many tokens."""
    if limit is not None and count > limit:
        raise UsageError(
            f"expected a question and options of at most {limit} tokens for this language model, "
            f"got {count}: ask about the part that matters, or use a model with a longer context"
        )


def _around(tokenizer: Any) -> tuple[str, str]:
    """What the chat template puts before and after a message."""
    try:
        whole = tokenizer.apply_chat_template(
            [{"role": "user", "content": _PLACE}],
            tokenize=False,
            add_generation_prompt=True,
            enable_thinking=False,
        )
    except Exception as error:  # a template may raise anything
        raise WeightsError(
            f"expected a chat template that takes one message of a user, got {error}: use an "
            "instruction-tuned language model"
        ) from error
    before, place, after = whole.partition(_PLACE)
    if not place or _PLACE in after:
        raise WeightsError(
            "expected a chat template that repeats the user's message once and unchanged, got one "
            "that does not: use another language model"
        )
    return before, after


def _as_written(tokenizer: Any, text: str) -> list[int]:
    return tokenizer(text, add_special_tokens=False, verbose=False).input_ids if text else []
