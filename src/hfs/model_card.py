"""What a student is and how it was made -> its model card, README.md in the saved folder."""

import json
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

LICENSE_NOTE = (
    "The new weights are offered under Apache-2.0, the license of HFS. The language model, the "
    "backbone and the teacher keep their own licenses, and so does the training data; check that "
    "they allow your use."
)


def card(
    config: Mapping[str, Any],
    *,
    recipe: str = "",
    data: str = "",
    commit: str = "",
    teacher: str = "",
    figures: Mapping[str, float | str] | None = None,
    notes: str = "",
) -> str:
    """The card in the hub's form; what is not known is said to be not recorded.

    ``config`` are a student's settings, `HFSStudentConfig` as a mapping; ``figures`` are names and
    values of what was measured; ``notes`` is Markdown for the end.
    """
    base, backbone = str(config.get("base") or ""), str(config.get("backbone") or "")
    head = {"library_name": "hfs", "license": "apache-2.0", "tags": ["video", "frame-selection"]}
    if base and "/" in base and not base.startswith((".", "/", "~")):
        head["base_model"] = base.partition("@")[0]
    lora = config.get("lora")
    training = f"adapters ({_inline(lora)})" if lora else "all weights"
    facts = {
        "Language model": _named(base) or "inside this checkpoint",
        "Its revision": config.get("base_revision"),
        "Trained": training,
        "Backbone": backbone,
        "Its revision ": config.get("backbone_revision"),
        "Teacher": teacher,
        "Recipe": recipe,
        "Data": data,
        "Code": commit,
    }
    rows = [f"| {name.strip()} | {_cell(value)} |" for name, value in facts.items()]
    measured = [f"| {name} | {_figure(value)} |" for name, value in (figures or {}).items()]
    return "\n".join(
        [
            "---",
            *(f"{name}: {json.dumps(value)}" for name, value in head.items()),
            "---",
            "",
            "# A trained selector of video frames",
            "",
            "A student of HFS, holistic query-aware frame selection (after arXiv 2512.11534): a "
            "small language model writes which visual cues a question asks for and turns them into "
            "query vectors; a score network finds the frames that serve them.",
            "",
            "```",
            "hfs select VIDEO QUESTION --model THIS_FOLDER",
            "```",
            "",
            "| made from | |",
            "|---|---|",
            *rows,
            "",
            *(
                ["| measured | |", "|---|---|", *measured]
                if measured
                else ["Nothing was measured."]
            ),
            "",
            *([notes, ""] if notes else []),
            LICENSE_NOTE,
            "",
        ]
    )


def _named(base: str) -> str:
    """A base by its name; of a folder only the last part, as the rest is this machine's."""
    return f"a local folder, {PurePath(base).name}" if base.startswith((".", "/", "~")) else base


def _cell(value: object) -> str:
    text = " ".join(str(value or "").split()).replace("|", "\\|")
    return f"`{text}`" if text else "not recorded"


def _figure(value: float | str) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _inline(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items()) or "as by default"
