"""Evidence of which any of several intervals is enough: judged, and believed by the oracle."""

import json

import pytest
import torch

from hfs.answerers import Truth
from hfs.answerers.oracle import shown
from hfs.judging.judge import judge
from hfs.judging.truth import load_truth
from hfs.records import Tally

RECORD = {
    "id": "q",
    "duration": 20.0,
    "evidence": [[0.0, 1.0]],
    "any_of": [[[4.0, 5.0], [8.0, 9.0]]],
}


@pytest.mark.parametrize(
    ("times", "recall", "precision"),
    [([0.5], 0.5, 1.0), ([8.5, 12.0], 0.5, 0.5), ([0.0, 4.0, 8.0], 1.0, 1.0), ([5.0], 0.0, 0.0)],
)
def test_a_group_counts_once_however_many_of_its_intervals_are_seen(
    tmp_path, times, recall, precision
):
    (tmp_path / "truth.jsonl").write_text(json.dumps(RECORD) + "\n")
    tally = Tally()
    truth = load_truth([tmp_path / "truth.jsonl"], tally)["q"]
    found = judge(torch.tensor(times, dtype=torch.float64), truth)
    assert found["evidence_recall"] == recall
    assert found["precision"] == precision
    assert not tally.notes


def test_groups_alone_are_evidence_too(tmp_path):
    (tmp_path / "truth.jsonl").write_text(json.dumps(RECORD | {"evidence": []}) + "\n")
    tally = Tally()
    truth = load_truth([tmp_path / "truth.jsonl"], tally)["q"]
    assert not tally.notes
    assert judge(torch.tensor([8.5]), truth)["evidence_recall"] == 1.0


def test_the_oracle_needs_one_interval_of_each_group():
    truth = Truth("A", ((0.0, 1.0),), (((4.0, 5.0), (8.0, 9.0)),))
    assert shown(truth, [0.5, 8.5])
    assert shown(truth, [0.5, 4.0])
    assert not shown(truth, [0.5, 6.0])
    assert not shown(truth, [8.5])
