"""Folders of films: decoded they are what was drawn, at the exact times."""

import json
import subprocess
import sys

import pytest
import torch

from hfs.benchmarks import load
from hfs.benchmarks.world import Benchmark
from hfs.errors import OutputError, UsageError
from hfs.judging.score import score
from hfs.records import Tally
from hfs.samplers import grid
from hfs.subtitle_text import parse
from hfs.video import Video
from hfs.world import World
from hfs.world.records import record
from hfs.world.render import CARD, OPTIONS, QUESTIONS, render, write_subtitles, write_video

WORLDS = [World(), World(frames=16, fps=4.0), World(frames=16, step=3.5, size=96)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("films")
    render(path, World(frames=32), "test", 3, learned=40)
    return path


@pytest.mark.parametrize("world", WORLDS, ids=["plain", "dense", "slow"])
def test_the_decoded_film_is_what_was_drawn_at_the_exact_times(tmp_path, world):
    film = world.film("test", 1)
    write_video(film, tmp_path / "film.mp4")
    with Video.open(str(tmp_path / "film.mp4")) as video:
        assert video.duration == pytest.approx(film.duration)
        assert len(video.times) == film.layout.frames * film.per_candidate
        (frames,) = video.frames(film.candidates, batch=4096)
        sampled = grid.Sampler(fps=1 / world.step, least=1)(video, 0.0, video.duration)
    drawn = film.frames()
    assert torch.equal(frames.times, drawn.times)
    assert torch.equal(sampled.times, drawn.times), "the sampler finds the candidates"
    loss = (frames.pixels.float() - drawn.pixels.float()).abs()
    assert loss.mean() < 4
    assert loss.mean((1, 2, 3)).max() < 6


def test_subtitles_come_back_as_they_were_said(tmp_path):
    film = World(frames=64, step=3.5).film("test", 0)
    write_subtitles(film, tmp_path / "film.srt")
    found = parse((tmp_path / "film.srt").read_text())
    assert found == [(s.start, s.end, s.text) for s in film.subtitles]


def test_a_folder_holds_films_subtitles_questions_options_and_a_card(folder):
    names = {f"test-0000{i}{end}" for i in range(3) for end in (".mp4", ".srt")}
    assert {p.name for p in folder.iterdir()} == names | {QUESTIONS, CARD, OPTIONS}
    lines = [json.loads(line) for line in (folder / QUESTIONS).read_text().splitlines()]
    items = [item for film in World(frames=32).films("test", 3) for item in film.items]
    assert lines == [record(item) for item in items]


def test_the_card_says_what_a_reader_of_the_questions_alone_reaches(folder):
    card = (folder / CARD).read_text()
    assert "hfs world render DIR --split test --n 3 --seed 0 --frames 32" in card
    assert "| all | 80 |" in card
    assert "from 40 training films" in card
    assert "| global | most |" in card


def test_rendering_again_keeps_the_films_and_goes_on_where_it_stopped(folder, tmp_path):
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "test-00001.mp4").unlink()
    (tmp_path / "test-00000.mp4").write_bytes(b"kept")
    render(tmp_path, World(frames=32), "test", 3, learned=8)
    assert (tmp_path / "test-00000.mp4").read_bytes() == b"kept"
    assert (tmp_path / "test-00001.mp4").read_bytes() == (folder / "test-00001.mp4").read_bytes()


def test_films_of_two_worlds_never_mix(folder, tmp_path):
    with pytest.raises(UsageError, match="choose another folder"):
        render(folder, World(frames=32, size=128), "test", 3)
    (tmp_path / "holiday.mp4").write_bytes(b"")
    with pytest.raises(UsageError, match=r"holiday\.mp4"):
        render(tmp_path, World(), "test", 1)
    with pytest.raises(UsageError, match="at least 1 film"):
        render(tmp_path / "new", World(), "test", 0)


def test_nothing_is_left_where_a_film_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file"):
        render(tmp_path / "file" / "films", World(), "test", 1)
    film = World(frames=16).film("test", 0)
    with pytest.raises(OutputError, match=r"film\.mp4"):
        write_video(film, tmp_path / "missing" / "film.mp4")


def test_the_benchmark_and_the_judge_read_the_questions(folder):
    items = {item.id: item for film in World(frames=32).films("test", 3) for item in film.items}
    found = load(Benchmark(), [folder / QUESTIONS], Tally())
    assert {i.id for i in found} == set(items)
    for asked in found:
        item = items[asked.id]
        assert asked.answer == item.letter
        assert asked.groups["kind"] == item.kind
        units = [*((span,) for span in asked.evidence or ()), *asked.any_of]
        assert sorted(units) == sorted(item.evidence)
    every = "\n".join(
        json.dumps({"id": i, "times": World(frames=32).film("test", 0).times.tolist()})
        for i in items
    )
    (folder.parent / "all.jsonl").write_text(every)
    rows = score([str(folder.parent / "all.jsonl")], [str(folder / QUESTIONS)]).rows
    assert {r.metric: r.value for r in rows}["evidence_recall"] == 1.0


def test_the_command_renders_and_prints_the_floor(tmp_path):
    def run(*arguments):
        line = [sys.executable, "-m", "hfs", "world", "render", str(tmp_path / "w"), *arguments]
        return subprocess.run(line, capture_output=True, text=True, check=False)

    done = run("-n", "1", "--frames", "16", "--fps", "2", "-q")
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 films of test" in done.stdout
    assert "chance" in done.stdout
    assert "--frames 16 --size 64 --step 1 --fps 2" in (tmp_path / "w" / CARD).read_text()
    refused = run("--split", "dev")
    assert refused.returncode == 2
    assert "train, validation, test" in refused.stderr
