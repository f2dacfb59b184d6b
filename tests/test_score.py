"""Frames chosen anywhere against annotations: published figures, and what is left out is said."""

import io
import json
import math
from pathlib import Path

import pytest
import torch
from jaxtyping import config
from rich.console import Console

from hfs.errors import UsageError
from hfs.judging.judge import Results
from hfs.judging.score import score
from hfs.pages.result_table import tables

LVB = Path("data/longvideobench")
QVH = Path("data/qvhighlights")


def lines(path: Path, *records: object) -> Path:
    path.write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    return path


def figures(results: Results) -> dict[tuple[str, int, str], float]:
    return {(r.selector, r.k, r.metric): r.value for r in results.rows}


@pytest.fixture
def truth(tmp_path):
    return lines(
        tmp_path / "truth.jsonl",
        {"id": "a", "duration": 10.0, "evidence": [[1, 2], [6, 8]], "video": "talk"},
        {"id": "b", "duration": 20.0, "evidence": [[0, 4]], "video": "walk", "question": "Who?"},
        {"id": "c", "duration": 20.0, "evidence": [[9, 9.5]], "video": "walk", "question": "Why?"},
    )


def test_each_metric_is_the_mean_over_the_questions(tmp_path, truth):
    chosen = lines(
        tmp_path / "mine.jsonl",
        {"id": "a", "times": [7.0, 1.5]},
        {"id": "b", "frame_timestamps": [1, 11]},
        {"id": "c", "times": [3.0]},
    )
    found = figures(score([chosen], [truth]))
    assert found == {
        ("mine", 2, "evidence_recall"): pytest.approx((1 + 1 + 0) / 3),
        ("mine", 2, "evidence_hit"): pytest.approx(2 / 3),
        ("mine", 2, "precision"): pytest.approx((1 + 0.5 + 0) / 3),
        ("mine", 2, "largest_gap"): pytest.approx((5.5 / 10 + 10 / 20 + 17 / 20) / 3),
        ("mine", 2, "bins_occupied"): 1.0,
    }


def test_uniform_frames_are_the_centres_of_equal_parts(tmp_path, truth):
    spread = [
        {"id": i, "times": [(j + 0.5) * duration / 4 for j in range(4)]}
        for i, duration in (("a", 10), ("b", 20), ("c", 20))
    ]
    both = score(["uniform:4", lines(tmp_path / "spread", *spread)], [truth])
    named, written = (
        [r.value for r in both.rows if r.selector == s] for s in ("uniform", "spread")
    )
    assert named == pytest.approx(written)


def test_selection_documents_are_matched_by_video_and_question(tmp_path, truth):
    def document(uri: str, question: str, *times: float) -> dict:
        frames = [{"time": t} for t in times]
        video = {"uri": uri}
        return {"schema": "hfs.selection/1", "video": video, "question": question, "frames": frames}

    chosen = lines(
        tmp_path / "mine",
        document("/videos/talk.mp4", "anything", 1.5, 7.0),
        document("walk.mkv", " why? ", 9.2),
        document("walk.mkv", "When?", 9.2),
        document("run.mkv", "Why?", 9.2),
    )
    results = score([chosen], [truth])
    assert figures(results)["mine", 2, "evidence_recall"] == 1.0
    assert results.rows[0].questions == 2
    assert results.notes == (
        "records of mine name no question of the truth: 2 "
        "(first: mine line 3: 0 questions of the video 'walk' fit)",
        "questions of the truth are not in mine: 1 (first: b)",
    )


def test_one_selection_document_may_be_a_file_by_itself(tmp_path, truth):
    frames = [{"time": 7.5, "rank": 1}]
    document = {"schema": "hfs.selection/1", "video": {"uri": "talk.mp4"}, "frames": frames}
    path = tmp_path / "selection.json"
    path.write_text(json.dumps(document, indent=2), encoding="utf-8")
    assert figures(score([path], [truth]))["selection", 1, "evidence_recall"] == 0.5


def test_whatever_is_left_out_is_counted_and_said(tmp_path, truth):
    chosen = lines(
        tmp_path / "mine",
        {"id": "a", "times": [1.0]},
        {"id": "a", "times": [2.0]},
        {"id": "z", "times": [1.0]},
        {"times": [1.0]},
        {"id": "b", "times": []},
        {"id": "c", "times": [math.nan]},
        [1, 2],
    )
    notes = score([chosen], [truth]).notes
    assert [note.split(" (first: ")[0] for note in notes] == [
        "ids of mine come again, the first counts: 1",
        "ids of mine are not in the truth: 1",
        "records of mine name no question of the truth: 1",
        "records of mine hold no frame times: 2",
        "lines of mine are not JSON objects: 1",
        "questions of the truth are not in mine: 2",
    ]


def test_frames_for_no_question_of_the_truth_are_an_error(tmp_path, truth):
    other = lines(tmp_path / "mine", {"id": "z", "times": [1.0]})
    with pytest.raises(
        UsageError, match=r"such as a, b, c.*got none from .*mine.*not in the truth"
    ):
        score([other], [truth])
    with pytest.raises(UsageError, match="uniform:0"):
        score(["uniform:0"], [truth])


def test_features_give_the_redundancy_of_the_frames_in_their_own_order(tmp_path, truth):
    record = {"id": "a", "times": [7.0, 1.0, 3.0], "features": [[2, 0], [0, 3], [0, 1]]}
    chosen = lines(tmp_path / "mine", record)
    assert figures(score([chosen], [truth]))["mine", 3, "redundancy"] == pytest.approx(1 / 3)


def test_the_terminal_shows_every_figure_and_no_markup_of_a_file_name(tmp_path, truth):
    chosen = lines(tmp_path / "[bold]x[dim].jsonl", {"id": "a", "times": [1.5]})
    console = Console(width=90, file=io.StringIO())
    for table in tables(score([chosen], [truth])):
        console.print(table)
    text = console.file.getvalue()
    assert "[bold]x[dim]" in text
    assert "evidence_recall   0.5000   0.5000 – 0.5000" in text


@pytest.fixture
def unchecked():
    """Full speed for thousands of questions; the small tests have checked the shapes."""
    config.update("jaxtyping_disable", True)
    yield
    config.update("jaxtyping_disable", False)


def test_haystack_figures_are_the_published_ones(unchecked, shared):
    folder = shared / LVB
    if not folder.is_dir():
        pytest.skip("the annotations of LongVideoBench are not beside the checkout")
    files = [folder / "selections" / name for name in ("aks_blip_32.jsonl", "wfs_8.jsonl")]
    spread = [f"uniform:{k}" for k in (8, 16, 32, 64)]
    truth = [folder / "lvb_val.json", folder / "fps_position.json"]
    results = score([*spread, *files], truth, subset="haystack-lvbench")
    assert {row.questions for row in results.rows} == {342}
    found = figures(results)
    published = {
        ("uniform", 8): (1.68, 6.9, 2.58),
        ("uniform", 16): (0.99, 9.0, 1.74),
        ("uniform", 32): (1.46, 28.8, 2.74),
        ("uniform", 64): (1.38, 51.1, 2.67),
        ("aks_blip_32", 32): (5.59, 33.3, 8.76),
        ("wfs_8", 8): (5.96, 20.2, 8.61),
    }
    for (selector, k), (precision, recall, f1) in published.items():
        assert round(100 * found[selector, k, "precision"], 2) == precision
        assert round(100 * found[selector, k, "recall"], 1) == recall
        assert round(100 * found[selector, k, "f1"], 2) == f1


def test_kfs_bench_figures_are_the_published_ones(unchecked, shared):
    folder = shared / LVB
    if not folder.is_dir():
        pytest.skip("the annotations of LongVideoBench are not beside the checkout")
    files = [folder / "selections" / name for name in ("aks_blip_32.jsonl", "wfs_8.jsonl")]
    truth = [folder / "fps_position.json", folder / "kfs_scenes.csv"]
    results = score(["uniform:8", "uniform:32", "uniform:64", *files], truth)
    assert {row.questions for row in results.rows if row.metric == "ukss"} == {1281}
    found = figures(results)
    published = {
        ("uniform", 8): (0.050, 0.123, 0.352),
        ("uniform", 32): (0.099, 0.124, 0.554),
        ("uniform", 64): (0.135, 0.124, 0.656),
        ("aks_blip_32", 32): (0.183, 0.196, 0.696),
        ("wfs_8", 8): (0.157, 0.233, 0.606),
    }
    for at, expected in published.items():
        assert tuple(round(found[*at, m], 3) for m in ("ukss", "kfr", "shr")) == expected, at


PUBLISHED_QVH = {
    ("uniform", "qd_detr"): ((0.629, 0.82), (0.853, 0.84), (0.925, 0.83)),
    ("top_k", "moment_detr"): ((0.641, 2.06), (0.724, 1.99), (0.825, 1.76)),
    ("top_k", "qd_detr"): ((0.653, 2.28), (0.713, 2.20), (0.811, 1.89)),
    ("bolt", "moment_detr"): ((0.720, 1.89), (0.818, 1.80), (0.879, 1.72)),
    ("bolt", "qd_detr"): ((0.755, 1.87), (0.854, 1.76), (0.903, 1.68)),
}


def clips(method: str, scores: torch.Tensor, k: int) -> torch.Tensor:
    """The methods as published: bolt may choose a clip twice, ties of top_k go to the earlier."""
    n = len(scores)
    if method == "uniform":
        return ((torch.arange(k) + 0.5) * n / k).long()
    if method == "top_k":
        return scores.argsort(descending=True, stable=True)[:k]
    mass = ((scores - scores.min()) / (scores.max() - scores.min())) ** 3
    steps = torch.linspace(1 / k, 1 - 1 / k, k, dtype=torch.float64)
    return torch.searchsorted(mass.cumsum(0) / mass.sum(), steps).unique()


def test_qvhighlights_figures_are_the_published_ones(unchecked, shared, tmp_path):
    folder = shared / QVH
    if not folder.is_dir():
        pytest.skip("the annotations of QVHighlights are not beside the checkout")
    files, expected = [], {}
    for (method, model), published in PUBLISHED_QVH.items():
        scored = (folder / f"scores_{model}_val.jsonl").read_text(encoding="utf-8").splitlines()
        models = {r["qid"]: torch.tensor(r["scores"]).double() for r in map(json.loads, scored)}
        for k, figure in zip((4, 8, 16), published, strict=True):
            name = f"{method}-{model}-{k}"
            picks = {i: (2 * clips(method, s, k) + 1).tolist() for i, s in models.items()}
            records = [{"id": i, "times": times} for i, times in picks.items()]
            files.append(lines(tmp_path / name, *records))
            expected[name] = figure
    results = score(files, [folder / "highlight_val.jsonl"])
    found = {(r.selector, r.metric): r.value for r in results.rows}
    for name, (hit, saliency) in expected.items():
        assert found[name, "windows_hit"] == pytest.approx(hit, abs=5.1e-4), name
        # two of the published saliencies were rounded twice: 2.0546, 2.055, 2.06
        assert found[name, "mean_saliency"] == pytest.approx(saliency, abs=5.6e-3), name
