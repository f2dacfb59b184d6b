"""Selectors on the same scores: rows by definition, paired differences, nothing is dropped."""

import json
import math
from pathlib import Path

import pytest
import torch

from hfs import plugins
from hfs.errors import FailureError, SpecError, UsageError
from hfs.judging import compare as module
from hfs.judging.annotations import Truth
from hfs.judging.compare import compare
from hfs.judging.judge import judge
from hfs.judging.scores_files import read_scores
from hfs.judging.truth import load_truth
from hfs.records import Tally


def lines(path: Path, *records: object) -> Path:
    path.write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    return path


QUESTIONS = 12


@pytest.fixture
def files(tmp_path):
    """Scores with one peak inside the one window of each question, and the truth."""
    g = torch.Generator().manual_seed(0)
    truth, scores = [], []
    for i in range(QUESTIONS):
        peak = int(torch.randint(2, 18, (1,), generator=g))
        values = torch.rand(20, generator=g)
        values[peak] += 3
        truth.append({"id": f"q{i}", "duration": 40.0, "evidence": [[2 * peak, 2 * peak + 2]]})
        scores.append({"qid": f"q{i}", "scores": values.tolist()})
    return lines(tmp_path / "scores", *scores), lines(tmp_path / "truth", *truth)


def test_rows_are_means_of_what_each_selector_chose(files):
    scores, truth = files
    results = compare([scores], [truth], selectors=["top_k"], budgets=[1, 3], reference="uniform")
    questions = read_scores(scores, load_truth([truth], Tally()), Tally())
    for row in results.rows:
        selector = plugins.build("selectors", row.selector)
        values = []
        for q in questions:
            picks = selector(q.scores, None, row.k, torch.Generator())
            values.append(judge(q.scores.times[picks], q.truth)[row.metric])
        assert row.value == pytest.approx(sum(values) / len(values))
        assert row.low <= row.value + 1e-9
        assert row.value <= row.high + 1e-9
        assert row.questions == QUESTIONS
    assert {(r.selector, r.k) for r in results.rows} == {
        (s, k) for s in ("uniform", "top_k") for k in (1, 3)
    }


def test_differences_are_paired_against_the_reference(files):
    scores, truth = files
    results = compare([scores], [truth], selectors=["top_k"], budgets=[2], reference="uniform")
    value = {(r.selector, r.metric): r.value for r in results.rows}
    for d in results.differences:
        assert (d.selector, d.reference, d.k) == ("top_k", "uniform", 2)
        expected = value["top_k", d.metric] - value["uniform", d.metric]
        assert d.difference == pytest.approx(expected)
        assert d.low <= d.difference + 1e-9
        assert d.difference <= d.high + 1e-9
    recall = next(d for d in results.differences if d.metric == "evidence_recall")
    assert value["top_k", "evidence_recall"] == 1.0
    assert recall.low > 0


def test_a_selector_against_its_equal_has_no_difference_and_no_doubt(files):
    scores, truth = files
    results = compare([scores], [truth], selectors=["bolt(power=3.0)"], reference="bolt")
    assert {(d.difference, d.low, d.high) for d in results.differences} == {(0.0, 0.0, 0.0)}


def test_the_same_seed_gives_the_same_results_whatever_else_is_compared(files):
    scores, truth = files
    alone = compare([scores], [truth], selectors=["random"], reference="uniform", seed=7)
    among = compare([scores], [truth], selectors=["top_k", "random"], reference="uniform", seed=7)
    apart, together = (
        [r.value for r in results.rows if r.selector == "random"] for results in (alone, among)
    )
    assert apart == pytest.approx(together, rel=1e-12)
    assert compare([scores], [truth], selectors=["random"], reference="uniform", seed=7) == alone
    other = compare([scores], [truth], selectors=["random"], reference="uniform", seed=8)
    assert other.rows != alone.rows


def test_times_default_to_the_centres_of_equal_parts(files):
    scores, truth = files
    question = read_scores(scores, load_truth([truth], Tally()), Tally())[0]
    assert question.scores.times.tolist() == [2.0 * i + 1 for i in range(20)]
    assert (question.scores.start, question.scores.end) == (0.0, 40.0)


@pytest.mark.parametrize(("duration", "n"), [(20.0, 10), (21.5, 10), (19.0, 10), (18.5, 10)])
def test_one_score_a_clip_lies_at_the_clips_centre_even_where_the_last_is_cut(
    tmp_path, duration, n
):
    truth = {"q": Truth(id="q", duration=duration, clip=2.0)}
    file = lines(tmp_path / "scores", {"qid": "q", "scores": list(range(n))})
    times = read_scores(file, truth, Tally())[0].scores.times
    assert times.tolist() == [2.0 * i + 1 for i in range(n)]


def test_scores_of_any_scale_become_relevance_from_0_to_1(tmp_path):
    truth = {i: Truth(id=i, duration=6.0) for i in "ab"}
    file = lines(
        tmp_path / "scores",
        {"qid": "a", "scores": [-11.5, -12.0, -11.0], "times": [0.5, 2, 5]},
        {"id": "b", "scores": [4, 4, 4], "features": [[3, 4], [1, 0], [0, 2]]},
    )
    a, b = read_scores(file, truth, Tally())
    assert a.scores.relevance.tolist() == [0.5, 0.0, 1.0]
    assert a.scores.times.tolist() == [0.5, 2, 5]
    assert b.scores.relevance.tolist() == [0.0, 0.0, 0.0]
    assert b.features is not None
    assert torch.allclose(b.features.vectors.norm(dim=1), torch.ones(3))


def test_features_give_redundancy(tmp_path):
    truth = lines(tmp_path / "truth", {"id": "q", "duration": 4.0, "evidence": [[0, 1]]})
    record = {"qid": "q", "scores": [5, 4, 1, 0], "features": [[1, 0], [0, 1], [0, 1], [1, 0]]}
    scores = lines(tmp_path / "scores", record)
    results = compare([scores], [truth], selectors=[], budgets=[2, 4], reference="top_k")
    found = {r.k: r.value for r in results.rows if r.metric == "redundancy"}
    assert found == {2: pytest.approx(0.0), 4: pytest.approx(1 / 3)}


BROKEN = {
    "no scores": {},
    "no score at all": {"scores": []},
    "a score that is no number": {"scores": [1.0, math.nan]},
    "text": {"scores": "high"},
    "times of another length": {"scores": [1, 2], "times": [1.0]},
    "times that go back": {"scores": [1, 2], "times": [2.0, 1.0]},
    "features of another length": {"scores": [1, 2], "features": [[1.0]]},
}


@pytest.mark.parametrize("record", BROKEN.values(), ids=BROKEN)
def test_a_malformed_record_is_counted_and_said(tmp_path, record):
    truth = {i: Truth(id=i, duration=6.0) for i in "ab"}
    good = {"qid": "a", "scores": [1, 2]}
    tally = Tally()
    file = lines(tmp_path / "scores", good, {"qid": "b"} | record, good, {"qid": "z"})
    assert len(read_scores(file, truth, tally)) == 1
    assert [note.split(" (first: ")[0] for note in tally.notes] == [
        "records of scores hold no scores: 1",
        "ids of scores come again, the first counts: 1",
        "ids of scores are not in the truth: 1",
        "questions of the truth are not in scores: 1",
    ]


def test_wrong_requests_are_errors_before_any_work(files, tmp_path):
    scores, truth = files
    with pytest.raises(UsageError, match="at least 1 frame"):
        compare([scores], [truth], selectors=["uniform"], budgets=[0], reference="uniform")
    with pytest.raises(SpecError, match="no_such_selector"):
        compare([scores], [truth], selectors=["no_such_selector"], reference="uniform")
    other = lines(tmp_path / "other", {"qid": "z", "scores": [1]})
    with pytest.raises(UsageError, match=r"got none from .*other: .*not in the truth"):
        compare([other], [truth], selectors=["uniform"], reference="uniform")


@pytest.mark.parametrize("picks", [[0], [1, 1], [2, 1], [0, 99], [-1, 0]])
def test_a_selector_that_breaks_its_contract_is_named(files, picks):
    scores, truth = files
    question = read_scores(scores, load_truth([truth], Tally()), Tally())[0]
    with pytest.raises(FailureError, match="2 ascending indices below 20 from the selector mine"):
        module.pick(lambda *_: torch.tensor(picks), "mine", 2, question, 0)
