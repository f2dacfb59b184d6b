"""Questions and answers -> a reader that never looks at the video: the floor of every figure.

It has counted, for each kind of question and each of its patterns, which answer is right how often,
and gives the most frequent one.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from hfs.world.dataset import Item

Key = tuple[str, int, str]
"""Kind, pattern, and which answers the question leaves open."""


@dataclass(frozen=True)
class QuestionReader:
    """Answers from the question alone."""

    counts: dict[Key, Counter[str]]

    @staticmethod
    def of(items: Sequence[Item]) -> "QuestionReader":
        """Count the right labels of these questions."""
        counts: dict[Key, Counter[str]] = defaultdict(Counter)
        for item in items:
            counts[_key(item)][item.label] += 1
        return QuestionReader(dict(counts))

    def free(self, item: Item) -> str:
        """The most frequent label of such questions, whatever the options are."""
        seen = self.counts.get(_key(item), Counter())
        return min(seen, key=lambda label: (-seen[label], label), default="")

    def choose(self, item: Item) -> str:
        """The letter of the option that is most frequently right, the first of equal ones."""
        seen = self.counts.get(_key(item), Counter())
        best = max(range(len(item.labels)), key=lambda i: seen[item.labels[i]])
        return "ABCDE"[best]


def _key(item: Item) -> Key:
    """``after`` and ``before`` ask for a colour or a form; the question says which."""
    asks = "colour" if "colour" in item.question.split() else ""
    return item.kind, item.template, asks


@dataclass(frozen=True)
class Floor:
    """How often the question-only reader is right, and how often chance is."""

    kind: str
    questions: int
    free: float
    choice: float
    chance: float
    """The mean of 1 / number of options."""
    priors: tuple[tuple[str, float], ...]
    """Each right label of the kind and how frequent it is, the most frequent first."""


def floors(learned: Sequence[Item], asked: Sequence[Item]) -> list[Floor]:
    """A row a kind, and one for all: the reader learns from ``learned`` and answers ``asked``."""
    reader = QuestionReader.of(learned)
    kinds = list(dict.fromkeys(sorted(item.kind for item in asked)))
    rows = [_floor(kind, reader, [i for i in asked if i.kind == kind]) for kind in kinds]
    return [*rows, _floor("all", reader, asked)]


def _floor(kind: str, reader: QuestionReader, asked: Sequence[Item]) -> Floor:
    count = len(asked)
    labels = Counter(item.label for item in asked)
    return Floor(
        kind=kind,
        questions=count,
        free=sum(reader.free(i) == i.label for i in asked) / count,
        choice=sum(reader.choose(i) == i.letter for i in asked) / count,
        chance=sum(1 / len(i.options) for i in asked) / count,
        priors=tuple((label, times / count) for label, times in labels.most_common()),
    )
