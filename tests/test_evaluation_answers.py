import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from evaluating import UNIFORM, go, lines, plain
from made_benchmark import Made, made

from hfs.answerers import Answer
from hfs.errors import FailureError, HFSError
from hfs.evaluation import maker


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory) -> Made:
    return made(tmp_path_factory.mktemp("benchmark"), videos=2, questions=3, missing=1)


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
    monkeypatch.setattr(maker, "PATIENCE", 3)
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


def test_broken_videos_do_not_stop_a_run_whose_answerer_works(benchmark, tmp_path, monkeypatch):
    monkeypatch.setattr(maker, "PATIENCE", 3)
    videos = tmp_path / "videos"
    videos.mkdir()
    (videos / "clip0.mp4").write_bytes(b"no video")
    (videos / "clip1.mp4").write_bytes((benchmark.videos / "deep" / "clip1.mp4").read_bytes())
    asked = plain(benchmark, videos=str(videos), pipelines=("uniform",))
    outcome = go(asked, tmp_path / "rows.jsonl", tmp_path / "cache")
    assert (len(outcome.rows), outcome.errors) == (12, 6)
