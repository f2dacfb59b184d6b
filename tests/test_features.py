"""Features carry their frames' times, are made once, in a stream, and only from what decodes."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor
from torch.nn.functional import normalize

from hfs.backbones import pixels
from hfs.cache import Cache
from hfs.decoders.memory import MemoryTrack
from hfs.errors import FailureError, HFSError, VideoError
from hfs.features import features
from hfs.types import Candidates, Features, Frames
from hfs.video import Video

N = 11


class Watched(MemoryTrack):
    """Frames in memory that count what is decoded; some are lost, and some break the decoder."""

    def __init__(self, frames: Frames, lost: tuple[int, ...] = (), breaks_at: int | None = None):
        super().__init__(frames)
        self.lost, self.breaks_at, self.decoded = lost, breaks_at, 0
        self.closed = False

    def frames(self, indices: list[int], size: tuple[int, int]) -> Iterator[tuple[int, Tensor]]:
        try:
            for index, picture in super().frames(indices, size):
                if index == self.breaks_at:
                    raise VideoError("broken here")
                if index not in self.lost:
                    self.decoded += 1
                    yield index, picture
        finally:
            self.closed = True


def clip(**options) -> tuple[Video, Watched]:
    generator = torch.Generator().manual_seed(0)
    pictures = torch.randint(0, 256, (N, 3, 12, 16), dtype=torch.uint8, generator=generator)
    times = torch.arange(N, dtype=torch.float64) ** 1.5
    track = Watched(Frames(pictures, times, torch.arange(N)), **options)
    return Video(track, None), track


def candidates(video: Video, step: int = 1) -> Candidates:
    indices = torch.arange(0, N, step)
    return Candidates(video.times[indices], indices, 0.0, video.duration)


@dataclass
class Means:
    """A backbone of mean colours that may misbehave."""

    batch: int = 3
    revision: str = "1"
    has_text: bool = False
    side: int | None = None
    scale: float = 1.0
    extra: int = 0

    def embed(self, frames: Tensor) -> Tensor:
        means = normalize(frames.float().mean(dim=(2, 3)) - 120, dim=1) * self.scale
        return torch.cat([means, means[: self.extra]])

    def embed_text(self, texts: list[str]) -> Tensor:
        raise NotImplementedError


def run(video: Video, backbone: object, cache: Cache | None = None, **options):
    wanted = options.pop("wanted", candidates(video))
    spec = options.pop("spec", "means")
    return features(video, wanted, backbone, spec=spec, cache=cache or Cache(None), **options)


def same(a: Features, b: Features) -> bool:
    return all(torch.equal(getattr(a, f), getattr(b, f)) for f in ("vectors", "times", "indices"))


@pytest.mark.parametrize("batch", [1, 3, 4, 64])
def test_each_vector_is_its_frames_own_with_its_time(batch):
    video, track = clip()
    made, kept = run(video, Means(batch), wanted=candidates(video, 2))
    expected = Means().embed(track._pixels[::2])
    assert torch.equal(made.vectors, expected)
    assert torch.equal(made.times, video.times[::2])
    assert torch.equal(made.indices, torch.arange(0, N, 2))
    assert torch.equal(kept.indices, made.indices)
    assert (kept.start, kept.end) == (0.0, video.duration)
    assert made.backbone == "means 1"


def test_a_second_call_decodes_nothing(tmp_path):
    video, track = clip()
    first, kept = run(video, Means(), Cache(tmp_path))
    assert track.decoded == N
    again, track_again = clip()
    second, kept_again = run(again, Means(), Cache(tmp_path))
    assert track_again.decoded == 0
    assert same(first, second)
    assert torch.equal(kept.times, kept_again.times)


@pytest.mark.parametrize(
    "other", [{"spec": "means(a=1)"}, {"backbone": Means(revision="2")}, {"step": 2}]
)
def test_another_spec_revision_or_set_of_candidates_is_made_anew(tmp_path, other):
    video, track = clip()
    run(video, Means(), Cache(tmp_path))
    wanted = candidates(video, other.get("step", 1))
    before = track.decoded
    run(
        video,
        other.get("backbone", Means()),
        Cache(tmp_path),
        spec=other.get("spec", "means"),
        wanted=wanted,
    )
    assert track.decoded == before + wanted.indices.shape[0]


def test_lost_frames_are_in_neither_result_nor_looked_for_again(tmp_path, caplog):
    video, track = clip(lost=(0, 4, 5))
    made, kept = run(video, Means(), Cache(tmp_path))
    expected = torch.tensor([i for i in range(N) if i not in (0, 4, 5)])
    assert torch.equal(made.indices, expected)
    assert torch.equal(kept.indices, expected)
    assert torch.equal(made.times, video.times[expected])
    assert torch.equal(made.vectors, Means().embed(track._pixels[expected]))
    assert "3 of 11 candidates could not be decoded" in caplog.text
    before = track.decoded
    again, kept_again = run(video, Means(), Cache(tmp_path))
    assert track.decoded == before
    assert same(made, again)
    assert torch.equal(kept.indices, kept_again.indices)


def test_a_video_of_which_nothing_decodes_is_refused(tmp_path):
    video, _ = clip(lost=tuple(range(N)))
    with pytest.raises(VideoError, match="expected to decode some of the 11 candidates"):
        run(video, Means(), Cache(tmp_path))
    assert Cache(tmp_path).usage() == {}


@pytest.mark.parametrize(
    "broken", [Means(scale=1.01), Means(scale=float("nan")), Means(scale=0.0), Means(extra=1)]
)
def test_a_backbone_that_breaks_its_promise_is_refused_and_not_cached(tmp_path, broken):
    video, track = clip()
    with pytest.raises(FailureError, match=r"expected 3 vectors of norm 1 from means"):
        run(video, broken, Cache(tmp_path))
    assert Cache(tmp_path).usage() == {}
    assert track.closed


def test_a_decoders_error_comes_out_and_its_threads_end():
    video, track = clip(breaks_at=7)
    threads = threading.active_count()
    with pytest.raises(HFSError, match="broken here"):
        run(video, Means())
    assert threading.active_count() == threads
    assert track.closed


def test_progress_counts_up_to_all_candidates():
    video, _ = clip()
    seen: list[tuple[int, int]] = []
    run(video, Means(batch=4), progress=lambda done, total: seen.append((done, total)))
    assert seen == [(4, N), (8, N), (11, N)]


def test_the_next_batch_is_decoded_meanwhile_and_no_more_than_that():
    video, track = clip()
    most_ahead: list[int] = []

    class Slow(Means):
        done = 0

        def embed(self, frames: Tensor) -> Tensor:
            wanted = min(N, self.done + 2 * self.batch)
            for _ in range(500):  # at most 5 s
                if track.decoded >= wanted:
                    break
                threading.Event().wait(0.01)
            threading.Event().wait(0.02)  # time in which more could be decoded
            most_ahead.append(track.decoded - self.done)
            self.done += frames.shape[0]
            return super().embed(frames)

    run(video, Slow(batch=2))
    assert most_ahead == [4, 4, 4, 4, 3, 1]


def test_the_pixels_backbone_sees_a_real_video(shared, tmp_path):
    path = shared / "media" / "big_buck_bunny_360p.mp4"
    if not path.is_file():
        pytest.skip(f"{path.name} is not there")
    with Video.open(path) as video:
        times = torch.tensor([100.0, 100.5, 300.0, 500.0], dtype=torch.float64)
        indices = video.shown_at(times)
        wanted = Candidates(video.times[indices], indices, 0.0, video.duration)
        made, kept = features(
            video, wanted, pixels.Backbone(), spec="pixels", cache=Cache(tmp_path)
        )
    assert torch.equal(kept.indices, indices)
    near, far = made.vectors[0] @ made.vectors[1], made.vectors[0] @ made.vectors[2]
    assert near > 0.5 > far
