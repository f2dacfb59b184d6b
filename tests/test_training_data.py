"""Questions are read strictly, their videos found inside the folder and nowhere else."""

import json
from pathlib import Path

import pytest

from hfs.errors import UsageError
from hfs.training.data import Example, read

GOOD = {"id": "q1", "video": "a.mp4", "question": "What?", "options": ["cat", "dog"], "answer": "B"}


@pytest.fixture
def videos(tmp_path) -> Path:
    folder = tmp_path / "videos"
    (folder / "part" / "deep").mkdir(parents=True)
    for name in ("a.mp4", "b.mkv", "part/c.mp4", "part/twice.mp4", "part/deep/twice.webm"):
        (folder / name).touch()
    (tmp_path / "secret.mp4").touch()
    return folder


def lines(tmp_path: Path, *records: object) -> Path:
    path = tmp_path / "questions.jsonl"
    path.write_text("\n".join(json.dumps(r) for r in records) + "\n", encoding="utf-8")
    return path


def one(tmp_path: Path, videos: Path, **changes: object) -> Example:
    return read(lines(tmp_path, {**GOOD, **changes}), videos).examples[0]


@pytest.mark.parametrize("answer", ["B", "(B)", "B.", "dog", " dog ", 1])
def test_an_answer_is_an_options_letter_text_or_index(tmp_path, videos, answer):
    found = one(tmp_path, videos, answer=answer)
    assert (found.correct, found.answer, found.letter) == (1, "dog", "B")
    assert found.path == videos / "a.mp4"


def test_an_open_question_has_any_answer(tmp_path, videos):
    found = one(tmp_path, videos, options=None, answer=3, cues=["the score board", 7])
    assert (found.options, found.correct, found.letter, found.answer) == ((), None, None, "3")
    assert found.cues == ("the score board", "7")


def test_a_letter_that_is_also_another_options_text_is_refused(tmp_path, videos):
    with pytest.raises(UsageError, match=r"line 1: .* means A and C: give its index"):
        one(tmp_path, videos, options=["C", "B", "A"], answer="A")
    assert one(tmp_path, videos, options=["A", "B", "C"], answer="A").correct == 0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"answer": "C"}, r"letter \(A to B\) or its index \(0 to 1\), got 'C'"),
        ({"answer": 2}, "got 2"),
        ({"answer": True}, "got True"),
        ({"answer": None}, "got None"),
        ({"question": " "}, "expected text in 'question', got ' '"),
        ({"video": 4}, "expected text in 'video', got 4"),
        ({"options": "cat, dog"}, "expected a list of texts in 'options'"),
        ({"options": ["cat"], "answer": 0}, "expected 2 to 26 options, got 1"),
        ({"options": ["cat", ""]}, "expected text in 'options', got ''"),
        ({"options": [], "answer": ""}, "expected text in 'answer', got ''"),
        ({"cues": 4}, "expected a list of texts in 'cues'"),
    ],
)
def test_a_bad_record_is_named_by_file_and_line(tmp_path, videos, changes, said):
    path = lines(tmp_path, GOOD, {**GOOD, "id": "q2", **changes})
    with pytest.raises(UsageError, match=rf"questions.jsonl line 2: .*{said}"):
        read(path, videos)


def test_a_line_that_is_no_object_and_an_id_used_twice_are_refused(tmp_path, videos):
    with pytest.raises(UsageError, match=r"object in every line of .*first: line 2"):
        read(lines(tmp_path, GOOD, ["x"]), videos)
    with pytest.raises(UsageError, match="line 2: expected an id of its own, got 'q1' again"):
        read(lines(tmp_path, GOOD, GOOD), videos)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("a", "a.mp4"),
        ("b", "b.mkv"),
        ("part/c", "part/c.mp4"),
        ("c", "part/c.mp4"),
        ("c.mp4", "part/c.mp4"),
        ("part/twice", "part/twice.mp4"),
    ],
)
def test_a_video_is_found_by_path_or_by_bare_name(tmp_path, videos, name, file):
    assert one(tmp_path, videos, video=name).path == videos / file


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "part/../../secret.mp4", "C:\\x.mp4"])
def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path, videos, name):
    with pytest.raises(UsageError, match=r"line 1: expected a video inside"):
        one(tmp_path, videos, video=name)


def test_a_name_that_several_files_have_is_refused(tmp_path, videos):
    with pytest.raises(UsageError, match=r"part/deep/twice.webm, part/twice.mp4: name its folder"):
        one(tmp_path, videos, video="twice")


def test_missing_videos_are_counted_and_only_all_of_them_are_too_many(tmp_path, videos):
    others = [{**GOOD, "id": f"x{i}", "video": f"gone{i // 2}"} for i in range(3)]
    found = read(lines(tmp_path, GOOD, *others), videos)
    assert [e.id for e in found.examples] == ["q1"]
    assert (found.missing, found.skipped) == (("gone0", "gone1"), 3)
    assert found.note == "2 videos are missing, and 3 questions with them: gone0, gone1"
    assert found.videos == (("a.mp4", videos / "a.mp4"),)
    with pytest.raises(UsageError, match=r"got 2 videos are missing, and 3 questions with them"):
        read(lines(tmp_path, *others), videos)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"folder of videos, got .*none: no such folder"):
        read(lines(tmp_path, GOOD), tmp_path / "none")


def test_next_qas_own_form_is_read_whole(shared, tmp_path):
    file = shared / "data" / "nextqa" / "val.csv"
    if not file.is_file():
        pytest.skip(f"{file.name} is not there")
    videos = tmp_path / "videos" / "1164"
    videos.mkdir(parents=True)
    (videos / "4010069381.mp4").touch()
    found = read(file, videos.parent)
    first = found.examples[0]
    assert (first.id, first.question) == ("4010069381_6", "how do the two man play the instrument")
    assert (first.correct, first.answer) == (0, "roll the handle")
    assert len(found.examples) + found.skipped == 4996
    assert len(found.missing) + 1 == 570
