"""Patterns with alternatives -> paraphrases, dealt out so that no two splits share a sentence.

``{a|b}`` is a choice of words, ``<x>`` a place to be filled. Splits share the words and differ in
how they are put together, so that a model trained from zero can read what it is tested on.
"""

import random
import re
from functools import lru_cache
from itertools import product
from typing import Literal, get_args

from hfs.errors import UsageError

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
_TURN: tuple[Split, ...] = ("train", "validation", "train", "test", "train")
"""Who gets the next sentence, round and round."""


@lru_cache(maxsize=256)
def sentences(pattern: str, split: Split) -> tuple[str, ...]:
    """The pattern's sentences for one split: three fifths are for training."""
    every = expand(pattern)
    order = list(range(len(every)))
    random.Random(pattern).shuffle(order)
    return tuple(every[j] for i, j in enumerate(order) if _TURN[i % len(_TURN)] == split)


def expand(pattern: str) -> list[str]:
    """Every sentence of the pattern, its first letter a capital."""
    parts = re.split(r"\{([^{}]*)\}", pattern)
    choices = [part.split("|") if i % 2 else [part] for i, part in enumerate(parts)]
    joined = (" ".join("".join(words).split()) for words in product(*choices))
    joined = (text.replace(" ?", "?") for text in joined)  # an empty choice before it
    return [f"{text[:1].upper()}{text[1:]}" for text in joined]


def fill(sentence: str, places: dict[str, str]) -> str:
    """The sentence with its places filled."""
    for place, text in places.items():
        sentence = sentence.replace(f"<{place}>", text)
    return sentence


def check_split(split: str) -> Split:
    """The name as it is; UsageError for any other."""
    if split not in SPLITS:
        raise UsageError(f"expected a split of {', '.join(SPLITS)}, got {split!r}")
    return split
