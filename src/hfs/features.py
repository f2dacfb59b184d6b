"""A video and its candidates -> one unit vector each, decoded in a stream, kept by content."""

import hashlib
import logging
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import torch
from jaxtyping import Float, Int
from torch import Tensor

from hfs.backbones import Backbone
from hfs.cache import Cache
from hfs.errors import FailureError, VideoError
from hfs.types import Candidates, Features, Frames
from hfs.video import Video

log = logging.getLogger(__name__)

VERSION = "1"
"""To be raised whenever the same backbone would be given other pixels."""


def features(
    video: Video,
    candidates: Candidates,
    backbone: Backbone,
    *,
    spec: str,
    cache: Cache,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Features, Candidates]:
    """What the backbone, made by ``spec``, sees in each candidate, and the candidates that it saw.

    A candidate that cannot be decoded is in neither. Two batches of frames are held at a time, and
    none are decoded for what is in the cache. Raises VideoError when no candidate can be decoded.
    """
    key = {
        "video": video.info.sha256,
        "stream": str(video.info.stream),
        "candidates": _digest(candidates.indices),
        "backbone": spec,
        "revision": backbone.revision,
        "version": VERSION,
    }
    found = cache.tensors("features", key)
    if found is None:
        found = _embed(video, candidates, backbone, spec, progress)
        cache.put_tensors("features", key, found)
    kept = candidates.keep(torch.isin(candidates.indices, found["indices"]))
    name = f"{spec} {backbone.revision}"
    return Features(found["vectors"], kept.times, kept.indices, name), kept


def _embed(
    video: Video,
    candidates: Candidates,
    backbone: Backbone,
    spec: str,
    progress: Callable[[int, int], None] | None,
) -> dict[str, Tensor]:
    """``vectors`` and ``indices`` of the candidates that could be decoded."""
    total = candidates.indices.shape[0]
    vectors: list[Tensor] = []
    indices: list[Tensor] = []
    done = 0
    frames = video.frames(candidates.indices, side=backbone.side, batch=backbone.batch)
    with closing(_ahead(frames)) as batches:
        for batch in batches:
            vectors.append(_checked(backbone.embed(batch.pixels), batch, spec))
            indices.append(batch.indices)
            done += batch.indices.shape[0]
            if progress is not None:
                progress(done, total)
    if not vectors:
        raise VideoError(
            f"expected to decode some of the {total} candidates of {video.info.uri}, got none: "
            "the video is damaged there; choose another part of it, or repair it with ffmpeg"
        )
    if done < total:
        log.warning("%d of %d candidates could not be decoded", total - done, total)
    return {"vectors": torch.cat(vectors), "indices": torch.cat(indices)}


def _ahead(batches: Iterator[Frames]) -> Generator[Frames, None, None]:
    """The same batches, the next one decoded in a thread while the current one is in use."""
    try:
        with ThreadPoolExecutor(1, thread_name_prefix="hfs-features") as pool:
            coming = pool.submit(next, batches, None)
            while (batch := coming.result()) is not None:
                coming = pool.submit(next, batches, None)
                yield batch
    finally:
        if isinstance(batches, Generator):
            batches.close()  # ends the decoder's own threads


def _checked(vectors: Float[Tensor, "n d"], batch: Frames, spec: str) -> Float[Tensor, "n d"]:
    """The vectors, if they are what a backbone promises."""
    vectors = vectors.detach().float().cpu()
    norms = vectors.norm(dim=1)
    if vectors.shape[0] != batch.indices.shape[0] or not bool(((norms - 1).abs() < 1e-3).all()):
        raise FailureError(
            f"expected {batch.indices.shape[0]} vectors of norm 1 from {spec}, got "
            f"{vectors.shape[0]} with norms {norms.min():.3g} to {norms.max():.3g} at "
            f"{float(batch.times[0]):.2f} s: its weights may overflow, try dtype='float32'"
        )
    return vectors


def _digest(indices: Int[Tensor, "n"]) -> str:
    return hashlib.sha256(indices.to(torch.int64).contiguous().numpy().tobytes()).hexdigest()
