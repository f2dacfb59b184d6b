"""The student that comes with the package: small, whole, and of use without a download."""

from pathlib import Path

import pytest

import hfs
from hfs import trained
from hfs.thinking import parse
from hfs.world import World
from hfs.world.render import write_video

FOLDER = trained.PACKAGED["world"]


def test_the_weights_are_small_and_have_a_card():
    weights = list(FOLDER.rglob("*.safetensors"))
    assert len(weights) == 2
    assert sum(file.stat().st_size for file in weights) < 10e6
    assert "What has been trained, and what has not" in (FOLDER / "README.md").read_text()


@pytest.fixture(scope="module")
def chosen(tmp_path_factory) -> list[tuple[float, float, hfs.Selection]]:
    """(recall of hfs with the student, of uniform, selection) for questions about moments."""
    folder, found = tmp_path_factory.mktemp("films"), []
    for number in range(3):
        film, path = World().film("test", number), folder / f"{number}.mp4"
        write_video(film, path)
        for item in film.items:
            if item.kind in ("digit", "letter", "word", "compare"):
                made, plain = _both(path, item.question)
                found.append((_recall(item, made), _recall(item, plain), made))
    return found


def _both(path: Path, question: str) -> tuple[hfs.Selection, hfs.Selection]:
    cache = path.parent / "cache"
    pipeline = "trained(model=world)"
    made = hfs.select(path, question, budget=8, pipeline=pipeline, cache=cache)
    return made, hfs.select(
        path, question, budget=8, pipeline="offline(selector=uniform, readers=[])", cache=cache
    )


def _recall(item, selection) -> float:
    import torch

    return item.recall(torch.tensor(selection.times, dtype=torch.float64))


def test_it_finds_the_moments_that_uniform_frames_miss(chosen):
    ours = sum(mine for mine, _, _ in chosen) / len(chosen)
    uniform = sum(plain for _, plain, _ in chosen) / len(chosen)
    assert len(chosen) >= 5
    assert ours >= 0.7 > uniform


def test_it_says_what_it_looked_for(chosen):
    for _, _, selection in chosen:
        thought = selection.query.get("thought", "")
        assert parse(thought)
        assert any(frame.facet and frame.facet in thought for frame in selection.frames)
