import json
from fractions import Fraction
from pathlib import Path

import pytest
from made_benchmark import FAST, HUNDREDTHS, Made, made
from render import render

import hfs
from hfs.cache import Cache
from hfs.errors import UsageError
from hfs.evaluation import selections
from hfs.evaluation.rows import read
from hfs.evaluation.run import Run, evaluate
from hfs.evaluation.verify import Check, verify


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory) -> Made:
    return made(tmp_path_factory.mktemp("benchmark"), videos=2, questions=1)


@pytest.fixture(scope="module")
def written(benchmark, tmp_path_factory) -> Path:
    """A file of selections, 4 uniform frames of each video."""
    folder = tmp_path_factory.mktemp("written")
    asked = Run(
        "long_video_bench",
        (str(benchmark.annotations),),
        str(benchmark.videos),
        pipelines=("offline(selector=uniform, readers=[])",),
        budgets=(4,),
    )
    evaluate(asked, folder / "rows.jsonl", cache=Cache(None))
    rows = read([folder / "rows.jsonl"])
    assert selections.write(folder / "frames.jsonl", rows) == [folder / "frames.jsonl"]
    return folder / "frames.jsonl"


def records(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def checks(lines: list[dict], videos: Path, tmp_path: Path) -> list[Check]:
    path = tmp_path / "changed.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return verify([path], videos)[0]


def test_what_was_written_comes_out_again_from_selections_and_from_rows(benchmark, written):
    for path in (written, written.with_name("rows.jsonl")):
        found, notes = verify([path], benchmark.videos)
        assert [check.verdicts for check in found] == [("same",) * 4] * 2
        assert all(check.fine and not check.other_file for check in found)
        assert notes == ()


def test_a_selection_says_what_made_it(written):
    first = records(written)[0]
    assert first["id"] == "clip0_0"
    assert first["file"] == "clip0"
    assert (first["pipeline"], first["k"]) == ("offline(selector=uniform, readers=[])", 4)
    assert first["version"] == hfs.__version__
    assert len(first["hashes"]) == len(first["times"]) == 4


def test_another_picture_another_time_and_no_frame_are_told_apart(benchmark, written, tmp_path):
    one = records(written)[0]
    one["hashes"][0] = "0" * 16
    one["looks"][0] = f"{int(one['looks'][0], 16) ^ (2**64 - 1):016x}"
    one["times"][1] += 0.05
    one["indices"][2] = 5000
    [check] = checks([one], benchmark.videos, tmp_path)
    assert check.verdicts == ("different", "moved", "gone", "same")
    assert not check.fine


def test_a_rounding_decoder_is_forgiven_and_said(benchmark, written, tmp_path):
    one = records(written)[0]
    one["hashes"] = ["0" * 16] * 4
    [check] = checks([one], benchmark.videos, tmp_path)
    assert check.verdicts == ("alike",) * 4
    assert check.fine


def test_the_same_frames_in_another_file_are_alike(benchmark, written, tmp_path):
    videos = tmp_path / "videos"
    videos.mkdir()
    render(
        videos / "clip0.mkv", range(0, 1000, 10), base=Fraction(HUNDREDTHS), size=(64, 48),
        options={**FAST, "crf": "30"},
    )  # fmt: skip
    [first, second] = checks(records(written), videos, tmp_path)
    assert first.other_file
    assert set(first.verdicts) <= {"alike", "same"}
    assert second.problem == "its video is not there"
    assert not second.fine


def test_another_video_of_the_same_name_is_found_out(benchmark, written, tmp_path):
    videos = tmp_path / "videos"
    videos.mkdir()
    render(
        videos / "clip0.mp4", range(0, 1000, 10), base=HUNDREDTHS, size=(64, 48), options=FAST,
        first=(5000,),
    )  # fmt: skip
    first = checks(records(written)[:1], videos, tmp_path)[0]
    assert first.verdicts == ("different",) * 4


def test_times_alone_are_looked_up_and_reported_as_unchecked(benchmark, tmp_path):
    one = {"id": "q", "video": "clip1", "times": [0.1, 0.3]}
    [check] = checks([one], benchmark.videos, tmp_path)
    assert check.verdicts == ("unchecked", "unchecked")
    assert check.fine


def test_a_document_of_select_is_checked_by_its_times(benchmark, tmp_path):
    made = hfs.select(
        benchmark.videos / "clip0.mp4", "What is it?", budget=3, pipeline="offline(readers=[])",
        cache=None,
    )  # fmt: skip
    document = made.to_json()
    [check] = checks([document], benchmark.videos, tmp_path)
    assert check.verdicts == ("unchecked",) * 3
    document["frames"][0]["time"] += 1
    [check] = checks([document], benchmark.videos, tmp_path)
    assert check.verdicts[0] == "moved"


def test_a_broken_video_is_a_problem_of_its_selections_alone(benchmark, written, tmp_path):
    videos = tmp_path / "videos"
    videos.mkdir()
    (videos / "clip0.mp4").write_bytes(b"no video")
    (videos / "clip1.mp4").write_bytes((benchmark.videos / "deep" / "clip1.mp4").read_bytes())
    [first, second] = checks(records(written), videos, tmp_path)
    assert first.problem
    assert second.fine


def test_a_file_without_selections_of_a_video_is_refused(benchmark, tmp_path):
    with pytest.raises(UsageError, match=r"selections that name their video.*times"):
        checks([{"id": "q", "video": "clip0"}], benchmark.videos, tmp_path)


@pytest.mark.parametrize(
    "change", [{"indices": [1]}, {"looks": ["no number"] * 4}, {"times": ["x"]}, {"times": []}]
)
def test_a_malformed_selection_is_counted_and_the_others_are_checked(
    change, benchmark, written, tmp_path
):
    path = tmp_path / "changed.jsonl"
    lines = records(written)
    path.write_text("".join(json.dumps(line) + "\n" for line in (lines[0] | change, lines[1])))
    found, notes = verify([path], benchmark.videos)
    assert [check.id for check in found] == ["clip1_0"]
    assert "no selection of a video: 1" in notes[0]


def test_several_columns_are_several_files_with_names_that_stay_apart(benchmark, tmp_path):
    asked = Run(
        "long_video_bench",
        (str(benchmark.annotations),),
        str(benchmark.videos),
        pipelines=tuple(f"offline(selector=uniform, readers={r})" for r in ("[]", "[subtitles]")),
        budgets=(2, 3),
        limit=1,
    )  # fmt: skip
    evaluate(asked, tmp_path / "rows.jsonl", cache=Cache(None))
    paths = selections.write(tmp_path / "frames.jsonl", read([tmp_path / "rows.jsonl"]))
    assert len(set(paths)) == 4
    assert all(len(records(path)) == 1 for path in paths)
    assert all(path.name.startswith("frames-offline-selector-uniform") for path in paths)
