"""A store -> its videos as items need them, the ones used last held in memory.

Reading a video and hashing its words takes milliseconds, and every epoch asks for it several times.
"""

from collections import OrderedDict
from dataclasses import dataclass

from hfs.content import content
from hfs.training.store import Seen, Store
from hfs.types import Features

MOST = 256 * 2**20
"""Bytes held. The features of an hour at a frame a second take some 20 MB with a large backbone, a
large teacher's visual tokens many times that: a video that does not fit is read each time."""


@dataclass(frozen=True)
class Opened:
    """What is known of one video whatever is asked about it."""

    seen: Seen
    content: Features
    """As the set function compares the candidates (`hfs.content`)."""

    @property
    def bytes(self) -> int:
        """Memory taken by what has a number for every candidate."""
        seen, visual = self.seen.features, self.seen.visual
        tensors = [seen.vectors, seen.times, seen.indices]
        tensors += [] if self.content is seen else [self.content.vectors]
        tensors += [] if self.seen.said is None else [self.seen.said]
        return sum(t.nbytes for t in tensors) + (0 if visual is None else visual.bytes)


class Videos:
    """Opens a store's videos, each at most once for as long as ``most`` bytes hold it."""

    def __init__(self, store: Store, *, most: int = MOST):
        self._store, self._most = store, most
        self._held: OrderedDict[str, Opened] = OrderedDict()
        self._bytes = 0

    def __getitem__(self, name: str) -> Opened:
        """Raises UsageError where the store lacks it."""
        if name in self._held:
            self._held.move_to_end(name)
            return self._held[name]
        seen = self._store.get(name)
        opened = Opened(seen, content(seen.features, seen.evidence, {}))
        self._held[name] = opened
        self._bytes += opened.bytes
        while self._bytes > self._most:
            _, gone = self._held.popitem(last=False)
            self._bytes -= gone.bytes
        return opened
