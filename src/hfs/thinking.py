"""What a language model wrote about a question -> the visual cues that must be seen to answer it.

A thought is a few lines, one cue a line, each beginning with ``when`` (the moment or scene to
find), ``what`` (a thing to look at), ``read`` (text to read), ``compare`` or ``count``:

    when the man opens the red door
    read the number above it

`Thought.of(text)` reads such lines from any model's output, whatever stands around them, and from a
data set's given thoughts. The paper (arXiv 2512.11534) guides its queries by a chain of thought;
the five kinds of cue and one cue a line are our reading.
"""

import re
from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["when", "what", "read", "compare", "count"]
KINDS: tuple[Kind, ...] = get_args(Kind)

MOST = 6
"""Cues of a thought."""
LONGEST = 160
"""Characters of a cue; a longer one is cut at a space."""

_CUE = re.compile(r"(when|what|read|compare|count)(?:\s*[:：—–-]\s*|\s+)(\S?.*\w.*)", re.IGNORECASE)
_MARK = re.compile(r"^\s*(?:[-*+•·‣▪–—>#]+\s*|\d{1,2}、\s*|\(?(?:\d{1,2}[.):]|[a-zA-Z][.)])\s+)")
_EMPHASIS = re.compile(r"\*\*|__|`")
_REFUSAL = re.compile(
    r"\b(sorry|as an ai|language model|apologi[sz]e|(?:can(?:no|')t|can not|unable to|not able to)"
    r"\s+(?:\w+\s+)?(?:see|view|watch|access|analy[sz]e|process|help|assist|answer))\b",
    re.IGNORECASE,
)
_FILLER = re.compile(r"^(?:what|which|the following|here)\b[^.]*[!?]$", re.IGNORECASE)


@dataclass(frozen=True)
class Cue:
    """One thing that must be seen."""

    kind: Kind
    what: str
    """What follows the kind, as a caption would say it: the words for a text tower."""

    def __str__(self) -> str:
        return f"{self.kind} {self.what}"

    @staticmethod
    def of(line: str) -> "Cue":
        """The cue of a line that begins with its kind; of any other line, what to look at."""
        found = _CUE.fullmatch(line.strip())
        if found is None:
            return Cue("what", line.strip())
        kind = KINDS[KINDS.index(found[1].lower())]
        return Cue(kind, found[2].strip())


@dataclass(frozen=True)
class Thought:
    """What a model wrote, the cues found in it, and what was wrong with it, if anything."""

    text: str
    cues: tuple[Cue, ...]
    note: str = ""
    """Empty unless the question itself had to serve as the only cue."""

    @staticmethod
    def of(text: str, *, most: int = MOST) -> "Thought":
        """The cues of a text; none where nothing in it reads as a cue."""
        return Thought(text, tuple(Cue.of(line) for line in parse(text, most=most)))

    def or_question(self, question: str) -> "Thought":
        """This thought, or one whose only cue is the question, with a note that says so."""
        if self.cues:
            return self
        said = " ".join(self.text.split())
        wrote = f"it wrote {said[:80]!r}" if said else "it wrote nothing"
        note = f"the question serves as the only cue: no cue was found in the thought ({wrote})"
        return Thought(self.text, (Cue("what", " ".join(question.split())),), note)

    def __str__(self) -> str:
        """The cues, one a line: what a reader is shown and what queries are bound to."""
        return "\n".join(map(str, self.cues))


def parse(text: str, *, most: int = MOST) -> tuple[str, ...]:
    """The lines of a text that are cues, tidied: at most ``most``, none twice.

    Numbers, bullets, emphasis, quotes, code fences and a model's ``<think>`` block are left out. If
    no line begins with a kind, the items of a list are taken as ``what`` cues, in any language.
    Refusals and small talk give none.
    """
    lines = [line for line in map(_line, _answer(text).splitlines()) if line is not None]
    kinded = [words for words, _ in lines if _CUE.fullmatch(words)]
    listed = [f"what {words}" for words, marked in lines if marked]
    found: dict[str, str] = {}
    for line in kinded or listed:
        cue = str(Cue.of(_cut(line)))
        found.setdefault(re.sub(r"\W+", " ", cue).strip().casefold(), cue)
    return tuple(found.values())[:most]


def _answer(text: str) -> str:
    """What is left after a block of reasoning: nothing where it never ended."""
    after = text.rpartition("</think>")[2]
    return after.partition("<think>")[0]


def _line(line: str) -> tuple[str, bool] | None:
    """A line's words, and whether it was an item of a list; None where it says nothing."""
    plain = _EMPHASIS.sub("", line)
    bare = plain
    while (shorter := _MARK.sub("", bare)) != bare:
        bare = shorter
    words = " ".join(bare.strip().strip("\"'“”‘’[],;").split()).rstrip(".。;,")
    if not re.search(r"\w", words) or _REFUSAL.search(words) or _FILLER.match(words):
        return None
    return (words, bare != plain)


def _cut(line: str) -> str:
    if len(line) <= LONGEST:
        return line
    whole = line[: LONGEST + 1].rpartition(" ")[0]
    return whole if " " in whole else line[:LONGEST]
