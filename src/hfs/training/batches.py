"""A source of examples and a step -> this process's micro batches, the next one loaded ahead."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch

from hfs.errors import UsageError
from hfs.training.recipe import Source, mix

Micro = tuple[tuple[int, ...], list[Any]]
"""Places in the step's batch, and the examples there."""


WINDOW = 16
"""Batches among which examples of like length are put together: more would spare little more."""


@dataclass(frozen=True, eq=False)
class Order:
    """Which of ``size`` examples make up a step: shuffled epochs, one run into the next.

    A pure function, so that a resumed run and any number of processes see the same data. With
    ``lengths``, a number an example, those of a batch are about as long, so that little of it is
    padding; each epoch still has every example once, and long batches come among short ones.
    """

    size: int
    seed: int
    batch: int
    lengths: Sequence[int] = ()

    def __call__(self, step: int) -> list[int]:
        first, found = step * self.batch, []
        for epoch in range(first // self.size, (first + self.batch - 1) // self.size + 1):
            start = epoch * self.size
            found += self._epoch(epoch)[max(0, first - start) : first + self.batch - start]
        return found

    @lru_cache(maxsize=4)  # noqa: B019
    def _epoch(self, epoch: int) -> list[int]:
        generator = torch.Generator().manual_seed(mix(self.seed, "epoch", epoch))
        mixed = torch.randperm(self.size, generator=generator)
        if not self.lengths:
            return mixed.tolist()
        begun = -epoch * self.size % self.batch  # these end a batch of the epoch before
        windows = mixed[begun:].split(WINDOW * self.batch)
        lengths = torch.tensor(self.lengths)
        alike = torch.cat([window[lengths[window].argsort(stable=True)] for window in windows])
        batches = alike.split(self.batch)
        whole = len(alike) // self.batch
        turns = torch.randperm(whole, generator=generator).tolist()
        return torch.cat([mixed[:begun], *(batches[i] for i in turns), *batches[whole:]]).tolist()


@dataclass(frozen=True)
class Halves:
    """A `Source` of two, each half of every epoch; the smaller one is gone through again."""

    first: Source
    second: Source

    def __len__(self) -> int:
        return 2 * max(len(self.first), len(self.second))

    def name(self, index: int) -> str:
        return self._of(index).name(index // 2 % len(self._of(index)))

    def load(self, index: int) -> Any:
        return self._of(index).load(index // 2 % len(self._of(index)))

    def _of(self, index: int) -> Source:
        return self.second if index % 2 else self.first


@dataclass(frozen=True)
class Shares:
    """How a batch is cut: evenly into processes, then into micro batches of at most ``micro``."""

    batch: int
    process: int
    processes: int
    micro: int

    def __post_init__(self) -> None:
        if self.batch % self.processes:
            raise UsageError(
                f"expected a batch that {self.processes} processes share evenly, got {self.batch}"
            )

    @property
    def micros(self) -> int:
        """Micro batches of each process."""
        return -(-(self.batch // self.processes) // self.micro)

    @property
    def places(self) -> list[tuple[int, ...]]:
        """This process's places in the batch, one tuple a micro batch, none of them empty."""
        share = self.batch // self.processes
        mine = torch.arange(self.process * share, (self.process + 1) * share)
        return [tuple(part.tolist()) for part in mine.tensor_split(self.micros)]


class Loader:
    """Loads a phase's micro batches in their order, one ahead, in a thread of its own."""

    def __init__(self, source: Source, shares: Shares, *, seed: int, first: int, steps: int):
        self._source, self._shares = source, shares
        self._wanted = Order(len(source), seed, shares.batch, getattr(source, "lengths", ()))
        self._steps = iter(range(first, steps))
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="hfs-examples")
        self._coming: Future[Micro] | None = None
        self._jobs = self._plan()
        self._ahead()

    def __enter__(self) -> "Loader":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def names(self, step: int) -> list[str]:
        """Of all examples of a step's batch, by place."""
        return [self._source.name(index) for index in self._wanted(step)]

    def __iter__(self) -> Iterator[Micro]:
        while self._coming is not None:
            ready = self._coming.result()
            self._ahead()
            yield ready

    def _plan(self) -> Iterator[tuple[tuple[int, ...], list[int]]]:
        for step in self._steps:
            wanted = self._wanted(step)
            for places in self._shares.places:
                yield places, [wanted[place] for place in places]

    def _ahead(self) -> None:
        job = next(self._jobs, None)
        self._coming = None if job is None else self._pool.submit(self._load, *job)

    def _load(self, places: tuple[int, ...], indices: list[int]) -> Micro:
        return places, [self._source.load(index) for index in indices]
