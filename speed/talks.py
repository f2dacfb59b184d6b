"""Seeded hour-long talks, in text alone -> how much of the evidence k of 3600 frames hit.

    python speed/talks.py --talks 25 --seed 1000

Each question is about one or two facts, told in one to three passages of some twenty seconds among
fifty such passages, chatter, and digressions that name the same things. The reference scores cues
by BM25 (bm25s), takes the best, suppresses what is within 15 s, and repeats. Seeds below 1000 were
looked at while the scorers were made, so they are not to be reported.

With 25 talks from seed 1000 on (250 questions, k = 8, five minutes on a core): recall 0.789 for the
reference, 0.810 for it with stems, 0.895 for the relevance 15 s apart, and 0.895 and 0.903 for hfs
with one picture all along and with slides.
"""

import argparse
import json
import math
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import bm25s  # pyright: ignore[reportMissingImports]  (a reference, no dependency)
import Stemmer
import torch
from talk_words import BACKGROUND, CAUSES, DIGRESSIONS, FILLER, PASSAGE, PEOPLE, QUESTIONS, TOPICS
from torch import Tensor
from torch.nn.functional import normalize

from hfs import plugins
from hfs.content import content
from hfs.judging.bootstrap import interval, resampled_means
from hfs.scorers.lexical import Scorer
from hfs.scoring import calibrate, scores
from hfs.types import Candidates, Evidence, Features, Query, TimedText

HOUR = 3600
GAP = 15.0
Word = tuple[str, str]
"""As said, and as a question may put it instead."""
Cue = tuple[float, float, str]


@dataclass(frozen=True)
class Fact:
    """One thing that a talk explains: ``a`` does ``verb`` to ``b`` because of ``cause``."""

    topic: str
    a: Word
    b: Word
    verb: Word
    cause: Word
    who: str
    n: int
    unit: str

    def said(self, template: str) -> str:
        return template.format(
            topic=self.topic,
            a=self.a[0],
            b=self.b[0],
            verb=self.verb[0],
            verbs=third_person(self.verb[0]),
            cause=self.cause[0],
            who=self.who,
            n=self.n,
            unit=self.unit,
        )

    def asked(self, template: str, draw: random.Random, paraphrase: float) -> str:
        """The question in other words, but for one of the two things, which keeps its name."""
        a, b, verb = (pair[draw.random() < paraphrase] for pair in (self.a, self.b, self.verb))
        if (a, b) == (self.a[1], self.b[1]):
            a, b = draw.choice([(self.a[0], b), (a, self.b[0])])
        return template.format(
            a=a, b=b, verb=verb, verbs=third_person(verb), cause=self.cause[1], who=self.who
        )


@dataclass(frozen=True)
class Question:
    """What is asked, and the passages ``[start, end)`` that answer it."""

    text: str
    evidence: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Talk:
    """An hour of cues, and questions about it."""

    cues: tuple[Cue, ...]
    questions: tuple[Question, ...]


def third_person(verb: str) -> str:
    first, *rest = verb.split()
    return " ".join([first + ("es" if first.endswith(("s", "sh", "ch", "x")) else "s"), *rest])


def pairs(text: str) -> list[Word]:
    return [(said, asked) for said, asked in (pair.strip().split("|") for pair in text.split(","))]


def facts(topic: str, count: int, draw: random.Random) -> list[Fact]:
    nouns, verbs = map(pairs, TOPICS[topic])
    chosen = draw.sample([(a, b) for a in nouns for b in nouns if a != b], count)
    causes, units = [pair for text in CAUSES for pair in pairs(text)], ("day", "week", "season")
    return [
        Fact(
            topic, a, b, draw.choice(verbs), draw.choice(causes), draw.choice(PEOPLE),
            draw.randrange(3, 98), draw.choice(units),
        )
        for a, b in chosen
    ]  # fmt: skip


def script(draw: random.Random) -> tuple[list[tuple[str, int | None]], list[Fact]]:
    """Sentences with the passage that each belongs to, and the fact of each passage."""
    topics = draw.sample(sorted(TOPICS), 9)
    told = {topic: facts(topic, 5, draw) for topic in topics}
    every = [fact for topic in topics for fact in told[topic]]
    lines: list[tuple[str, int | None]] = [
        (f"today we talk about {topic} and about the {told[topic][0].a[0]}", None)
        for topic in topics
    ]
    passages: list[Fact] = []

    def chat(topic: str, count: int) -> None:
        for kind in draw.choices(("filler", "background", "digression"), (5, 4, 1), k=count):
            if kind == "filler":
                line = draw.choice(FILLER)
            elif kind == "background":
                line = draw.choice(told[topic]).said(draw.choice(BACKGROUND))
            else:
                line = draw.choice(every).said(draw.choice(DIGRESSIONS))
            lines.append((line, None))

    def tell(fact: Fact) -> None:
        passages.append(fact)
        for shape in (PASSAGE[0], *draw.sample(PASSAGE[1:], draw.randint(3, 5))):
            lines.append((fact.said(draw.choice(shape)), len(passages) - 1))
            if draw.random() < 0.15:
                lines.append((draw.choice(FILLER), len(passages) - 1))

    for topic in topics:
        plan = [*told[topic], *(fact for fact in told[topic] if draw.random() < 0.35)]
        for fact in draw.sample(plan, len(plan)):
            chat(topic, draw.randint(7, 13))
            tell(fact)
        chat(topic, 4)
    return lines, passages


def talk(seed: int, questions: int = 10, paraphrase: float = 0.4) -> Talk:
    """Nine topics, some fifty passages, and cues that break anywhere, as a live captioner's do."""
    draw = random.Random(seed)
    lines, passages = script(draw)
    spoken = [(word, line) for line, (text, _) in enumerate(lines) for word in text.split()]
    step = HOUR / len(spoken)
    spans: dict[int, tuple[float, float]] = {}
    for i, (_, line) in enumerate(spoken):
        passage = lines[line][1]
        if passage is not None:
            spans[passage] = (spans.get(passage, (i * step,))[0], (i + 1) * step)
    cues: list[Cue] = []
    i = 0
    while i < len(spoken):
        j = min(len(spoken), i + draw.randint(5, 11))
        cues.append((i * step, j * step, " ".join(word for word, _ in spoken[i:j])))
        i = j
    asked: list[Question] = []
    while len(asked) < questions:
        chosen = draw.sample(passages, 1 if draw.random() < 0.7 else 2)
        evidence = tuple(spans[p] for p, fact in enumerate(passages) if fact in chosen)
        if len(evidence) <= 3:
            text = " ".join(f.asked(draw.choice(QUESTIONS), draw, paraphrase) for f in chosen)
            asked.append(Question(text, evidence))
    return Talk(tuple(cues), tuple(asked))


def best_apart(score: Tensor, times: Tensor, k: int) -> list[float]:
    """The times of the best score, then of the best at least ``GAP`` away from those, and so on."""
    left, chosen = score.double().clone(), []
    for _ in range(k):
        chosen.append(float(times[left.argmax()]))
        left[(times - chosen[-1]).abs() <= GAP] = -math.inf
    return chosen


def reference(talk: Talk, stemmer: Any = None) -> Callable[[str, int], list[float]]:
    """Cues by BM25, with or without a stemmer."""

    def split(texts: list[str]) -> Any:
        return bm25s.tokenize(
            texts, stopwords="en", stemmer=stemmer, return_ids=False, show_progress=False
        )

    index = bm25s.BM25()
    index.index(split([cue[2] for cue in talk.cues]), show_progress=False)
    middles = torch.tensor([(start + end) / 2 for start, end, _ in talk.cues])

    def pick(question: str, k: int) -> list[float]:
        return best_apart(torch.from_numpy(index.get_scores(split([question])[0])), middles, k)

    return pick


def looks(kind: str, times: Tensor, seed: int) -> Features:
    """``podium``: one picture all the hour. ``slides``: another one every 20 to 90 seconds."""
    generator = torch.Generator().manual_seed(seed)
    if kind == "podium":
        shown = torch.zeros(HOUR, dtype=torch.int64)
    else:
        lasts = torch.randint(20, 91, (HOUR // 20,), generator=generator)
        shown = torch.repeat_interleave(torch.arange(len(lasts)), lasts)[:HOUR]
    pictures = torch.randn(HOUR // 20, 64, generator=generator) + 1.0  # of one template
    vectors = pictures[shown] + 0.1 * torch.randn(HOUR, 64, generator=generator)
    return Features(normalize(vectors, dim=1), times, torch.arange(HOUR), kind)


def glimpses(question: Question, times: Tensor, seed: int, strength: float) -> Tensor:
    """Cosines with a question: shots that differ, noise, and in half of the passages ``strength``
    standard deviations more."""
    generator = torch.Generator().manual_seed(seed)
    lasts = torch.randint(3, 40, (HOUR // 3,), generator=generator)
    shots = torch.randn(len(lasts), generator=generator).repeat_interleave(lasts)[:HOUR]
    x = 0.9 * shots + 0.45 * torch.randn(HOUR, generator=generator)
    for start, end in question.evidence:
        if torch.rand((), generator=generator) < 0.5:
            x[(times >= start) & (times < end)] += strength
    return 0.12 + 0.02 * x


def ask(talk: Talk, seed: int, k: int) -> list[dict[str, tuple[float, float]]]:
    """For each question and way to pick: the share of its passages hit, and whether any was."""
    times = torch.arange(HOUR, dtype=torch.float64) + 0.5
    candidates = Candidates(times, torch.arange(HOUR), 0.0, float(HOUR))
    evidence = Evidence(tuple(TimedText(*cue, "subtitles") for cue in talk.cues))
    seen = {kind: looks(kind, times, seed) for kind in ("podium", "slides")}
    plain, stemmed = reference(talk), reference(talk, Stemmer.Stemmer("english"))
    selector = plugins.build("selectors", "hfs")
    rows = []
    for number, question in enumerate(talk.questions):
        query = Query(question.text, (), (question.text,), torch.ones(1))
        found = scores(candidates, seen["podium"], evidence, query, [Scorer()])
        picks = {
            "BM25, 15 s apart": plain(question.text, k),
            "BM25 of stems, 15 s apart": stemmed(question.text, k),
            "relevance, 15 s apart": best_apart(found.relevance, times, k),
        }
        for kind, features in seen.items():
            whole = content(features, evidence, found.channels)
            chosen = selector(found, whole, k, torch.Generator())
            picks[f"hfs, {kind}"] = times[chosen].tolist()
        for strength, name in ((0.0, "blind"), (4.0, "seeing")):
            visual = calibrate(glimpses(question, times, 1000 * seed + number, strength))
            both = torch.stack([found.relevance, visual])
            picks[f"{name} visual, noisy or"] = best_apart(1 - (1 - both).prod(0), times, k)
            picks[f"{name} visual, mean"] = best_apart(both.mean(0), times, k)
            picks[f"{name} visual, maximum"] = best_apart(both.amax(0), times, k)
        rows.append({name: hit(times, question) for name, times in picks.items()})
    return rows


def hit(times: list[float], question: Question) -> tuple[float, float]:
    hits = [any(start <= t < end for t in times) for start, end in question.evidence]
    return sum(hits) / len(hits), float(any(hits))


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--talks", type=int, default=25)
    options.add_argument("--seed", type=int, default=1000)
    options.add_argument("-k", type=int, default=8)
    given = options.parse_args()
    torch.set_num_threads(1)
    begun, rows = time.perf_counter(), []
    for seed in range(given.seed, given.seed + given.talks):
        rows += ask(talk(seed), seed, given.k)
        print(f"{len(rows)} questions, {time.perf_counter() - begun:.0f} s", file=sys.stderr)
    names = list(rows[0])
    recall, any_hit = (torch.tensor([[row[n][i] for n in names] for row in rows]) for i in (0, 1))
    draws = resampled_means(recall, seed=0)
    low, high = interval(draws / draws[:, :1])
    table = {
        name: {
            "recall": round(float(recall[:, i].mean()), 4),
            "hit": round(float(any_hit[:, i].mean()), 4),
            "ratio": round(float(recall[:, i].mean() / recall[:, 0].mean()), 4),
            "ratio_95": [round(float(low[i]), 4), round(float(high[i]), 4)],
        }
        for i, name in enumerate(names)
    }
    print(json.dumps({"questions": len(rows), "k": given.k, "ways": table}, indent=2))


if __name__ == "__main__":
    main()
