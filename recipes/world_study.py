"""A trained ladder and films that it has not seen -> what each selector's frames are worth.

    hfs train world --out RUN folder=FILMS
    python recipes/world_study.py RUN/models FILMS --split test --films 150 -k 4,8 > rows.json

Every selector chooses from the same candidates; what it chose is read by the co-trained teacher
and, with ``--common DIR``, by another one. Rows hold accuracy (the whole answer is the likeliest,
word by word), evidence recall, the largest gap and the redundancy, with 95 % intervals over the
questions and the paired difference from what the trained student's router names. 150 films and
k = 4, 8 take some ten minutes on two cores.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from hfs import metrics, plugins
from hfs.judging.bootstrap import interval, resampled_means
from hfs.ladder.films import reopened
from hfs.recipes.world import CHOOSES, LEARNS
from hfs.scoring import either
from hfs.student import HFSStudent
from hfs.training.items import Item, Thinking
from hfs.training.similarity import similar
from hfs.training.step import answered, scored, scores_of
from hfs.training.teacher import Teacher
from hfs.types import Scores
from hfs.world import World
from hfs.world.dataset import Item as Asked

BLIND = ("uniform", "random")
SELECTORS = ("top_k", "nms", "mmr", "dpp", "aks", "bolt", "q_frame", "mdp3", "max_info", "wfs",
             "gift", "adaptive_greedy", "dedup", "focus", "hfs")  # fmt: skip
STUDENT = ("top_k", "mmr", "dpp", "aks", "bolt", "hfs(redundancy=0.0,service=0.5)",
           "hfs(coverage=0.0,redundancy=0.6,service=0.5)", "hfs(redundancy=0.6)", "hfs",
           LEARNS, CHOOSES, "routed")  # fmt: skip
FIGURES = ("accuracy", "common", "recall", "gap", "redundancy")
OURS = "student + routed"
"""What the others are compared with."""
AT_ONCE = 64
Picks = list[Int[Tensor, "_k"]]


@dataclass(frozen=True)
class Study:
    """The questions, and everything that rows are made from."""

    items: list[Item]
    asked: list[Asked]
    student: HFSStudent
    teacher: Teacher
    common: Teacher | None
    prior: bool = True
    """Whether the backbone's similarity enters the student's scores, as it did in its training."""

    def similarity(self, *, thought: bool) -> list[Scores]:
        """The backbone's own similarity, of the question or of the question and its cues."""
        return [similar(self.student, item, thought=thought) for item in self.items]

    @torch.no_grad()
    def trained(self) -> list[Scores]:
        """The student's scores."""
        found: list[Scores] = []
        for start in range(0, len(self.items), AT_ONCE):
            some = self.items[start : start + AT_ONCE]
            found += scores_of(self.student, scored(self.student, some, prior=self.prior), some)
        return found

    def choose(self, spec: str, known: Sequence[Scores], k: int) -> Picks:
        """A selector's candidates for every question."""
        selector = plugins.build("selectors", spec)
        return [
            selector(each, item.content, k, torch.Generator().manual_seed(i))
            for i, (item, each) in enumerate(zip(self.items, known, strict=True))
        ]

    def oracle(self, known: Sequence[Scores], k: int) -> Picks:
        """A frame of every unit of evidence, as far as k goes, and ``hfs`` for what is left."""
        filled = self.choose("hfs", known, k)
        found = []
        for asked, item, rest in zip(self.asked, self.items, filled, strict=True):
            served = asked.served(item.seen.features.times)
            seen = [row.nonzero()[:, 0] for row in served if bool(row.any())]
            first = [int(each[len(each) // 2]) for each in seen]  # a scene may fade in
            order = list(dict.fromkeys([*first, *rest.tolist()]))[:k]
            found.append(torch.tensor(sorted(order)))
        return found

    @torch.no_grad()
    def judge(self, picks: Picks) -> Float[Tensor, "q f"]:
        """Every figure of every question; ``common`` is nan without another teacher."""
        table = torch.full((len(picks), len(FIGURES)), torch.nan, dtype=torch.float64)
        for start in range(0, len(picks), AT_ONCE):
            part = slice(start, start + AT_ONCE)
            for column, teacher in enumerate((self.teacher, self.common)):
                if teacher is not None:
                    read = answered(teacher, self.items[part], picks[part], importance=None)
                    table[part, column] = read.correct.double()
        for row, item, asked, chosen in zip(table, self.items, self.asked, picks, strict=True):
            features = item.seen.features
            times = features.times[chosen]
            row[2] = asked.recall(times)
            row[3] = metrics.largest_gap(times, asked.duration)
            row[4] = metrics.redundancy(features.vectors[chosen].float())
        return table


def all_in_one(scores: Scores) -> Scores:
    """Relevance that holds the facets as well, for selectors that look at nothing else."""
    return replace(scores, relevance=either([scores.relevance, scores.weights @ scores.facets]))


def sources(study: Study) -> dict[str, Callable[[int], Picks]]:
    """Each row's name, and what it chooses at a budget."""
    plain, thought, own = (
        study.similarity(thought=False),
        study.similarity(thought=True),
        study.trained(),
    )
    mixed = [all_in_one(scores) for scores in own]
    return dict([
        *((s, lambda k, s=s: study.choose(s, plain, k)) for s in BLIND),
        *((f"similarity + {s}", lambda k, s=s: study.choose(s, plain, k)) for s in SELECTORS),
        *((f"thought + {s}", lambda k, s=s: study.choose(s, thought, k))
          for s in ("top_k", "mmr", "hfs", LEARNS, CHOOSES)),
        *((f"student + {s}", lambda k, s=s: study.choose(s, own, k)) for s in STUDENT),
        *((f"student and facets + {s}", lambda k, s=s: study.choose(s, mixed, k))
          for s in ("top_k", "mmr", "dpp")),
        ("oracle", lambda k: study.oracle(own, k)),
    ])  # fmt: skip


def rows(
    studies: Sequence[Study],
    budgets: Sequence[int],
    only: Sequence[str] = (),
    beside: Mapping[str, Study] = MappingProxyType({}),
) -> list[dict[str, Any]]:
    """One row for each selector, budget and figure; ``only`` names the selectors wanted.

    Of several studies of the same questions, a question's figure is the mean. ``beside`` are other
    runs by name, of which what their own routers choose is a row.
    """
    made = [(study, sources(study)) for study in studies]
    names = [name for name in made[0][1] if not only or name in (*only, OURS)]
    ways = {name: [(study, chooses[name]) for study, chooses in made] for name in names}
    ways |= {name: [(other, sources(other)[OURS])] for name, other in beside.items()}
    found = []
    for k in budgets:
        tables = {}
        for name, pairs in ways.items():
            judged = [study.judge(choose(k)) for study, choose in pairs]
            tables[name] = torch.stack(judged).mean(0)
            mean = tables[name].mean(0).tolist()
            told = "  ".join(f"{f} {m:.3f}" for f, m in zip(FIGURES, mean, strict=True))
            print(f"k = {k:2d}  {name:32s} {told}", file=sys.stderr, flush=True)
        found += _intervals(tables, k, studies[0].asked)
    return found


def _intervals(
    tables: dict[str, Float[Tensor, "q f"]], k: int, asked: Sequence[Asked]
) -> list[dict[str, Any]]:
    names = list(tables)
    whole = torch.cat([tables[name] for name in names], dim=1).nan_to_num()
    draws = resampled_means(whole, seed=0).unflatten(1, (len(names), len(FIGURES)))
    low, high = (ends.unflatten(0, draws.shape[1:]) for ends in interval(draws.flatten(1)))
    over = draws - draws[:, names.index(OURS)][:, None]
    under, above = (ends.unflatten(0, draws.shape[1:]) for ends in interval(over.flatten(1)))
    ours = tables[OURS].mean(0)
    found = []
    for r, name in enumerate(names):
        for f, figure in enumerate(FIGURES):
            value = float(tables[name][:, f].mean())
            if value != value:
                continue
            kinds = {
                kind: float(
                    tables[name][[i for i, a in enumerate(asked) if a.kind == kind], f].mean()
                )
                for kind in sorted({a.kind for a in asked})
            }
            found.append(
                {"selector": name, "k": k, "figure": figure, "value": value,
                 "low": float(low[r, f]), "high": float(high[r, f]),
                 "over_hfs": value - float(ours[f]),
                 "over_low": float(under[r, f]), "over_high": float(above[r, f]),
                 "kinds": kinds}
            )  # fmt: skip
    return found


def study_of(
    models: Path,
    folder: Path,
    *,
    split: str,
    films: int,
    frames: int = 64,
    common: Teacher | None = None,
    prior: bool = True,
    thinking: Thinking = "written",
) -> Study:
    """Trained models, and films that are written to ``folder`` where they are not there."""
    student = HFSStudent.from_pretrained(models / "student")
    teacher = Teacher.from_pretrained(str(models / "teacher"), dtype="float32")
    items, asked = reopened(
        student, teacher, models / "student", folder, World(frames=frames), split, films, _told,
        thinking=thinking,
    )  # fmt: skip
    return Study(items, asked, student, teacher, common, prior)


def reader(models: Path) -> Teacher:
    """The teacher of a run's models, to judge every selector alike."""
    return Teacher.from_pretrained(str(models / "teacher"), dtype="float32")


def _told(stage: str, done: int, total: int) -> None:
    print(f"\r{stage} {done}/{total}", end="", file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("models", type=Path, nargs="+", help="of a run, or of several seeds")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--split", default="test")
    parser.add_argument("--films", type=int, default=150)
    parser.add_argument("--frames", type=int, default=64)
    parser.add_argument("-k", "--budgets", default="4,8")
    parser.add_argument("--common", type=Path, help="models of another run, for its teacher")
    parser.add_argument("--beside", action="append", default=[], metavar="NAME=MODELS",
                        help="another run, whose routed choice is a row")  # fmt: skip
    parser.add_argument("--only", default="", help="selectors, as rows name them, by semicolons")
    given = parser.parse_args()
    common = given.common and reader(given.common)
    opened = partial(
        study_of, folder=given.folder, split=given.split, films=given.films, frames=given.frames,
        common=common,
    )  # fmt: skip
    studies = [opened(models) for models in given.models]
    beside = {
        name: opened(Path(models)) for name, models in (pair.split("=", 1) for pair in given.beside)
    }
    budgets = [int(k) for k in given.budgets.split(",")]
    only = [name for name in given.only.split(";") if name]
    made = rows(studies, budgets, only, beside)
    document = {
        "questions": len(studies[0].items),
        "split": given.split,
        "frames": given.frames,
        "seeds": len(studies),
        "rows": made,
    }
    print(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
