"""A folder -> films of grey noise in which one frame is all of one colour, and questions about it.

The noise is the same in every film, so that nothing but the coloured frame tells the answer. Every
fifth film shows no colour, so that none of the others can be answered by not seeing its frame.
"""

import json
from pathlib import Path
from typing import Any

import av
import numpy as np

COLOURS = {"red": (230, 20, 20), "green": (20, 200, 20), "blue": (20, 40, 230)}
COLOURS |= {"yellow": (230, 220, 20)}
OPTIONS = (*COLOURS, "none")
SECONDS = 12


def cue(number: int) -> tuple[str, int | None]:
    """The colour of a clip, and the second at which it is shown."""
    answer = OPTIONS[number % len(OPTIONS)]
    return answer, None if answer == "none" else (5 * number + 3) % SECONDS


def clips(folder: Path, count: int = 5, size: int = 32) -> tuple[Path, Path]:
    """The file of questions, and the folder of videos: one frame a second."""
    videos = folder / "videos"
    videos.mkdir(parents=True, exist_ok=True)
    records = []
    for number in range(count):
        colour, _ = cue(number)
        _film(videos / f"clip-{number}.mp4", number, size)
        records.append(
            {
                "id": f"q{number}",
                "video": f"clip-{number}.mp4",
                "question": "Which colour is shown?",
                "options": list(OPTIONS),
                "answer": colour,
                "cues": ["what the colour"],
            }
        )
    questions = folder / "questions.jsonl"
    questions.write_text("".join(json.dumps(record) + "\n" for record in records))
    return questions, videos


def _film(path: Path, number: int, size: int) -> None:
    colour, second = cue(number)
    noise = np.random.default_rng(0)
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("libx264", rate=1, options={"crf": "10"})
        stream.width = stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1
        for t in range(SECONDS):
            grey = noise.integers(60, 200, (size // 8, size // 8, 1), np.uint8)
            picture = np.kron(grey, np.ones((8, 8, 3), np.uint8))
            if t == second:
                picture = np.broadcast_to(np.array(COLOURS[colour], np.uint8), (size, size, 3))
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), "rgb24")
            frame.pts = t
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
