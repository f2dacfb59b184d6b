"""The sample talk, or the user's own video -> ``demo/``; a film of the world -> ``demo-world/``.

``make demo`` and ``make demo VIDEO=talk.mp4 QUESTION="..." K=8`` run this. The talk is asked about
with what needs no training, the film with the student that comes with the package.
"""

import os
from pathlib import Path

from hfs.cli import main
from hfs.sample import render_sample
from hfs.world import VERSION, World
from hfs.world.render import write_video

FILM = 3
"""Of the test split; what it is asked is its first question about a moment."""
MOMENTS = ("digit", "letter", "word")


def arguments() -> list[list[str]]:
    """The command lines of ``hfs`` that the demo stands for."""
    video, question = os.environ.get("VIDEO", ""), os.environ.get("QUESTION", "")
    k = os.environ.get("K", "8")
    if video:
        return [["select", video, question, "-k", k, "--out", "demo"]]
    build = Path("build")
    build.mkdir(exist_ok=True)
    talk = render_sample(build / "sample.mp4")
    film, path = World().film("test", FILM), build / f"world-{VERSION}.mp4"
    if not path.exists():
        write_video(film, path)
    asked = next(item.question for item in film.items if item.kind in MOMENTS)
    return [
        ["select", str(talk.video), question or talk.question, "-k", k, "--out", "demo"],
        ["select", str(path), asked, "-k", "4", "--model", "world", "--out", "demo-world"],
    ]


if __name__ == "__main__":
    for line in arguments():
        print(f"{line[1]}: {line[2]}", flush=True)  # noqa: T201
        try:
            main(line)
        except SystemExit as done:
            if done.code:
                raise
