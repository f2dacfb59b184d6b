"""A question's words and timed text -> how much of the question is said or shown near a candidate.

BM25 without documents: text has a time, so the frequency f of a term at a candidate is the sum over
its occurrences of ``exp(-distance / reach)``, however a captioner cut the text into cues. A facet's
score is the sum over its terms of ``rarity * f / (f + saturation)``. Rarity is BM25's idf over
candidates, near an occurrence or not: words that are everywhere count for nothing in any language.
Text on the screen counts only while it is shown, as a frame a second later does not show it.
Source: Robertson and Zaragoza 2009 (BM25); Lv and Zhai 2009 (positional language models).
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from hfs.terms import asked, terms
from hfs.types import Candidates, Channel, Evidence, Features, Query, TimedText

SHOWN = "ocr"
"""The source whose words all hold for their item's whole time; spoken ones follow one another."""


@dataclass(frozen=True)
class Scorer:
    """Words of the question in what is said or shown nearby, one channel for each source."""

    language: str = "english"
    """Of words in Latin letters: a Snowball stemmer, or ``none``."""
    reach: float = 8.0
    """Seconds over which the weight of a word falls to 1/e."""
    saturation: float = 2.0
    """The higher, the more repeating one term counts against covering several."""

    def __call__(
        self, candidates: Candidates, features: Features, evidence: Evidence, query: Query
    ) -> list[Channel]:
        questions = [asked(facet, self.language) for facet in query.facets]
        wanted = set().union(*questions)
        channels = []
        for source in evidence.sources:
            items = [item for item in evidence.items if item.source == source]
            nothing = torch.zeros(len(candidates.times), dtype=torch.float64)
            frequency = holding if source == SHOWN else partial(nearness, reach=self.reach)
            parts = self._parts(candidates.times, items, wanted, frequency)
            facets = [
                sum((weight * parts[term] for term, weight in q.items() if term in parts), nothing)
                for q in questions
            ]
            channels.append(Channel(source, torch.stack(facets).float()))
        return channels

    def _parts(
        self,
        times: Float[Tensor, "n"],
        items: list[TimedText],
        wanted: set[str],
        frequency: Callable[[Tensor, Tensor], Tensor],
    ) -> dict[str, Float[Tensor, "n"]]:
        """What each wanted term that occurs adds to the candidates' scores."""
        spans: dict[str, list[tuple[float, float]]] = {}
        for item in items:
            for term, span in _occurrences(item, self.language):
                if term in wanted:
                    spans.setdefault(term, []).append(span)
        n, parts = len(times), {}
        for term, found in spans.items():
            f = frequency(times, torch.tensor(found, dtype=torch.float64))
            near = int((f >= math.exp(-1)).sum())
            rarity = math.log1p((n - near + 0.5) / (near + 0.5))
            parts[term] = rarity * f / (f + self.saturation)
        return parts


def _occurrences(item: TimedText, language: str) -> Iterator[tuple[str, tuple[float, float]]]:
    """Each term of an item with the time for which it is spoken, or shown."""
    words = terms(item.text, language)
    step = (item.end - item.start) / max(1, len(words))
    for place, answers in enumerate(words):
        span = (item.start + place * step, item.start + (place + 1) * step)
        for term in answers:
            yield term, (item.start, item.end) if item.source == SHOWN else span


def holding(times: Float[Tensor, "n"], spans: Float[Tensor, "o 2"]) -> Float[Tensor, "n"]:
    """How many of the spans ``[start, end)`` hold at each time: those begun less those over."""
    t = times.to(torch.float64).contiguous()
    begun, over = (
        torch.searchsorted(edges.sort().values, t, right=True) for edges in spans.unbind(1)
    )
    return (begun - over).double()


def nearness(
    times: Float[Tensor, "n"], spans: Float[Tensor, "o 2"], reach: float
) -> Float[Tensor, "n"]:
    """The sum over spans of ``exp(-distance / reach)``, 1 for each span that holds at that time.

    In ``(n + o) log o``: the spans that are over add ``exp(-t / reach) * sum exp(end / reach)``, a
    running sum, those to come likewise, and the rest hold.
    """
    starts, ends = (edges.sort().values for edges in spans.unbind(1))
    t = times.to(torch.float64).contiguous()
    begun, over = (torch.searchsorted(edges, t, right=True) for edges in (starts, ends))
    none = torch.full((1,), -torch.inf, dtype=torch.float64)
    before = torch.cat([none, (ends / reach).logcumsumexp(0)])
    after = torch.cat([(-starts / reach).flip(0).logcumsumexp(0).flip(0), none])
    return (before[over] - t / reach).exp() + (after[begun] + t / reach).exp() + begun - over
