"""Choose the k video frames that together answer a question.

>>> import hfs
>>> selection = hfs.select("talk.mp4", "Where is the lens explained?", budget=8)  # doctest: +SKIP
>>> selection.frames[0].time  # doctest: +SKIP
12.48
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hfs.answering import answer
    from hfs.errors import FailureError, HFSError, UsageError
    from hfs.pipeline import select
    from hfs.presets import Pipeline
    from hfs.types import Frames, Limits, SelectedFrame, Selection, VideoInfo
    from hfs.video import Video, probe

__version__ = "0.1.0"

__all__ = [
    "FailureError",
    "Frames",
    "HFSError",
    "Limits",
    "Pipeline",
    "SelectedFrame",
    "Selection",
    "UsageError",
    "Video",
    "VideoInfo",
    "__version__",
    "answer",
    "probe",
    "select",
]

_HOMES = {
    "FailureError": "errors",
    "Frames": "types",
    "HFSError": "errors",
    "Limits": "types",
    "Pipeline": "presets",
    "SelectedFrame": "types",
    "Selection": "types",
    "UsageError": "errors",
    "Video": "video",
    "VideoInfo": "types",
    "answer": "answering",
    "probe": "video",
    "select": "pipeline",
}


def __getattr__(name: str) -> Any:
    """Import a public name where it is first used, so that ``import hfs`` costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'hfs' has no attribute {name!r}")
    return getattr(importlib.import_module(f"hfs.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
