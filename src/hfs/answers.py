"""The text a model answered with -> the letter of the option it names, or none: never a guess.

A letter counts where the text can be read in one way only: it is the letter and nothing else, it
leads with the letter and a mark (``B.``, ``(B)``) and marks no other, or it declares one (``The
answer is B``). Two letters, a letter that no option has, or a word that only begins like one are no
answer.
"""

import re
from collections.abc import Sequence
from string import ascii_uppercase

from hfs.errors import UsageError

_END = r"(?=\s*(?:$|[.,;:!?)\]\n]|\(|\s(?:because|since|as|which)\b))"
"""What may follow a declared letter: the end of its clause, so that "is A dog" declares nothing."""

_ALONE = re.compile(r"[(\[]?([A-Za-z])[)\]]?[.:]?")
_LEAD = re.compile(
    r"(?:[(\[]([A-Z])[)\]][.:]?|([A-Z])[).:])(?=\s|$)|([A-Z])(?=\s*\n|\s+[-–—]\s)"
    r"|([A-Z])\s+is\s+(?:the\s+)?(?:correct|right|best|answer)\b"
)
_MARKED = re.compile(r"(?<![\w.])(?:[(\[]([A-Z])[)\]]|([A-Z])[).:](?=\s|$))")
_DECLARED = re.compile(
    r"\b(?i:answer|option|choice)(?:\s+(?i:is|would\s+be|should\s+be)\b|\s*:)?\s*:?\s*"
    r"(?:(?i:option|choice)\s+)?(?:[(\[]([A-Z])[)\]]|([A-Z])\b" + _END + ")"
)
_BOXED = re.compile(r"\\boxed\{\s*(?:\\text\{)?\s*\(?([A-Z])\)?\s*\}")
_DENIED = re.compile(
    r"\b(?i:not|neither|nor|isn't|except)\s+(?:(?i:option)\s+)?[(\[]?([A-Z])\b[)\]]?"
)
_ALTERNATIVES = re.compile(
    r"(?<!\w)[(\[]?[A-Z][)\].]?\s*(?:\b(?i:or|and)\b|[,/&-])\s*(?:(?i:option)\s+)?[(\[]?[A-Z](?!\w)"
)


INSTRUCTION = "Answer with the option's letter from the given choices directly."
"""Of LongVideoBench and lmms-eval."""


def prompt(question: str, options: Sequence[str] = ()) -> str:
    """The question alone, or with its options by letter and how to answer."""
    if not options:
        return question
    named = zip(letters(len(options)), options, strict=True)
    return "\n".join([question, *(f"{one}. {option}" for one, option in named), INSTRUCTION])


def letters(count: int) -> str:
    """``ABCD`` for four options. Raises UsageError for more options than letters."""
    if count > len(ascii_uppercase):
        raise UsageError(f"expected at most {len(ascii_uppercase)} options, got {count}")
    return ascii_uppercase[:count]


def letter(text: str, options: Sequence[str]) -> str | None:
    """The one option that the text names, as its letter; None where it names none or several.

    What stands before ``</think>`` is not part of the answer, and a thought that never ends leaves
    none.
    """
    known = letters(len(options))
    text = _answer(text)
    if alone := _ALONE.fullmatch(text):
        return _among(known, {alone[1].upper()})
    named = _named(text, options)
    return _among(known, named) if named else _spelled(text, options)


def _named(text: str, options: Sequence[str]) -> set[str]:
    """The letters that the text leads with or declares; ``?`` beside them for a contradiction."""
    named = {one for found in _BOXED.finditer(text) for one in found.groups() if one}
    kept = _DENIED.sub(" ", text)
    for found in _DECLARED.finditer(kept):
        named |= {one for one in found.groups() if one}
    if lead := _LEAD.match(text):
        first = next(one for one in lead.groups() if one)
        rest = _spelled(text[lead.end() :], options)
        named |= {first} | {other for other in (rest, _spelled(text, options)) if other}
        if rest != first:  # the option's own words may hold marks
            marks = {one for found in _MARKED.finditer(kept) for one in found.groups() if one}
            named |= marks & set(letters(len(options)))
    if named and _ALTERNATIVES.search(kept):
        named.add("?")
    return named


def _among(known: str, named: set[str]) -> str | None:
    only = next(iter(named))
    return only if len(named) == 1 and only in known else None


def _spelled(text: str, options: Sequence[str]) -> str | None:
    """The letter of the only option with exactly this text, but for case and a full stop."""
    wanted = _plain(text)
    same = [i for i, option in enumerate(options) if _plain(option) == wanted]
    return letters(len(options))[same[0]] if wanted and len(same) == 1 else None


def _plain(text: str) -> str:
    return " ".join(text.casefold().rstrip(" .").split())


def _answer(text: str) -> str:
    head, thought, tail = text.rpartition("</think>")
    if not thought and "<think>" in head + tail:
        return ""
    if len(tagged := re.findall(r"<answer>(.*?)</answer>", tail, re.DOTALL)) == 1:
        tail = tagged[0]
    bare = re.sub(r"[*`\"“”]+", "", tail)
    return re.sub(r"[‘’']([A-Za-z])[‘’']", r"\1", bare).strip()
