"""A seed -> the sample: a three-minute illustrated talk, its subtitles, and a question about it.

The answer to the question lies in three moments of six seconds. Between them are long still slides,
pictures that move, and half a minute of nearly equal pictures that speak of the right things and
answer nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from hfs import sample_pictures as pictures
from hfs.errors import OutputError

if TYPE_CHECKING:
    from PIL import Image

FPS = 12


@dataclass(frozen=True)
class Scene:
    """A stretch of the talk; its lines share its time equally."""

    seconds: int
    picture: Callable[[float, Random], "Image.Image"]
    """Drawn from the seconds since the scene began, and what chance gives it."""
    lines: tuple[str, ...]
    moves: bool = False
    answers: bool = False


@dataclass(frozen=True)
class Sample:
    """What was written, and what is known about it."""

    video: Path
    subtitles: Path
    question: str
    options: tuple[str, ...]
    answer: int
    """Index of the right option."""
    evidence: tuple[tuple[float, float], ...]
    """The moments that hold the answer, seconds; each is needed."""


QUESTION = "What broke the lighthouse lens, who repaired it, and what did the repair cost?"
OPTIONS = (
    "Frost; the last keeper; 4,130 crowns",
    "Lightning; Marta Oyelaran; 41,300 crowns",
    "A wave; Marta Oyelaran; 19,000 crowns",
    "Lightning; old Mrs Tamm; 14,300 crowns",
)
ANSWER = 1

TALK = (
    Scene(10, pictures.title, (
        "Good evening, and thank you for climbing the hill in this wind.",
        "Tonight I will tell you how our bay got its light back.",
    )),
    Scene(24, pictures.coast, (
        "The tower at Gull Point has stood on its rock for a hundred and ten years.",
        "The fishing boats steer by it, and so do the ferries from the islands.",
        "My grandfather told the hour by the way its beam crossed the kitchen wall.",
        "As a child I believed that it was looking for someone.",
        "On a clear night you could see it from nineteen miles out.",
    ), moves=True),
    Scene(18, pictures.keepers, (
        "Three keepers shared the house, one week at the lamp and two weeks ashore.",
        "They grew potatoes behind the wall and kept a goat called Captain.",
        "The last of them left in nineteen seventy-four, and a clock took over.",
        "The goat, I am told, was not consulted.",
    )),
    Scene(6, pictures.storm, (
        "Then, one night in November, lightning struck the tower and broke the lens.",
    ), moves=True, answers=True),
    Scene(30, pictures.lamp_room, (
        "This is the lamp room of the lighthouse the next morning.",
        "Here is the lens again, from the stairs.",
        "The lens of the lighthouse once more, with the lamp behind it.",
        "I took a great many pictures of the lens that day.",
        "The lighthouse lens from the left, and the lens from the right.",
        "Here I only changed the exposure.",
        "And this one I cannot explain.",
    ), moves=True),
    Scene(16, pictures.hall, (
        "So we met in the school hall, all forty of us.",
        "Some wanted an electric lamp on a pole, some wanted the old beam or nothing.",
        "We argued until the tea was cold.",
        "Then old Mrs Tamm put her hat on the table, and we filled it.",
    ), moves=True),
    Scene(6, pictures.repair, (
        "Marta Oyelaran, a glassmaker from the next valley, repaired the lens ring by ring.",
    ), answers=True),
    Scene(24, pictures.journey, (
        "She worked all winter, in a barn with a stove at each end.",
        "In February the rings came back over the pass, packed in wool.",
        "The road was closed twice, so the last stretch went by sledge.",
        "At the harbour a boat was waiting, with a very nervous captain.",
        "Nobody spoke until the last crate was on the rock.",
        "Then everybody spoke.",
    )),
    Scene(6, pictures.bill, (
        "In the end the repair cost forty-one thousand three hundred crowns.",
    ), answers=True),
    Scene(28, pictures.night, (
        "On the first of March, a little after six, we lit it.",
        "The beam went once around the bay, and every boat sounded its horn.",
        "My neighbour, who never cries, said that it was the wind.",
        "I walked home and watched it cross the kitchen wall.",
        "It took exactly nine seconds, as it always had.",
        "He would have known the hour.",
    ), moves=True),
    Scene(12, pictures.farewell, (
        "Thank you for listening.",
        "There is tea downstairs, and the hat is by the door.",
    )),
)  # fmt: skip


def render_sample(path: str | Path, *, seed: int = 0, fps: int = FPS) -> Sample:
    """Write the video (H.264 in whatever container the name asks for) and an .srt beside it.

    Raises OutputError where they cannot be written.
    """
    video = Path(path)
    subtitles = video.with_suffix(".srt")
    part = video.with_name(f".part-{video.name}")
    try:
        _encode(part, seed, fps)
        part.replace(video)
        subtitles.write_text(_srt(), encoding="utf-8")
    except (OSError, ValueError) as error:
        raise OutputError(f"expected to write the sample to {video}: {error}") from error
    finally:
        part.unlink(missing_ok=True)
    evidence = tuple((s, e) for s, e, scene in _timed() if scene.answers)
    return Sample(video, subtitles, QUESTION, OPTIONS, ANSWER, evidence)


def _timed() -> list[tuple[float, float, Scene]]:
    """The scenes with the seconds at which they begin and end."""
    timed, start = [], 0.0
    for scene in TALK:
        timed.append((start, start + scene.seconds, scene))
        start += scene.seconds
    return timed


def _encode(path: Path, seed: int, fps: int) -> None:
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("h264", rate=fps, options={"preset": "veryfast"})
        stream.width, stream.height = pictures.SIZE
        stream.pix_fmt = "yuv420p"
        for scene in TALK:
            picture = scene.picture(0.0, Random(seed))
            for i in range(scene.seconds * fps):
                if scene.moves:
                    picture = scene.picture(i / fps, Random(seed))
                container.mux(stream.encode(av.VideoFrame.from_image(picture)))
        container.mux(stream.encode())


def _srt() -> str:
    cues = []
    for start, end, scene in _timed():
        step = (end - start) / len(scene.lines)
        for i, line in enumerate(scene.lines):
            begin = start + i * step
            cues.append(f"{_clock(begin)} --> {_clock(begin + step - 0.2)}\n{line}\n")
    return "\n".join(f"{n}\n{cue}" for n, cue in enumerate(cues, 1))


def _clock(seconds: float) -> str:
    whole, thousandths = divmod(round(seconds * 1000), 1000)
    return f"00:{whole // 60:02}:{whole % 60:02},{thousandths:03}"
