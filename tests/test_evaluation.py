import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from evaluating import HFS, UNIFORM, go, lines, plain
from made_benchmark import Made, made

import hfs
from hfs.benchmarks import Item
from hfs.errors import UsageError
from hfs.evaluation import rows
from hfs.evaluation.plan import turned


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory) -> Made:
    return made(tmp_path_factory.mktemp("benchmark"), videos=2, questions=3, missing=1)


def test_every_question_gets_a_row_for_every_pipeline_and_budget(benchmark, tmp_path):
    outcome = go(plain(benchmark), tmp_path / "rows.jsonl", tmp_path / "cache")
    assert len(outcome.rows) == 2 * 3 * 2 * 2
    assert len({row.key for row in outcome.rows}) == 24
    row = outcome.rows[0]
    assert (row.benchmark, row.video, row.id) == ("long_video_bench", "clip0", "clip0_0")
    assert (row.pipeline, row.k, row.answerer) == (UNIFORM, 2, "oracle")
    assert len(row.times) == len(row.indices) == len(row.hashes) == len(row.looks) == 2
    assert row.times == (2.5, 7.5)
    assert row.version == hfs.__version__
    assert row.groups["duration_group"] == "60"
    assert row.measures["recall"] == 1.0
    assert (row.decoded, set(row.seconds)) == (2, {"choose", "decode", "answer"})
    assert outcome.rows[2].decoded > 2 + 10
    assert outcome.rows[2].revisions["backbone"]


def test_the_oracle_is_right_where_the_evidence_is_among_the_frames(benchmark, tmp_path):
    truth = tmp_path / "truth.jsonl"
    said = {"id": "clip0_0", "duration": 10.0, "evidence": [[2.4, 2.6]]}
    missed = {"id": "clip0_1", "duration": 10.0, "evidence": [[9.85, 9.9]]}
    truth.write_text(json.dumps(said) + "\n" + json.dumps(missed) + "\n")
    asked = plain(benchmark, pipelines=(UNIFORM,), budgets=(2,), truth=(str(truth),))
    found = {row.id: row for row in go(asked, tmp_path / "rows.jsonl", tmp_path / "c").rows}
    assert found["clip0_0"].correct
    assert found["clip0_0"].measures["evidence_recall"] == 1.0
    assert found["clip0_1"].measures["evidence_recall"] == 0.0


def test_scenes_that_the_answer_needs_are_judged_too(benchmark, tmp_path):
    scenes = tmp_path / "kfs.csv"
    scenes.write_text("id,segment_id,scene_id,start,end\nclip0_0,0,1,0:00:02,0:00:03\n")
    asked = plain(benchmark, pipelines=("uniform",), budgets=(2,), truth=(str(scenes),), limit=2)
    first, second = go(asked, tmp_path / "rows.jsonl", tmp_path / "c").rows
    assert (first.measures["kfr"], first.measures["shr"]) == (0.5, 1.0)
    assert {"precision", "recall", "f1", "largest_gap"} <= set(second.measures)
    assert "kfr" not in second.measures


def test_positions_beyond_the_video_say_nothing_of_it(benchmark, tmp_path):
    questions = json.loads(benchmark.annotations.read_text())
    questions[0]["position"] = [10, 5000]
    other = tmp_path / "lvb.json"
    other.write_text(json.dumps(questions[:1]))
    asked = plain(benchmark, annotations=(str(other),), pipelines=("uniform",), answerer="")
    for row in go(asked, tmp_path / "rows.jsonl", tmp_path / "c").rows:
        assert "largest_gap" in row.measures
        assert "recall" not in row.measures


def test_what_was_made_is_not_made_again(benchmark, tmp_path):
    out = tmp_path / "rows.jsonl"
    first = go(plain(benchmark, budgets=(2,)), out, tmp_path / "cache")
    told = []
    again = go(
        plain(benchmark),
        out,
        tmp_path / "cache",
        started=lambda plan, notes: told.append((plan.done, plan.left)),
    )
    assert told == [(12, 12)]
    assert len(lines(out)) == 24
    assert {row.key for row in first.rows} < {row.key for row in again.rows}


def test_another_setting_in_the_same_file_is_another_row(benchmark, tmp_path):
    out = tmp_path / "rows.jsonl"
    for changes in ({}, {"seed": 1}, {"answerer": "oracle(seed=3)"}, {"subtitles": True}):
        asked = plain(benchmark, pipelines=(UNIFORM,), budgets=(2,), **changes)
        assert len(go(asked, out, tmp_path / "cache").rows) == 6
    assert len(rows.read([out])) == 24


def test_missing_videos_are_named_and_their_questions_left_out(benchmark, tmp_path):
    plan = go(plain(benchmark), tmp_path / "rows.jsonl", tmp_path / "cache").plan
    assert [item.id for item in plan.missing] == ["clip2_0", "clip2_1", "clip2_2"]


def test_shards_part_the_videos_and_together_are_the_whole(benchmark, tmp_path):
    parts = []
    for i in (1, 2):
        outcome = go(plain(benchmark, shard=(i, 2)), tmp_path / f"{i}.jsonl", tmp_path / "cache")
        assert len({row.video for row in outcome.rows}) == 1
        parts.append({row.key for row in outcome.rows})
    whole = go(plain(benchmark), tmp_path / "rows.jsonl", tmp_path / "cache")
    assert parts[0] | parts[1] == {row.key for row in whole.rows}
    assert not parts[0] & parts[1]
    with pytest.raises(UsageError, match="a shard such as 1/4, got 3/2"):
        go(plain(benchmark, shard=(3, 2)), tmp_path / "x.jsonl", tmp_path / "cache")


def test_a_limit_counts_questions_whose_video_is_there(benchmark, tmp_path):
    outcome = go(plain(benchmark, limit=4), tmp_path / "rows.jsonl", tmp_path / "cache")
    assert {row.id for row in outcome.rows} == {"clip0_0", "clip0_1", "clip0_2", "clip1_0"}


def test_a_selector_alone_stands_for_a_pipeline_with_it(benchmark, tmp_path):
    asked = plain(benchmark, pipelines=("uniform", UNIFORM, "random"), budgets=(3,))
    found = go(asked, tmp_path / "rows.jsonl", tmp_path / "cache").rows
    times = {name: [row.times for row in found if row.pipeline == name] for name in asked.pipelines}
    assert times["uniform"] == times[UNIFORM] != times["random"]
    assert all("selector=random" in row.spec for row in found if row.pipeline == "random")


def test_a_video_is_embedded_once_for_all_that_is_asked_of_it(benchmark, tmp_path, monkeypatch):
    from hfs.backbones import pixels

    seen = []
    embed = pixels.Backbone.embed
    monkeypatch.setattr(
        pixels.Backbone, "embed", lambda self, x: seen.append(len(x)) or embed(self, x)
    )
    go(plain(benchmark), tmp_path / "rows.jsonl", tmp_path / "cache")
    asked = sum(seen)
    seen.clear()
    single = plain(benchmark, pipelines=(HFS,), budgets=(2,))
    go(single, tmp_path / "one.jsonl", tmp_path / "other")
    assert asked == sum(seen) > 0


def test_the_features_are_those_of_a_single_selection(benchmark, tmp_path):
    outcome = go(plain(benchmark), tmp_path / "rows.jsonl", tmp_path / "cache")
    for row in outcome.rows:
        if row.video != "clip0":
            continue
        options = [f"number {i}" for i in range(row.options)]
        question = f"Which number is shown at place {row.id[-1]} of clip0?"
        alone = hfs.select(
            benchmark.videos / "clip0.mp4",
            question,
            options=options,
            budget=row.k,
            pipeline=row.pipeline,
            cache=None,
        )
        assert alone.times == list(row.times)


def test_options_are_turned_with_the_right_answer():
    item = Item("b", "1", "v", "q", ("w", "x", "y", "z"), "B")
    assert [turned(item, r).options[0] for r in range(4)] == ["w", "x", "y", "z"]
    for r in range(4):
        one = turned(item, r)
        assert one.options["ABCD".index(one.answer)] == "x"


def test_circular_asks_every_turn_of_the_options_over_the_same_frames(benchmark, tmp_path):
    asked = plain(benchmark, circular=True, pipelines=(HFS,), budgets=(2,))
    found = go(asked, tmp_path / "rows.jsonl", tmp_path / "cache").rows
    of_one = [row for row in found if row.id == "clip0_1"]
    assert [row.rotation for row in of_one] == [0, 1, 2, 3, 4]
    assert [row.answer for row in of_one] == ["B", "A", "E", "D", "C"]
    assert len({row.hashes for row in of_one}) == 1


def test_frames_of_others_are_shown_and_their_budget_is_their_number(benchmark, tmp_path):
    theirs = tmp_path / "theirs.jsonl"
    theirs.write_text('{"id": "clip0_0", "times": [9.0, 1.02, 1.04, 5.55]}\n')
    asked = plain(benchmark, pipelines=(), selections=(str(theirs),))
    outcome = go(asked, tmp_path / "rows.jsonl", tmp_path / "cache")
    [row] = outcome.rows
    assert row.indices == (10, 55, 90)
    assert (row.pipeline, row.k) == ("file(name='theirs.jsonl')", 4)
    assert row.notes == ("1 of 4 times name a frame that another one names",)
    assert any("not in theirs.jsonl: 8" in note for note in outcome.notes)


def test_two_files_of_selections_with_one_name_are_refused(benchmark, tmp_path):
    paths = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        paths.append(tmp_path / folder / "theirs.jsonl")
        paths[-1].write_text('{"id": "clip0_0", "times": [1.0]}\n')
    asked = plain(benchmark, pipelines=(), selections=tuple(map(str, paths)))
    with pytest.raises(UsageError, match=r"names that differ, got file\(name='theirs.jsonl'\)"):
        go(asked, tmp_path / "rows.jsonl", tmp_path / "cache")


def test_without_an_answerer_frames_are_judged_and_nothing_is_asked(benchmark, tmp_path):
    outcome = go(plain(benchmark, answerer=""), tmp_path / "rows.jsonl", tmp_path / "cache")
    assert {(row.correct, row.text, row.error) for row in outcome.rows} == {(None, "", None)}
    assert all(row.measures for row in outcome.rows)


def test_a_broken_video_is_a_row_with_an_error_that_the_next_run_makes(benchmark, tmp_path):
    videos = tmp_path / "videos"
    videos.mkdir()
    whole = (benchmark.videos / "clip0.mp4").read_bytes()
    (videos / "clip0.mp4").write_bytes(b"no video")
    asked = plain(benchmark, videos=str(videos), pipelines=(UNIFORM,), budgets=(2,))
    out = tmp_path / "rows.jsonl"
    first = go(asked, out, tmp_path / "cache")
    assert first.errors == 3
    assert all(row.error and row.error.startswith("VideoError: ") for row in first.rows)
    (videos / "clip0.mp4").write_bytes(whole)
    again = go(asked, out, tmp_path / "cache")
    assert (again.errors, [row.error for row in again.rows]) == (0, [None] * 3)
    assert len(lines(out)) == 6


SLOW = """
import sys, time
sys.path.insert(0, sys.argv[1])
from hfs.answerers import oracle
ask = oracle.Answerer.__call__
def slow(self, items):
    time.sleep(0.15)
    return ask(self, items)
oracle.Answerer.__call__ = slow
from hfs.cli import main
main(sys.argv[2:])
"""


def test_a_killed_run_loses_at_most_the_item_in_work_and_repeats_none(benchmark, tmp_path):
    out = tmp_path / "rows.jsonl"
    command = [
        *("evaluate", "long_video_bench", "--annotations", str(benchmark.annotations)),
        *("--videos", str(benchmark.videos), "--pipeline", UNIFORM, "--answerer", "oracle"),
        *("-k", "1,2,3,4", "--out", str(out), "--cache", str(tmp_path / "cache")),
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    script = [sys.executable, "-c", SLOW, str(Path(__file__).parent), *command]
    child = subprocess.Popen(script, env=environment, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and (not out.exists() or out.read_bytes().count(b"\n") < 5):
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    before = rows.read([out])
    assert 5 <= len(before) < 24
    with out.open("ab") as file:
        file.write(b'{"schema": "hfs.row/1", "torn')  # as a kill within the write would leave it
    asked = plain(benchmark, pipelines=(UNIFORM,), budgets=(1, 2, 3, 4))
    told = []
    outcome = go(asked, out, tmp_path / "cache", started=lambda p, _: told.append((p.done, p.left)))
    assert told == [(len(before), 24 - len(before))]
    assert len(lines(out)) == 24
    assert list(outcome.rows[: len(before)]) == before
