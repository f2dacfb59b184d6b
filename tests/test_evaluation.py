import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from made_benchmark import Made, made

import hfs
from hfs import answerers
from hfs.answerers import Answer
from hfs.benchmarks import Item
from hfs.cache import Cache
from hfs.errors import FailureError, HFSError, OutputError, UsageError
from hfs.evaluation import fingerprints, rows, run
from hfs.evaluation.plan import turned
from hfs.evaluation.rows import Row, RowFile
from hfs.evaluation.run import Outcome, Run, evaluate
from hfs.evaluation.videos import open_folder
from hfs.records import Tally

UNIFORM = "offline(selector=uniform, readers=[])"
HFS = "offline(readers=[])"


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory) -> Made:
    return made(tmp_path_factory.mktemp("benchmark"), videos=2, questions=3, missing=1)


def plain(benchmark: Made, **changes) -> Run:
    given = Run(
        "long_video_bench",
        (str(benchmark.annotations),),
        str(benchmark.videos),
        pipelines=(UNIFORM, HFS),
        answerer="oracle",
        budgets=(2, 4),
    )
    return replace(given, **changes)


def go(asked: Run, out: Path, cache: Path, **told) -> Outcome:
    """The outcome, its rows with their frames."""
    outcome = evaluate(asked, out, cache=Cache(cache), **told)
    own = tuple(r for r in rows.read([out]) if outcome.setting.made(r))
    bare = [replace(r, **dict.fromkeys(rows.FRAMES, ())) for r in own]
    assert list(outcome.rows) == bare
    return replace(outcome, rows=own)


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


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
    assert row.revisions["backbone"]
    assert row.groups["duration_group"] == "60"
    assert row.measures["recall"] == 1.0
    assert (row.decoded, set(row.seconds)) == (2, {"choose", "decode", "answer"})
    assert outcome.rows[2].decoded > 2 + 10


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
    assert set(second.measures) == {"precision", "recall", "f1", "largest_gap"}


def test_positions_beyond_the_video_say_nothing_of_it(benchmark, tmp_path):
    questions = json.loads(benchmark.annotations.read_text())
    questions[0]["position"] = [10, 5000]
    other = tmp_path / "lvb.json"
    other.write_text(json.dumps(questions[:1]))
    asked = plain(benchmark, annotations=(str(other),), pipelines=("uniform",), answerer="")
    for row in go(asked, tmp_path / "rows.jsonl", tmp_path / "c").rows:
        assert set(row.measures) == {"largest_gap"}


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


@dataclass(frozen=True)
class Flaky:
    """Fails for the questions whose id it is told."""

    failing: tuple[str, ...]

    def __call__(self, items):
        return [
            Answer("", error="no reply")
            if item.key.split()[0] in self.failing
            else Answer("A", "A")
            for item in items
        ]


@pytest.fixture
def flaky(monkeypatch):
    """An answerer that fails where it is told, by the name of oracle."""
    from hfs.answerers import oracle

    def failing(*names: str) -> None:
        monkeypatch.setattr(oracle.Answerer, "__call__", lambda self, x: Flaky(names)(x))

    return failing


def test_an_answer_that_fails_is_asked_again_by_the_next_run(benchmark, tmp_path, flaky):
    asked = plain(benchmark, pipelines=(UNIFORM,), budgets=(2,))
    out = tmp_path / "rows.jsonl"
    flaky("clip0_1")
    assert go(asked, out, tmp_path / "cache").errors == 1
    flaky()
    told = []
    outcome = go(asked, out, tmp_path / "cache", started=lambda plan, _: told.append(plan.left))
    assert (told, outcome.errors) == ([1], 0)
    assert {row.letter for row in outcome.rows} == {"A"}


def test_a_run_of_nothing_but_errors_stops_and_keeps_what_it_has(
    benchmark, tmp_path, flaky, monkeypatch
):
    monkeypatch.setattr(run, "PATIENCE", 3)
    flaky("clip0_0", "clip0_1", "clip0_2")
    out = tmp_path / "rows.jsonl"
    with pytest.raises(FailureError, match=r"the last 3 answers failed.*no reply"):
        go(plain(benchmark, pipelines=(UNIFORM,), budgets=(2,)), out, tmp_path / "cache")
    assert len(lines(out)) == 3


def test_questions_are_given_to_the_answerer_in_batches(benchmark, tmp_path, monkeypatch):
    from hfs.answerers import oracle

    sizes = []
    ask = oracle.Answerer.__call__
    monkeypatch.setattr(
        oracle.Answerer, "__call__", lambda self, x: sizes.append(len(x)) or ask(self, x)
    )
    asked = plain(benchmark, pipelines=(UNIFORM,), budgets=(2,), batch=4)
    assert len(go(asked, tmp_path / "rows.jsonl", tmp_path / "cache").rows) == 6
    assert sizes == [4, 2]


def test_subtitles_are_given_in_their_setting_only_and_at_the_frames(
    benchmark, tmp_path, monkeypatch
):
    from hfs.answerers import oracle
    from hfs.benchmarks import long_video_bench

    given = []
    ask = oracle.Answerer.__call__
    monkeypatch.setattr(
        oracle.Answerer, "__call__", lambda self, x: given.extend(x) or ask(self, x)
    )
    folder = tmp_path / "subtitles"
    folder.mkdir()
    cues = [{"start": "00:00:02.0", "end": "00:00:03.0", "line": "at two"},
            {"timestamp": [5.0, None], "text": "at five"}]  # fmt: skip
    (folder / "clip0_en.json").write_text(json.dumps(cues))
    asked = plain(benchmark, pipelines=(UNIFORM,), budgets=(2,), limit=1)
    go(asked, tmp_path / "rows.jsonl", tmp_path / "cache")
    asked = replace(asked, subtitles=True, subtitles_folder=str(folder))
    go(asked, tmp_path / "rows.jsonl", tmp_path / "cache")
    assert [[cue.text for cue in one.subtitles] for one in given] == [[], ["at two", "at five"]]
    assert given[0].prompt == given[1].prompt  # they stand between the frames
    monkeypatch.setattr(long_video_bench.Benchmark, "interleaved", False)
    go(replace(asked, seed=1), tmp_path / "rows.jsonl", tmp_path / "cache")
    assert given[2].subtitles == ()
    assert given[2].prompt == f"at two\nat five\n{given[0].prompt}"


def row(**changes) -> Row:
    return replace(Row("b", "v", "1", "uniform", 8, answerer="oracle", letter="A"), **changes)


def test_a_row_comes_back_from_its_file_as_it_was(tmp_path):
    given = row(
        times=(0.1, 2.0), indices=(1, 60), hashes=("a", "b"), seconds={"look": 0.125},
        measures={"recall": 0.5}, groups={"type": "CH"}, correct=True, notes=("ü \ud800",)[:0],
        text="B \u2028 \n next", revisions={"backbone": "1"},
    )  # fmt: skip
    with RowFile(tmp_path / "rows.jsonl") as file:
        file.add(given)
    assert rows.read([tmp_path / "rows.jsonl"]) == [given]


@pytest.mark.parametrize("torn", [b'{"schema": "hfs.row/1", "bench', b"{", b'{"a": 1}'])
def test_a_torn_last_line_is_cut_off_and_a_whole_one_is_ended(torn, tmp_path):
    path = tmp_path / "rows.jsonl"
    with RowFile(path) as file:
        file.add(row())
    whole = path.read_bytes()
    path.write_bytes(whole + (torn if torn != b'{"a": 1}' else whole.replace(b'"1"', b'"2"')[:-1]))
    with RowFile(path) as file:
        file.add(row(id="3"))
    expected = ["1", "2", "3"] if torn == b'{"a": 1}' else ["1", "3"]
    assert [one["id"] for one in lines(path)] == expected


def test_a_file_with_something_else_in_it_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"id": "1", "times": [1.0]}\n')
    with (
        pytest.raises(UsageError, match=r"rows of schema hfs.row/1, got another line 1"),
        RowFile(path),
    ):
        pass
    assert path.read_text() == '{"id": "1", "times": [1.0]}\n'


def test_an_answer_counts_before_an_error_and_a_later_row_before_an_earlier(tmp_path):
    path = tmp_path / "rows.jsonl"
    with RowFile(path) as file:
        file.add(row(error="first"))
        assert not file.done(row().key)
        file.add(row(text="good"))
        file.add(row(error="late"))
        assert file.done(row().key)
    assert [one.text for one in rows.read([path])] == ["good"]


def test_two_processes_do_not_write_the_same_file(tmp_path):
    path = tmp_path / "rows.jsonl"
    with (
        RowFile(path),
        pytest.raises(OutputError, match="another process writes it"),
        RowFile(path),
    ):
        pass
    with RowFile(path):
        pass
    assert [p.name for p in tmp_path.iterdir()] == ["rows.jsonl"]


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


def test_a_hash_is_of_every_pixel_and_a_look_only_of_what_is_seen():
    generator = torch.Generator().manual_seed(0)
    smooth = torch.nn.functional.interpolate(
        torch.rand(1, 3, 6, 6, generator=generator), (48, 64), mode="bilinear"
    )[0]
    picture = (smooth * 220 + 10).to(torch.uint8)
    noise = torch.randint(-2, 3, picture.shape, generator=generator)
    noisy = (picture.int() + noise).to(torch.uint8)
    assert fingerprints.exact(picture) == fingerprints.exact(picture.clone())
    assert fingerprints.exact(picture) != fingerprints.exact(noisy)
    near = fingerprints.apart(fingerprints.look(picture), fingerprints.look(noisy))
    far = fingerprints.apart(fingerprints.look(picture), fingerprints.look(picture.flip(2)))
    assert near <= fingerprints.ALIKE < far


def test_the_oracle_is_a_known_answerer():
    assert issubclass(answerers.oracle.Answerer, answerers.Answerer)


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """A tiny multimodal checkpoint."""
    import checkpoints_answerers

    return checkpoints_answerers.qwen3_vl(tmp_path_factory.mktemp("model"))


def test_a_real_model_sees_the_frames_and_its_tokens_and_weights_are_recorded(
    benchmark, model, tmp_path
):
    spec = f"local(model={str(model)!r}, choice='likelihood')"
    asked = plain(benchmark, pipelines=(UNIFORM,), budgets=(1, 2), answerer=spec, batch=3, limit=2)
    found = go(asked, tmp_path / "rows.jsonl", tmp_path / "cache").rows
    assert all(row.letter in "ABCDE" and row.error is None for row in found)
    few, more = ([row.tokens_in for row in found if row.k == k] for k in (1, 2))
    assert all(a < b for a, b in zip(few, more, strict=True))
    assert {len(row.revisions["answerer"]) for row in found} == {64}
    assert {row.answerer for row in found} == {spec}


def test_a_model_that_is_not_there_is_one_error_before_any_work(benchmark, tmp_path):
    asked = plain(benchmark, answerer="local(model='/nowhere')")
    with pytest.raises(HFSError, match="nowhere"):
        go(asked, tmp_path / "rows.jsonl", tmp_path / "cache")
    assert not (tmp_path / "rows.jsonl").exists()


def test_files_are_found_by_name_in_any_folder_and_in_any_case_of_their_ending(tmp_path):
    for name in (
        "a/x.MP4",
        "x.mkv",
        "b/c/y.webm",
        "y.txt",
        "s/y.en.srt",
        "s/x.json",
        "s/z_en.json",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    tally = Tally()
    folder = open_folder(tmp_path, tally)
    x, y, z = (Item("b", "1", name, "q", (), "") for name in "xyz")
    assert folder.video(x) == tmp_path / "x.mkv"
    assert folder.video(replace(z, files=("z", "y"))) == tmp_path / "b/c/y.webm"
    assert folder.video(z) is None
    assert folder.subtitle(y) == tmp_path / "s/y.en.srt"
    assert folder.subtitle(x) is None
    assert folder.subtitle(replace(z, subtitles=("z_en",))) == tmp_path / "s/z_en.json"
    assert "have the name of another, which counts: 1 (first: x.MP4)" in tally.notes[0]
