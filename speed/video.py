"""Videos -> seconds and memory of reading a frame a second, beside a loop over all frames.

``python speed/video.py [--render SECONDS] [VIDEO ...]`` prints one JSON object a video. ``plain``
is PyAV decoding every frame with its own threads and converting the same candidates; each
measurement has a process of its own, so that ``peak`` is its own. ``flat`` is the peak for all
candidates less the peak for the first half of them: what memory grows by with length. ``--render``
makes a talk at 360p (slides, a speaker who moves, x264's usual keyframes) and measures that.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
from av.video.reformatter import VideoReformatter

from hfs.candidates import candidates
from hfs.samplers.grid import Sampler
from hfs.video import Video

SIDE = 224
WAYS = ("hfs", "snapped", "half", "plain")


def talk(path: Path, seconds: int, rate: int = 25) -> None:
    """Slides that stay for 20 to 90 seconds beside a textured speaker in front of a noisy wall."""
    noise = np.random.default_rng(0)
    speaker = noise.normal(110, 35, (40, 30)).clip(16, 235).repeat(4, 0).repeat(4, 1)
    wall = noise.normal(150, 2, (16, 200, 160))
    until = 0
    picture = np.full((540, 640), 128, np.uint8)
    with av.open(path, "w") as out:
        stream: Any = out.add_stream("libx264", rate=rate, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for i in range(seconds * rate):
            if i >= until:
                until = i + int(noise.integers(20, 90)) * rate
                words = (noise.random((36, 64)) < 0.3).repeat(10, 0).repeat(10, 1)
                picture[:360] = np.where(words, 40, int(noise.integers(180, 240)))
            scene = wall[i % len(wall)].copy()
            y, x = int(20 + 15 * np.sin(i / 23)), int(20 + 15 * np.sin(i / 40))
            scene[y : y + 160, x : x + 120] = speaker
            picture[150:350, 470:630] = scene
            frame = av.VideoFrame.from_ndarray(picture, "yuv420p")
            frame.pts, frame.time_base = i, Fraction(1, rate)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


def read(path: str, way: str) -> dict[str, float]:
    """One measurement, in this process: memory in MiB, beyond what importing everything took."""
    torch.set_num_threads(1)
    imported = peak()
    began, worked = time.perf_counter(), time.process_time()
    with Video.open(path) as video:
        opened = time.perf_counter() - began
        found = candidates(video, Sampler(limit=20_000, snap=way == "snapped")).indices
        if way == "half":
            found = found[: len(found) // 2]
        if way == "plain":
            began, worked = time.perf_counter(), time.process_time()
            count = plain(path, set(found.tolist()))
        else:
            count = sum(len(b.indices) for b in video.frames(found, side=SIDE))
        packets = video.health.packets
    return {
        "packets": packets,
        "frames": count,
        "open": opened,
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - worked,
        "peak": peak() - imported,
    }


def plain(path: str, wanted: set[int]) -> int:
    """How many of the wanted frames a loop over all frames converts, counting them as they come."""
    count, scaler = 0, VideoReformatter()
    with av.open(path) as file:
        stream = file.streams.video[0]
        stream.thread_type = "AUTO"
        for i, frame in enumerate(file.decode(stream)):
            if i in wanted:
                short = min(frame.width, frame.height)
                width, height = frame.width * SIDE // short, frame.height * SIDE // short
                scaler.reformat(frame, width, height, "rgb24").to_ndarray()
                count += 1
    return count


def peak() -> float:
    """MiB of memory, at most, that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(path: Path) -> dict[str, Any]:
    """Every way of reading the candidates of one video, and how they compare."""
    rows: dict[str, Any] = {}
    for way in WAYS:
        call = [sys.executable, __file__, "--way", way, str(path)]
        rows[way] = json.loads(subprocess.run(call, check=True, capture_output=True).stdout)
    hfs, other = rows["hfs"], rows["plain"]
    return {
        "video": path.name,
        **rows,
        "seconds_ratio": other["seconds"] / hfs["seconds"],
        "cpu_ratio": other["cpu"] / hfs["cpu"],
        "flat": hfs["peak"] - rows["half"]["peak"],
    }


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("videos", nargs="*", type=Path)
    options.add_argument("--render", type=int, metavar="SECONDS")
    options.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.way:
        print(json.dumps(read(str(given.videos[0]), given.way)))
        return
    with tempfile.TemporaryDirectory() as folder:
        videos = list(given.videos)
        if given.render:
            videos.append(Path(folder) / "talk.mp4")
            talk(videos[-1], given.render)
        for path in videos:
            print(json.dumps(measure(path)), flush=True)


if __name__ == "__main__":
    main()
