import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from hfs import benchmarks, plugins
from hfs.benchmarks import Benchmark, Item, at_frames, extent, lettered, load
from hfs.errors import UsageError
from hfs.evaluation import hub_annotations
from hfs.judging.truth import load_truth
from hfs.records import Tally
from hfs.types import TimedText

VIDEO_MME = {
    "video_id": "007",
    "duration": "short",
    "domain": "Knowledge",
    "sub_category": "Law",
    "url": "https://example.org/watch?v=abc-_1",
    "videoID": "abc-_1",
    "question_id": "007-2",
    "task_type": "OCR Problems",
    "question": "What is written on the door?",
    "options": ["A. Push.", "B. Pull.", "C. A. Smith.", "D. Nothing."],
    "answer": "C",
}
LVB = {
    "video_id": "x1",
    "id": "x1_0",
    "video_path": "x1.mp4",
    "subtitle_path": "x1_en.json",
    "correct_choice": 2,
    "question": "What is shown first?",
    "candidates": ["A boat", "A baby", "A board"],
    "position": [12, 40],
    "duration": 61.5,
    "duration_group": 60,
    "question_category": "E2O",
    "level": "L1-Perception",
    "starting_timestamp_for_subtitles": 30.5,
}
MLVU = {
    "video_name": "needle_7.mp4",
    "duration": 468.0,
    "question": "Which tool is used?\n(A) Saw\n(B) Axe\n(C) Knife\n(D) None\n",
    "candidates": ["Saw", "Axe", "Knife", "None"],
    "answer": "B",
    "task_type": "needle",
    "question_id": "Q7",
}
MLVU_JSON = {
    "video": "needle_7.mp4",
    "duration": 468.0,
    "question": "Which tool is used?",
    "candidates": ["Saw", "Axe", "Knife", "None"],
    "answer": "Axe",
    "question_type": "findNeedle",
}
NEXT_QA = {
    "video": "401",
    "frame_count": "369",
    "width": "640",
    "height": "480",
    "question": "how do they play",
    "answer": "4",
    "qid": "6",
    "type": "CH",
    **{f"a{i}": text for i, text in enumerate(["roll", "tap", "strum", "hit", "pat"])},
}
ROWS = {"video_mme": VIDEO_MME, "long_video_bench": LVB, "mlvu": MLVU, "next_qa": NEXT_QA}


def build(name: str) -> Benchmark:
    return plugins.build("benchmarks", name)


def write(path: Path, rows: list[dict]) -> Path:
    path.write_text(json.dumps(rows))
    return path


def one(name: str, record: dict, tmp_path: Path) -> Item:
    return load(build(name), [write(tmp_path / "rows.json", [record])], Tally())[0]


@pytest.mark.parametrize("name", plugins.names("benchmarks"))
def test_every_benchmark_keeps_the_contract(name):
    benchmark = build(name)
    assert isinstance(benchmark, Benchmark)
    assert benchmark.averages
    assert benchmark.about
    assert benchmark.variant


@pytest.mark.parametrize("name", ROWS)
def test_the_same_record_is_read_from_json_lines_csv_and_parquet(name, tmp_path):
    import pyarrow
    import pyarrow.parquet

    record = ROWS[name]
    lines = tmp_path / "a.jsonl"
    lines.write_text(json.dumps(record) + "\n")
    parquet = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([record]), parquet)
    read = [load(build(name), [path], Tally()) for path in (lines, parquet)]
    if name == "next_qa":
        table = tmp_path / "val.csv"
        with table.open("w", newline="") as file:
            writer = csv.DictWriter(file, record)
            writer.writeheader()
            writer.writerow(record)
        read.append(load(build(name), [table], Tally()))
    assert all(found == [one(name, record, tmp_path)] for found in read)


def test_video_mme_knows_its_video_by_its_id_and_by_its_number(tmp_path):
    item = one("video_mme", VIDEO_MME, tmp_path)
    assert (item.id, item.video, item.names) == ("007-2", "abc-_1", ("abc-_1", "007"))
    assert item.options == ("Push.", "Pull.", "A. Smith.", "Nothing.")
    assert item.answer == "C"
    assert item.groups == {
        "duration": "short",
        "domain": "Knowledge",
        "sub_category": "Law",
        "task_type": "OCR Problems",
    }


def test_video_mme_asks_in_the_words_of_lmms_eval_without_and_with_subtitles(tmp_path):
    item = one("video_mme", VIDEO_MME, tmp_path)
    assert build("video_mme").prompt(item, None) == (
        "Select the best answer to the following multiple-choice question based on the video and "
        "the subtitles. Respond with only the letter (A, B, C, or D) of the correct option.\n"
        "What is written on the door?\nA. Push.\nB. Pull.\nC. A. Smith.\nD. Nothing.\n"
        "Answer with the option's letter from the given choices directly."
    )
    said = [TimedText(0.0, 1.0, "Push, he said.", "subtitles")]
    given = build("video_mme").prompt(item, said)
    assert given.startswith("This video's subtitles are listed below: \nPush, he said.\nSelect the")
    assert given.endswith("D. Nothing.\nThe best answer is:")
    assert "\nNo subtitles available\n" in build("video_mme").prompt(item, [])


def test_video_mme_in_the_words_of_its_authors_speaks_of_no_subtitles_where_there_are_none(
    tmp_path,
):
    item = one("video_mme", VIDEO_MME, tmp_path)
    benchmark = build("video_mme(wording='authors')")
    assert "subtitles" not in benchmark.prompt(item, None)
    assert "subtitles" in benchmark.prompt(item, [])
    assert benchmark.variant != build("video_mme").variant


def test_long_video_bench_reads_both_of_its_forms_alike(tmp_path):
    columns = {k: v for k, v in LVB.items() if k not in ("candidates", "position", "level")}
    columns |= {f"option{i}": text for i, text in enumerate([*LVB["candidates"], "N/A", "N/A"])}
    first, second = (
        one("long_video_bench", LVB, tmp_path),
        one("long_video_bench", columns, tmp_path),
    )
    assert replace(first, positions=(), groups={}) == replace(second, groups={})
    assert first.answer == "C"
    assert first.positions == (12, 40)
    assert first.groups["level"] == "L1-Perception"
    assert (first.names, first.subtitles) == (("x1",), ("x1_en", "x1"))
    assert first.subtitles_start == 30.5


def test_long_video_bench_asks_in_the_words_of_its_authors(tmp_path):
    item = one("long_video_bench", LVB, tmp_path)
    asked = (
        "What is shown first?\nA. A boat\nB. A baby\nC. A board\n"
        "Answer with the option's letter from the given choices directly.\n"
    )
    assert build("long_video_bench").prompt(item, None) == asked
    said = [TimedText(0.0, 1.0, "Ahoy.", "subtitles")]
    assert build("long_video_bench").prompt(item, said) == "Ahoy.\n" + asked


def test_a_question_without_a_public_answer_has_none(tmp_path):
    assert one("long_video_bench", LVB | {"correct_choice": -1}, tmp_path).answer == ""


def test_mlvu_takes_the_options_out_of_the_question_and_reads_its_authors_form_alike(tmp_path):
    first, second = one("mlvu", MLVU, tmp_path), one("mlvu", MLVU_JSON, tmp_path)
    assert replace(first, id="") == replace(second, id="")
    assert first.question == "Which tool is used?"
    assert first.groups == {"task_type": "needle"}
    assert build("mlvu").prompt(first, None) == (
        "Which tool is used?\n(A) Saw\n(B) Axe\n(C) Knife\n(D) None\n"
        "Only give the best option.\nBest option: ("
    )


def test_mlvu_keeps_a_question_that_only_looks_as_if_options_followed(tmp_path):
    text = "Which is it?\n(A) or\n(B) it is?"
    assert one("mlvu", MLVU | {"question": text}, tmp_path).question == text


def test_next_qa_groups_questions_by_cause_time_and_description(tmp_path):
    item = one("next_qa", NEXT_QA, tmp_path)
    assert item.groups == {"kind": "C causal", "type": "CH"}
    assert (item.id, item.video, item.answer) == ("401_6", "401", "E")
    assert one("next_qa", NEXT_QA | {"video": "1164/401"}, tmp_path).video == "401"


BROKEN = [
    ("video_mme", {"answer": "E"}),
    ("video_mme", {"options": ["A. one", "C. two", "B. three", "D. four"]}),
    ("video_mme", {"options": "A. one"}),
    ("long_video_bench", {"correct_choice": 3}),
    ("long_video_bench", {"duration": None}),
    ("mlvu", {"answer": "Z"}),
    ("mlvu", {"candidates": None}),
    ("next_qa", {"answer": "5"}),
    ("next_qa", {"type": "X"}),
    ("next_qa", {"qid": None}),
]


@pytest.mark.parametrize(("name", "change"), BROKEN)
def test_a_malformed_question_is_counted_and_the_others_are_read(name, change, tmp_path):
    tally = Tally()
    path = write(tmp_path / "rows.json", [ROWS[name] | change, ROWS[name], {"other": 1}])
    assert len(load(build(name), [path], tally)) == 1
    assert any("malformed: 1 (first: rows.json item 1" in note for note in tally.notes)
    assert any("no question of" in note for note in tally.notes)


def test_a_question_that_comes_again_counts_once(tmp_path):
    tally = Tally()
    paths = [write(tmp_path / f"{i}.json", [MLVU]) for i in range(2)]
    assert len(load(build("mlvu"), paths, tally)) == 1
    assert tally.notes == ("questions of 1.json come again, the first counts: 1 (first: Q7)",)


@pytest.mark.parametrize("name", ROWS)
def test_a_file_of_another_benchmark_is_refused_with_what_was_expected(name, tmp_path):
    other = next(row for key, row in ROWS.items() if key != name)
    with pytest.raises(UsageError, match=f"expected annotations of {name} .*question"):
        load(build(name), [write(tmp_path / "rows.json", [other])], Tally())


def test_a_broken_parquet_file_is_an_error_that_names_it(tmp_path):
    path = tmp_path / "a.parquet"
    path.write_bytes(b"PAR1 and nothing more")
    with pytest.raises(UsageError, match=r"a\.parquet"):
        load(build("mlvu"), [path], Tally())


def test_subtitles_at_the_frames_are_those_shown_at_one_of_them():
    cues = [TimedText(start, start + 2, str(start), "subtitles") for start in (0.0, 2.0, 4.0, 6.0)]
    assert [cue.text for cue in at_frames(cues, [1.0, 4.0])] == ["0.0", "4.0"]
    assert at_frames(cues, [8.0]) == []
    blink = TimedText(1.0, 1.1, "blink", "subtitles")
    assert at_frames([blink], [1.5]) == []
    assert at_frames([blink], [1.5], least=1.0) == [blink]


def test_options_get_their_letters():
    assert lettered(["x", "y"]) == "A. x\nB. y"


REAL = {
    "video_mme": (("video_mme/videomme.parquet",), 2700, 900, "test"),
    "long_video_bench": (("longvideobench/lvb_val.json",), 1337, 753, "validation"),
    "mlvu": (("mlvu/mlvu.parquet",), 2174, 1122, "dev"),
    "next_qa": (("nextqa/val.csv",), 4996, 570, "validation"),
}


@pytest.mark.parametrize("name", REAL)
def test_the_real_annotations_are_read_to_the_last_question(name, shared):
    files, questions, videos, split = REAL[name]
    tally = Tally()
    benchmark = build(name)
    items = load(benchmark, [shared / "data" / file for file in files], tally)
    assert (len(items), len({item.video for item in items})) == (questions, videos)
    assert tally.notes == ()
    assert extent(benchmark, items).endswith(f"videos, the whole {split} split")
    for item in items:
        assert item.answer in "ABCDE"[: len(item.options)]
        assert set(item.groups) <= set(benchmark.groups)
        assert len(benchmark.prompt(item, None)) > len(item.question)


def test_both_real_forms_of_long_video_bench_say_the_same(shared):
    folder = shared / "data" / "longvideobench"
    read = [
        load(build("long_video_bench"), [folder / name], Tally())
        for name in ("lvb_val.json", "longvideobench.parquet")
    ]
    first, second = ([replace(i, positions=(), groups={}) for i in items] for items in read)
    assert first == second


def test_the_real_grounding_is_of_questions_that_there_are(shared):
    folder = shared / "data" / "nextqa"
    items = load(build("next_qa"), [folder / "val.csv"], Tally())
    truths = load_truth([folder / "gsub_val.json"], Tally())
    assert len(truths) == 3358
    assert truths.keys() <= {item.id for item in items}


def test_the_hub_is_asked_only_where_the_source_names_it():
    assert hub_annotations.is_hub("hub(name='lmms-lab/Video-MME', split='test')")
    assert not hub_annotations.is_hub("hub/videomme.parquet")
    with pytest.raises(UsageError, match=r"hub\(name=\.\., split=\.\.\)"):
        hub_annotations.load_hub(build("mlvu"), "hub(name='x')", Tally())


def test_an_extent_says_what_is_published_where_only_a_part_is_there(tmp_path):
    item = one("mlvu", MLVU, tmp_path)
    assert extent(build("mlvu"), [item]) == (
        "mlvu: 1 questions of 1 videos; published: 2,174 of 1,122 (dev)"
    )
    assert benchmarks.of_records(build("mlvu"), [("a", MLVU)], "here", Tally()) == [item]
