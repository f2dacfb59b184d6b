import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from made_benchmark import Made, made

from hfs.cli import main
from hfs.commands.steps import line

RECIPES = Path(__file__).parents[1] / "recipes"
UNIFORM = "offline(selector=uniform, readers=[])"


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory) -> Made:
    return made(tmp_path_factory.mktemp("benchmark"), videos=2, questions=2, missing=1)


def call(*arguments: object) -> int:
    with pytest.raises(SystemExit) as stopped:
        main([str(a) for a in arguments])
    return int(stopped.value.code or 0)


def asked(benchmark: Made, tmp_path: Path, *more: object) -> list[object]:
    return [
        *("evaluate", "long_video_bench", "--annotations", benchmark.annotations),
        *("--videos", benchmark.videos, "--out", tmp_path / "rows.jsonl"),
        *("--cache", tmp_path / "cache", *more),
    ]


def test_evaluate_results_and_verify_follow_one_another(benchmark, tmp_path, capsys):
    more = ["--pipeline", UNIFORM, "--pipeline", "offline(readers=[])", "--answerer", "oracle"]
    command = asked(
        benchmark, tmp_path, *more, "-k", "2,3", "--write-selections", tmp_path / "s.jsonl"
    )
    assert call(*command) == 0
    said = capsys.readouterr()
    assert "long_video_bench: 6 questions of 3 videos; published: 1,337 of 753" in said.err
    assert "4 questions are asked here, 16 rows; 0 are in" in said.err
    assert "1 videos are missing, and their 2 questions are left out: clip2" in said.err
    assert "uniform" in said.out
    assert "over uniform" in said.out
    assert call(*command) == 0
    assert "16 are in" in capsys.readouterr().err

    page, picture, figures = (tmp_path / f"r.{end}" for end in ("html", "png", "json"))
    assert call(
        "results", tmp_path / "rows.jsonl", "--html", page, "--png", picture, "--json", figures
    ) == 0  # fmt: skip
    assert "<svg" in page.read_text()
    assert picture.read_bytes().startswith(b"\x89PNG")
    summary = json.loads(figures.read_text())
    assert [x["column"]["k"] for x in summary["lines"]] == [2, 3, 2, 3]
    assert 0 <= summary["lines"][0]["averages"]["accuracy"]["value"] <= 1

    written = sorted(tmp_path.glob("s-*.jsonl"))
    assert len(written) == 4
    capsys.readouterr()
    assert call("verify", *written, "--videos", benchmark.videos) == 0
    assert "40 same" not in capsys.readouterr().err
    assert call("score", written[0], "--truth", _truth(tmp_path)) == 0


def _truth(tmp_path: Path) -> Path:
    path = tmp_path / "truth.jsonl"
    path.write_text('{"id": "clip0_0", "duration": 10.0, "evidence": [[1.0, 2.0]]}\n')
    return path


def test_frames_written_by_one_run_are_evaluated_by_another(benchmark, tmp_path, capsys):
    frames = tmp_path / "theirs.jsonl"
    first = asked(benchmark, tmp_path, "--pipeline", UNIFORM, "-k", 4, "--write-selections", frames)
    assert call(*first) == 0
    assert "not answered" in capsys.readouterr().out
    second = asked(benchmark, tmp_path, "--selections", frames, "--answerer", "oracle", "-q")
    assert call(*second) == 0
    said = capsys.readouterr()
    assert "theirs.jsonl" in said.out
    assert said.err == ""
    rows = [json.loads(x) for x in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert [r["hashes"] for r in rows[:4]] == [r["hashes"] for r in rows[4:]]


def test_verify_fails_where_a_frame_is_not_what_it_was(benchmark, tmp_path, capsys):
    path = tmp_path / "s.jsonl"
    path.write_text('{"id": "q", "video": "clip0", "times": [0.5], "indices": [900]}\n')
    assert call("verify", path, "--videos", benchmark.videos) == 1
    said = capsys.readouterr()
    assert "1 gone" in said.out
    assert "q of clip0: gone" in said.out
    assert "1 of 1 selections do not come out again" in said.err


def test_many_missing_videos_are_all_listed_in_a_file(tmp_path, capsys):
    few = made(tmp_path / "few", videos=1, questions=1, missing=15)
    command = asked(few, tmp_path, "--pipeline", UNIFORM, "-k", 1)
    assert call(*command) == 0
    assert "15 videos are missing, and their 15 questions" in capsys.readouterr().err
    assert len((tmp_path / "rows.missing.txt").read_text().split()) == 15


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (["-k", "0"], "budgets such as 8,16,32"),
        (["--shard", "2"], "a shard such as 1/4"),
        (["--shard", "5/4"], "a shard such as 1/4, got 5/4"),
        (["--limit", "0"], "at least 1"),
        (["--pipeline", "nobody"], "one of the presets"),
        (["--pipeline", "offline(selector=nobody)"], "one of the selectors"),
        (["--answerer", "nobody"], "one of the answerers"),
        (["--videos", "/nowhere"], "found none at /nowhere"),
        (["--annotations", "/nowhere.json"], "got /nowhere.json"),
        (["--annotations", "hub(name='x', split='test')"], "pip install datasets"),
    ],
)
def test_a_wrong_call_is_one_line_and_leaves_no_file(more, expected, benchmark, tmp_path, capsys):
    base = asked(benchmark, tmp_path, *([] if "--pipeline" in more else ["--pipeline", UNIFORM]))
    code = call(*base, *more)
    said = capsys.readouterr()
    assert expected in said.err
    assert len(said.err.splitlines()) == 1
    assert code == (1 if "hub" in more[1] else 2)
    assert not (tmp_path / "rows.jsonl").exists()


def test_results_of_a_file_that_holds_no_rows_is_a_wrong_call(tmp_path, capsys):
    path = tmp_path / "x.jsonl"
    path.write_text('{"id": 1}\n')
    assert call("results", path) == 2
    assert "rows of schema hfs.row/1" in capsys.readouterr().err


def test_a_log_says_how_much_is_done_and_how_long_is_left():
    assert line("rows", 120, 2400, 60.0) == "rows 120 of 2,400, 120.0 a minute, 19:00.0 left"
    assert line("rows", 2400, 2400, 60.0) == "rows 2,400 of 2,400, 2,400.0 a minute"


@pytest.mark.parametrize("recipe", sorted(RECIPES.glob("evaluate_*.py")), ids=lambda p: p.stem)
def test_a_recipes_commands_are_ones_that_hfs_takes(recipe, tmp_path, capsys, monkeypatch):
    said = subprocess.run([sys.executable, recipe], capture_output=True, text=True, check=True)
    commands = [shlex.split(x)[1:] for x in said.stdout.splitlines() if x.startswith("  $ ")]
    assert len(commands) >= 2
    assert len(commands) % 2 == 0
    monkeypatch.chdir(tmp_path)
    for evaluate, results in zip(commands[::2], commands[1::2], strict=True):
        assert evaluate[:2] == ["hfs", "evaluate"]
        assert call(*evaluate[1:]) == 2
        assert "got ANNOTATIONS" in capsys.readouterr().err
        assert results[:2] == ["hfs", "results"]
        assert call(*results[1:]) == 2
        assert "expected a file of rows" in capsys.readouterr().err
