"""Text -> the terms by which a question and a transcript are compared.

A word in letters is stemmed by the rules of its script's language; a word with a digit stands as it
is written; a script without spaces gives each pair of neighbouring characters. Scripts may mix.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

import Stemmer

UNSPACED = (  # Thai to Burmese, Khmer, kana, Han, and Hangul, whose particles cling to the word
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003134f"
)
MARKS = "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u0900-\u0dff"
"""Accents and vowel signs, which are part of a word though no letters."""

_TERM = re.compile(
    rf"(?P<number>\d+(?:[.,]\d+)+)|(?P<run>[{UNSPACED}]+)|(?P<word>(?:(?![{UNSPACED}])[^\W_]|[{MARKS}])+)"
)
_UNSPACED_RUN = re.compile(f"[{UNSPACED}]")
_SCRIPTS = {
    "CYRILLIC": "russian",
    "GREEK": "greek",
    "ARABIC": "arabic",
    "DEVANAGARI": "hindi",
    "TAMIL": "tamil",
    "ARMENIAN": "armenian",
}
_ASKING_WORDS = """
a about according after all also am an and any are as ask asked at be because been before being
between but by came can clip come could describe described describes did discuss discussed
discusses do does doing don during each explain explained explains for frame from get give given
gives go had happen happened happening happens has have having he her here him his how i if in
into is isn it its just lecturer ll may mean means mention mentioned mentions might most much must
my narrator no not now of on one or other our out over presenter re s said same say saying says
scene she should show showed showing shown shows so some speaker speakers such t talk talked
talking talks tell tells than that the their them then there these they this those to told too
under until up us ve very video was we were what when where whether which while who whom whose why
will with would you your
"""
"""What a question is made of in English, whatever it asks for."""
_ASKING = frozenset(_ASKING_WORDS.split())
_ASKING_UNSPACED = re.compile(
    # the same in Chinese, Japanese and Korean
    "为什么|為什麼|什么|什麼|怎么样|怎么|怎麼|如何|哪里|哪裡|哪个|哪些|多少|视频|影片|解释|讲者|说了|请问|吗|呢"
    "|なぜ|どうして|どのように|どこ|いつ|だれ|誰が|何が|何を|なに|動画|ですか|ますか|ました|という"
    "|무엇|어떻게|어디|언제|누가|왜|동영상|영상"
)


def terms(text: str, language: str = "english") -> list[tuple[str, ...]]:
    """The words of a text in their order, each as the terms that it answers to.

    ``language`` is that of words in Latin letters. A word answers to its stem and, so that names
    can be told from their kin, to ``=word``.
    """
    stem = _Stem(language)
    return [answers for word in _words(text) for answers in _answers(word, stem)]


def asked(question: str, language: str = "english") -> dict[str, float]:
    """The terms to look for and how much each counts: words 1, those that only ask nothing.

    Of a name, half is its stem's and half its own, as it stands.
    """
    stem = _Stem(language)
    found: dict[str, float] = {}
    if question.isupper():
        question = question.casefold()
    for place, word in enumerate(_words(_ASKING_UNSPACED.sub(" ", question))):
        if (word if word[1:].isupper() else word.casefold()) in _ASKING:  # US is not us
            continue
        named = place > 0 and word[0].isupper()
        for answers in _answers(word, stem):
            looked = answers if named else answers[:1]
            found.update(dict.fromkeys(looked, 1 / len(looked)))
    return found


class _Stem:
    """Word -> its stem, by the language of its script."""

    def __init__(self, language: str):
        self.latin = language
        self.stemmers: dict[str, Stemmer.Stemmer] = {}

    def __call__(self, word: str) -> str:
        if any(c.isdigit() for c in word):
            return word
        script = unicodedata.name(word[0], "").split(" ")[0]
        language = _SCRIPTS.get(script, self.latin if script == "LATIN" else "none")
        if language == "none":
            return word
        if language not in self.stemmers:
            self.stemmers[language] = Stemmer.Stemmer(language)
        return self.stemmers[language].stemWord(word)


def _words(text: str) -> Iterator[str]:
    for match in _TERM.finditer(unicodedata.normalize("NFKC", text)):
        word = match[0]
        if match.lastgroup == "number":  # 1,200 is 1200, and 3,5 is 3.5
            word = re.sub(r",(?=\d{3}(?:\D|$))", "", word).replace(",", ".")
        yield word


def _answers(word: str, stem: _Stem) -> Iterator[tuple[str, ...]]:
    word = word.casefold()
    if not _UNSPACED_RUN.match(word):
        yield stem(word), f"={word}"
    elif len(word) == 1:
        yield (word,)
    else:
        yield from ((a + b,) for a, b in pairwise(word))
