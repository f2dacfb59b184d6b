"""Questions -> JSON Lines that training, judging and benchmarks read."""

import json
from collections.abc import Sequence
from typing import Any

from hfs import document
from hfs.world.dataset import Item


def record(item: Item) -> dict[str, Any]:
    """The item in plain values.

    Units of one interval are ``evidence``, each needed; the others are ``any_of``, groups of which
    any interval is enough. ``cues`` are the lines of ``thought``.
    """
    plain = document.encode(item)
    units = plain.pop("evidence")
    return plain | {
        "group": item.group,
        "evidence": [unit[0] for unit in units if len(unit) == 1],
        "any_of": [unit for unit in units if len(unit) > 1],
        "cues": item.thought.splitlines(),
    }


def lines(items: Sequence[Item]) -> str:
    """One record a line."""
    return "".join(f"{json.dumps(record(item))}\n" for item in items)
