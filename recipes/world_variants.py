"""One ladder whose last rung is climbed in many ways -> what each ingredient is worth.

    hfs train world --out BASE folder=FILMS mutual=0 route=0
    python recipes/world_variants.py BASE FILMS OUT --seeds 0,1,2 --only main,no_kl

For each variant and seed the student starts anew, and everything else as it is in BASE; then its
choices, and those of other selectors from its scores, are judged (`world_study.py`). One JSON file
a run in OUT, beside the run itself; those that are there are not made again, and a run that was
stopped goes on.
"""

import argparse
import json
import os
import sys
from pathlib import Path

from world_study import OURS, reader, rows, study_of

from hfs import recipes
from hfs.recipes.world import LEARNS
from hfs.training.checkpoint import Checkpoints
from hfs.training.items import Thinking
from hfs.training.loop import train

MAIN = "main"
"""The one whose router learns as well, to be compared with its own set functions."""
VARIANTS: dict[str, tuple[str, ...]] = {
    MAIN: (),
    "no_thought": ("thoughts=none",),
    "given_thought": ("thoughts=given",),
    "one_query": ("queries=one",),
    "no_coverage": ("selector=hfs(coverage=0.0,service=0.5)",),
    "no_redundancy": ("selector=hfs(redundancy=0.0,service=0.5)",),
    "no_service": ("selector=hfs",),
    "no_kl": ("importance=None",),
    "teacher_to_student": ("student_to_teacher=0.0",),
    "student_to_teacher": ("teacher_to_student=0.0",),
    "weak_teacher_to_student": ("teacher_to_student=0.3",),
    "strong_teacher_to_student": ("teacher_to_student=3.0",),
    "strong_student_to_teacher": ("student_to_teacher=0.3",),
    "attention": ("importance=attention",),
    "gate": ("importance=gate",),
    "frozen_teacher": ("teacher_rate=0.0",),
    "fast_teacher": ("teacher_rate=1e-4",),
    "teacher_at_3e-5": ("teacher_rate=3e-5",),
    "gumbel_slots": ("relaxation=gumbel_slots",),
    "relaxed_top_k": ("relaxation=relaxed_top_k",),
    "no_set_loss": ("set_weight=0.0",),
    "no_prior": ("prior=False",),
    "no_curriculum": ("curriculum=False",),
    "half_steps": ("mutual=300",),
    "three_times_the_steps": ("mutual=1800",),
    "reader_tuned_on_mmr": ("tuned=mmr",),
    "reader_tuned_on_hfs": ("tuned=hfs",),
}
"""What each changes of the recipe's options."""
OTHERS = {
    "no_warm_up": "base",
    "no_calibration": "base",
    "early_labels": "labeller",
    "converged_labels": "labeller",
    "few_frames_labels": "labeller",
}
"""Variants that need another run, given as NAME=RUN: to begin with, or to make labels."""
LABELS = {"early_labels": "all", "converged_labels": "all", "few_frames_labels": "few"}
THINKING: dict[str, Thinking] = {"no_thought": "none", "given_thought": "given"}
SELECTORS = {
    "reader_tuned_on_mmr": "similarity + mmr",
    "reader_tuned_on_hfs": "similarity + hfs",
}
"""What such a variant is judged by; others by the student's choice."""
JUDGED = (
    "similarity + mmr",
    "similarity + hfs",
    *(f"student + {s}" for s in ("top_k", "mmr", "dpp", "hfs", LEARNS)),
)


def options(name: str, base: Path, others: dict[str, str]) -> list[str]:
    """Of the recipe; raises SystemExit where a variant lacks the run that it needs."""
    if name in VARIANTS:
        return [f"base={base}", *VARIANTS[name]]
    if name not in OTHERS:
        raise SystemExit(f"expected variants among {', '.join([*VARIANTS, *OTHERS])}, got {name}")
    if name not in others:
        raise SystemExit(f"expected --with {name}=RUN, got none: {name} needs another run")
    given = [f"{OTHERS[name]}={others[name]}"]
    if name in LABELS:
        given += [f"base={base}", f"labels={LABELS[name]}"]
    return given


def untaught(base: Path) -> Path:
    """The run itself, if its teacher has not met a student yet: else it would begin out of tune.

    Raises SystemExit for a run that has climbed its last rung, or that is none.
    """
    found = Checkpoints(base / "checkpoints").newest()
    if found is None:
        raise SystemExit(f"expected a run with a checkpoint in {base}, found none: name another")
    if any(name.startswith("student.network.") for name in found.optimizer):
        raise SystemExit(
            f"expected BASE to end before its last rung, got {base}, whose teacher has learned "
            "with a student: make one with hfs train world --out BASE folder=FILMS mutual=0 route=0"
        )
    return base


def run(
    name: str, given: list[str], seed: int, folder: Path, out: Path, common: Path, films: int
) -> None:
    """Train one variant with one seed, judge it, and write its rows."""
    file = out / f"{name} {seed}.json"
    if file.exists():
        return
    routes = () if name == MAIN else ("route",)
    left_out = ("see", "think", "name", "warm", "widen", "calibrate", *routes)
    named = [option.partition("=")[2] for option in given if option.startswith("selector=")]
    learned = (named or [LEARNS])[0]
    own = SELECTORS.get(name, f"student + {learned}")  # as it was trained, so that rows compare
    rungs = [f"{rung}=0" for rung in left_out]
    mine = [f"folder={folder}", f"seed={seed}", *rungs, f"chooses={learned}", *given]
    place = out / f"{name}-{seed}"
    recipe = recipes.load("world", mine)
    models = train(recipe, place, resume=place.exists())
    study = study_of(
        models, folder, split="test", films=films, common=reader(common),
        prior="prior=False" not in given, thinking=THINKING.get(name, "written"),
    )  # fmt: skip
    made = rows([study], (4, 8), (*JUDGED, own))
    if name != MAIN:  # no router: the row is plain hfs by another name
        made = [row for row in made if row["selector"] != OURS]
    document = {
        "variant": name,
        "seed": seed,
        "options": given,
        "selector": own,
        "questions": len(study.items),
        "rows": [{k: v for k, v in row.items() if k != "kinds"} for row in made],
    }
    part = file.with_name(f".{file.name}.{os.getpid()}")
    part.write_text(json.dumps(document, indent=1), encoding="utf-8")
    part.replace(file)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("base", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--only", default=",".join(VARIANTS))
    parser.add_argument("--films", type=int, default=100)
    parser.add_argument("--precision", default="no", help="of the training: no or bf16")
    parser.add_argument("--also", action="append", default=[], metavar="NAME=VALUE",
                        help="an option of the recipe for every variant")  # fmt: skip
    parser.add_argument("--with", dest="others", action="append", default=[], metavar="NAME=RUN")
    given = parser.parse_args()
    untaught(given.base)
    given.out.mkdir(parents=True, exist_ok=True)
    others = dict(pair.split("=", 1) for pair in given.others)
    for seed in map(int, given.seeds.split(",")):
        for name in given.only.split(","):
            print(f"{name}, seed {seed}", file=sys.stderr, flush=True)
            mine = [*given.also, *options(name, given.base, others)]
            mine += [f"precision={given.precision}"]
            common = given.base / "models"
            run(name, mine, seed, given.folder, given.out, common, given.films)


if __name__ == "__main__":
    main()
