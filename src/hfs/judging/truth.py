"""Annotation files of benchmarks -> what a good frame set of each question must show.

The format is recognised by content, never by the file's name. Several files may speak of the same
questions, for example LongVideoBench and KFS-Bench: their truths are joined by id.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, replace
from itertools import chain
from pathlib import Path
from typing import Any

from torch import Tensor

from hfs.errors import UsageError
from hfs.judging.annotations import FORMATS, Truth, UnknownRateError
from hfs.records import BROKEN, Tally, records

SUBSETS: dict[str, Callable[[Truth], bool]] = {
    "all": lambda truth: True,
    # LongVideoBench's hour-long videos, no question about subtitles: 342 questions of 114 videos
    "haystack-lvbench": lambda truth: truth.duration_group == 3600 and "T" not in truth.category,
}


def load_truth(paths: Iterable[Path], tally: Tally, *, subset: str = "all") -> dict[str, Truth]:
    """The truths of all the files by question id, in file order; what is unusable is in the tally.

    A question of which one file says that the frame rate is unknown is left out altogether. Raises
    UsageError for a file of no known format, and where no question is left.
    """
    if subset not in SUBSETS:
        raise UsageError(f"expected a subset among {', '.join(SUBSETS)}, got {subset!r}")
    joined: dict[str, Truth] = {}
    unusable: set[str] = set()
    paths = list(paths)
    for path in paths:
        for truth in _unique(_read(path, tally, unusable), path, tally):
            known = joined.get(truth.id)
            joined[truth.id] = _join(known, truth) if known else truth
    kept = {i: t for i, t in joined.items() if i not in unusable and SUBSETS[subset](t)}
    if not kept:
        raise UsageError(
            f"expected questions of the subset {subset!r} in the truth, got none from "
            f"{', '.join(map(str, paths)) or 'no file'}: {'; '.join(tally.notes) or 'none there'}"
        )
    for truth in kept.values():
        said = (truth.moments, truth.evidence, truth.any_of, truth.windows, truth.scenes)
        if all(_missing(x) for x in said):
            tally.add(
                "questions have no evidence in seconds, so only their spread is measured "
                "(frame positions need the fps in the same record)",
                truth.id,
            )
    return kept


def _join(first: Truth, second: Truth) -> Truth:
    """The first, with what only the second knows."""
    missing = [f.name for f in fields(Truth) if _missing(getattr(first, f.name))]
    return replace(first, **{name: getattr(second, name) for name in missing})


def _missing(value: Any) -> bool:
    return not isinstance(value, Tensor) and not value


def _unique(truths: Iterator[Truth], path: Path, tally: Tally) -> Iterator[Truth]:
    seen: set[str] = set()
    for truth in truths:
        if truth.id in seen:
            tally.add(f"questions of {path.name} come again, the first counts", truth.id)
        else:
            seen.add(truth.id)
            yield truth


def _read(path: Path, tally: Tally, unusable: set[str]) -> Iterator[Truth]:
    found = records(path, tally)
    passed = []
    for key, record in found:
        passed.append((key, record))
        if name := next((n for n, f in FORMATS.items() if f.marks <= record.keys()), None):
            break
    else:
        known = "; ".join(f"{n} ({f.about})" for n, f in FORMATS.items())
        raise UsageError(f"expected annotations in one of the formats {known}; got {path}")
    for key, record in FORMATS[name].gather(chain(passed, found)):
        try:
            truths = list(FORMATS[name].read(key, record))
        except UnknownRateError as error:
            tally.add(f"questions of {path.name} left out, their frame rate is unknown", error)
            unusable.add(str(error))
        except BROKEN as error:
            tally.add(f"records of {path.name} are no {name} annotation", f"{key}: {error!r}")
        else:
            yield from truths
