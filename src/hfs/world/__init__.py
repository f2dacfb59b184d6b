"""A seed -> films to learn in: pixels, questions, thoughts and evidence, all made by rules.

``World(frames=64).film("train", 0)`` is a `Film`: ``.frames()``, ``.times``, ``.items``,
``.subtitles``; ``.clip`` makes short ones. `captions` says what a frame shows.
"""

from hfs.world.dataset import VERSION, Film, Item, World, items
from hfs.world.questions import KINDS, VISUAL_KINDS, Kind

__all__ = ["KINDS", "VERSION", "VISUAL_KINDS", "Film", "Item", "Kind", "World", "items"]
