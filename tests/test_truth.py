"""Annotations in every known schema, joined by question; what is unusable is counted and said."""

import json
from pathlib import Path

import pytest
import torch

from hfs.errors import UsageError
from hfs.judging.truth import load_truth
from hfs.records import Tally


def lines(path: Path, *records: object) -> Path:
    path.write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    return path


def document(path: Path, value: object) -> Path:
    path.write_text(json.dumps(value, indent=1), encoding="utf-8")
    return path


QVHIGHLIGHTS = {
    "qid": 7,
    "query": "A cup falls",
    "vid": "cup",
    "duration": 20,
    "relevant_windows": [[4, 8]],
    "relevant_clip_ids": [2, 3],
    "saliency_scores": [[0, 1, 2], [3, 3, 3]],
}


def test_qvhighlights_gives_windows_and_saliency_a_clip(tmp_path):
    truth = load_truth([lines(tmp_path / "a", QVHIGHLIGHTS)], Tally())["7"]
    assert truth.windows is not None
    assert truth.windows.tolist() == [[4, 8]]
    assert truth.saliency is not None
    assert truth.saliency.tolist() == [0, 0, 1, 3]
    assert (truth.video, truth.question, truth.duration, truth.clip) == (
        "cup",
        "A cup falls",
        20,
        2,
    )


def test_kfs_bench_gives_scenes_of_segments_that_hold_their_last_second(tmp_path):
    file = tmp_path / "scenes.csv"
    head, first = "id,segment_id,scene_id,start,end", "q,0,3,0:00:12,0:00:13\nq,1,3,1:00,1:09"
    file.write_text(f"{head}\n{first}\nq,2,4,1:00:00,1:00:00\n", encoding="utf-8")
    scenes = load_truth([file], Tally())["q"].scenes
    assert scenes is not None
    assert [s.tolist() for s in scenes] == [[[12, 14], [60, 70]], [[3600, 3601]]]


def test_next_gqa_gives_a_truth_for_each_question_of_a_video(tmp_path):
    record = {"v": {"duration": 30, "fps": 30, "location": {"1": [[1, 2.5]], "4": [[3, 30]]}}}
    truths = load_truth([document(tmp_path / "a", record)], Tally())
    assert list(truths) == ["v_1", "v_4"]
    evidence = truths["v_1"].evidence
    assert evidence is not None
    assert evidence.tolist() == [[1, 2.5]]


def test_long_video_bench_frames_become_seconds_at_their_own_rate(tmp_path):
    record = {"q": {"fps": 29.97, "duration": 90.5, "position": [0, 2997]}}
    moments = load_truth([document(tmp_path / "a", record)], Tally())["q"].moments
    assert moments is not None
    assert torch.allclose(moments, torch.tensor([0.0, 100.0], dtype=torch.float64))


def test_plain_evidence_is_read_and_may_be_empty(tmp_path):
    file = lines(
        tmp_path / "a",
        {"id": "a", "duration": 9.0, "evidence": [[1, 2]]},
        {"id": "b", "duration": 9.0, "evidence": []},
    )
    tally = Tally()
    truths = load_truth([file], tally)
    assert truths["a"].evidence is not None
    assert truths["b"].evidence is None
    assert tally.notes[0].startswith("questions have no evidence in seconds")


def test_files_are_joined_by_question(tmp_path):
    questions = [{"id": "q", "video_id": "v", "question": "Who?", "duration": 60, "position": [50]}]
    rates = {"q": {"fps": 25, "duration": 60, "position": [50]}}
    scenes = tmp_path / "scenes.csv"
    scenes.write_text("id,segment_id,scene_id,start,end\nq,0,0,0:01,0:02\n", encoding="utf-8")
    paths = [document(tmp_path / "a", questions), document(tmp_path / "b", rates), scenes]
    truth = load_truth(paths, Tally())["q"]
    assert (truth.video, truth.question, truth.duration) == ("v", "Who?", 60)
    assert truth.moments is not None
    assert truth.moments.tolist() == [2.0]
    assert truth.scenes is not None


def test_an_unknown_frame_rate_leaves_the_question_out_of_every_file(tmp_path):
    rates = {i: {"fps": f, "duration": 60, "position": [50]} for i, f in (("a", 25), ("b", None))}
    scenes = tmp_path / "scenes.csv"
    scenes.write_text("id,segment_id,scene_id,start,end\nb,0,0,0:01,0:02\n", encoding="utf-8")
    tally = Tally()
    assert list(load_truth([scenes, document(tmp_path / "a", rates)], tally)) == ["a"]
    assert tally.notes == ("questions of a left out, their frame rate is unknown: 1 (first: b)",)


BROKEN = {
    "no id": {"qid": None},
    "a negative duration": {"duration": -1},
    "a window backwards": {"relevant_windows": [[8, 4]]},
    "a window of three": {"relevant_windows": [[1, 2, 3]]},
    "no windows": {"relevant_windows": []},
    "a clip too far": {"relevant_clip_ids": [2, 10**12]},
    "a clip without saliency": {"saliency_scores": [[1, 1, 1]]},
    "text for numbers": {"relevant_windows": "soon"},
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN)
def test_a_malformed_record_is_counted_and_said(tmp_path, change):
    tally = Tally()
    file = lines(tmp_path / "a", QVHIGHLIGHTS, QVHIGHLIGHTS | {"qid": 8} | change)
    assert list(load_truth([file], tally)) == ["7"]
    assert tally.notes[0].startswith(
        "records of a are no QVHighlights annotation: 1 (first: a line 2"
    )


def test_broken_lines_and_repeated_questions_are_counted_and_said(tmp_path):
    file = lines(tmp_path / "a", QVHIGHLIGHTS, QVHIGHLIGHTS | {"duration": 40})
    file.write_text("{oops\n" + file.read_text(encoding="utf-8") + "[1]\n", encoding="utf-8")
    tally = Tally()
    assert load_truth([file], tally)["7"].duration == 20
    assert tally.notes == (
        "lines of a are not JSON objects: 2 (first: line 1)",
        "questions of a come again, the first counts: 1 (first: 7)",
    )


@pytest.mark.parametrize("text", ["", "{}", "[]", "a,b\n1,2\n", '{"id": 1}\n', "\0\1", "{"])
def test_a_file_of_no_known_format_is_an_error_that_names_them(tmp_path, text):
    file = tmp_path / "a"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"QVHighlights .*KFS-Bench .*NExT-GQA .*LongVideoBench"):
        load_truth([file], Tally())


def test_a_file_that_cannot_be_read_and_a_subset_that_is_not_there_are_errors(tmp_path):
    with pytest.raises(UsageError, match="no-such-file"):
        load_truth([tmp_path / "no-such-file"], Tally())
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="UTF-8"):
        load_truth([tmp_path / "bytes"], Tally())
    with pytest.raises(UsageError, match="haystack-lvbench"):
        load_truth([lines(tmp_path / "a", QVHIGHLIGHTS)], Tally(), subset="hay")


def test_real_annotations_have_the_sizes_their_authors_give(shared):
    lvb = shared / "data/longvideobench"
    if not lvb.is_dir():
        pytest.skip("the annotations of LongVideoBench are not beside the checkout")
    hay = load_truth([lvb / "lvb_val.json"], Tally(), subset="haystack-lvbench")
    assert (len(hay), len({t.video for t in hay.values()})) == (342, 114)
    joined = load_truth([lvb / "fps_position.json", lvb / "kfs_scenes.csv"], Tally())
    assert sum(t.scenes is not None for t in joined.values()) == 1281
    assert len(load_truth([shared / "data/nextqa/gsub_val.json"], Tally())) == 3358
    assert len(load_truth([shared / "data/qvhighlights/highlight_val.jsonl"], Tally())) == 1550
