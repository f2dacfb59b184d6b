"""Videos of a store -> milliseconds to open one again, from its file and from memory.

``python speed/videos.py [--json]``; a ratio is against the file in the same run. Films of the world
with their subtitles, made-up features of a small backbone and one visual token a frame; the file is
in the system's cache.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

import torch

from hfs.training.store import Seen, Store
from hfs.training.videos import Videos
from hfs.training.visual_tokens import VisualTokens
from hfs.types import Evidence, Features
from hfs.world import Film, World

FILMS, ROUNDS, WIDTH = 50, 5, 96


def seen(film: Film) -> Seen:
    """The film as a store keeps it."""
    times = film.times
    n = len(times)
    vectors = torch.nn.functional.normalize(torch.randn(n, WIDTH), dim=1)
    return Seen(
        Features(vectors, times, torch.arange(n), "made-up"),
        0.0,
        film.duration,
        Evidence(film.subtitles),
        VisualTokens(torch.randn(n, 1, WIDTH)),
    )


def milliseconds(videos: Videos, names: list[str]) -> float:
    """Least processor time to open a video, the mean of all, after a round that warms up."""
    rounds = []
    for _ in range(ROUNDS + 1):
        start = time.process_time()
        for name in names:
            videos[name]
        rounds.append((time.process_time() - start) / len(names) * 1e3)
    return min(rounds[1:])


def main() -> None:
    """Print both times and their ratio, or with --json the same as an object."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        store, video = Store(Path(folder)), Path(folder) / "a.mp4"
        video.touch()
        films = World().films("train", FILMS)
        names = []
        for film in films:
            store.put(film.id, video, seen(film))
            names.append(film.id)
        file = milliseconds(Videos(store, most=0), names)
        memory = milliseconds(Videos(store), names)
    made = {"file_ms": file, "memory_ms": memory, "ratio": memory / file}
    if "--json" in sys.argv[1:]:
        print(json.dumps(made, indent=1))
        return
    print(f"file {file:.3f} ms, memory {memory:.5f} ms, ratio {made['ratio']:.5f}")


if __name__ == "__main__":
    main()
