import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from hfs.benchmarks import Item
from hfs.errors import OutputError, UsageError
from hfs.evaluation import fingerprints, rows
from hfs.evaluation.rows import Row, RowFile
from hfs.evaluation.videos import open_folder
from hfs.records import Tally


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


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
