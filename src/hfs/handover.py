"""A selection -> how its frames leave: in which size, and in which hosts' formats, as JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hfs import plugins
from hfs.answers import prompt
from hfs.errors import UsageError
from hfs.exporters import Exporter
from hfs.message import Message, said
from hfs.types import Frames, Selection

Size = tuple[int, int]
"""Height and width in pixels."""


@dataclass(frozen=True)
class Handover:
    """What is written beside a selection, and the size of its pictures."""

    size: Size | None = None
    """Of the JPEGs and of what the exporters hand over; None: as in the video."""
    exporters: Mapping[str, Exporter] = field(default_factory=dict)
    with_subtitles: bool = False
    """Whether what is said at the frames stands between them."""

    @staticmethod
    def of(
        specs: Sequence[str], *, size: Size | None = None, with_subtitles: bool = False
    ) -> "Handover":
        """The handover to the exporters of these specs, each of another name.

        Raises SpecError for an unknown exporter, UsageError for one that is named twice.
        """
        names = [plugins.parse(spec).name for spec in specs]
        if len(set(names)) < len(names):
            raise UsageError(f"expected each exporter once, got {', '.join(names)}")
        if size is not None and min(size) < 1:
            raise UsageError(f"expected a size of at least 1 x 1, got {size[1]} x {size[0]}")
        built = {
            name: plugins.build("exporters", spec) for name, spec in zip(names, specs, strict=True)
        }
        return Handover(size, built, with_subtitles)

    def documents(self, selection: Selection, frames: Frames) -> dict[str, str]:
        """The file of each exporter by name: its request over the selection's JPEGs."""
        message = Message(
            frames,
            prompt(selection.question, selection.options),
            selection.video.duration,
            said(selection) if self.with_subtitles else (),
            files=tuple(frame.file for frame in selection.frames if frame.file),
        )
        return {
            f"{name}.json": json.dumps(exporter(message), ensure_ascii=True, indent=1) + "\n"
            for name, exporter in self.exporters.items()
        }


def names() -> set[str]:
    """The names that the files of exporters can have."""
    return {f"{name}.json" for name in plugins.names("exporters")}
