"""A video and a question in, the frames that answer it out."""

import json
from importlib.resources import files

import av
import jsonschema
import pytest
import torch
from render import read, render

import hfs
from hfs.sample import render_sample

OFFLINE = "offline(readers=[subtitles])"


@pytest.fixture(scope="module")
def numbers(tmp_path_factory):
    """20 seconds at 5 frames a second, with a subtitle file that names frame 60's moment."""
    path = tmp_path_factory.mktemp("numbers") / "numbers.mp4"
    render(path, [5 * i for i in range(100)])
    path.with_suffix(".srt").write_text(
        "1\n00:00:01,000 --> 00:00:03,000\nnothing of interest\n\n"
        "2\n00:00:12,000 --> 00:00:13,000\nthe zebra crosses the bridge\n",
        encoding="utf-8",
    )
    return path


def test_finds_the_frame_that_the_words_speak_of(numbers):
    selection = hfs.select(numbers, "Where is the zebra?", budget=3, pipeline=OFFLINE, cache=None)
    assert any(12 <= time < 13 for time in selection.times)
    best = min(selection.frames, key=lambda frame: frame.rank)
    assert "zebra" in " ".join(item.text for item in best.text)
    assert best.facet == "Where is the zebra?"


def test_the_frames_are_true_and_their_gains_sum_to_the_value(numbers):
    selection = hfs.select(numbers, "zebra", budget=4, pipeline=OFFLINE, cache=None)
    with hfs.Video.open(numbers) as video:
        indices = torch.tensor([frame.index for frame in selection.frames])
        pictures = next(video.frames(indices, batch=4))
    assert [read(p) for p in pictures.pixels] == indices.tolist()
    assert pictures.times.tolist() == selection.times
    assert sum(f.gain for f in selection.frames) == pytest.approx(selection.value)
    assert sorted(f.rank for f in selection.frames) == [1, 2, 3, 4]


def test_a_second_question_decodes_nothing(numbers, tmp_path, monkeypatch):
    first = hfs.select(numbers, "zebra", pipeline=OFFLINE, cache=tmp_path)
    monkeypatch.setattr(hfs.Video, "frames", lambda *a, **k: pytest.fail("decoded again"))
    second = hfs.select(numbers, "bridge", pipeline=OFFLINE, cache=tmp_path)
    assert first.video == second.video


def test_the_document_keeps_to_its_schema_and_comes_back_the_same(numbers):
    selection = hfs.select(numbers, "zebra", options=["yes", "no"], pipeline=OFFLINE, cache=None)
    document = json.loads(json.dumps(selection.to_json()))
    schema = json.loads((files("hfs") / "schemas" / "selection-1.json").read_text())
    jsonschema.validate(document, schema)
    assert hfs.Selection.from_json(document) == selection
    assert document["query"]["facets"][0] == "zebra"


def test_a_window_keeps_the_times_of_the_whole_video(numbers):
    selection = hfs.select(
        numbers, "zebra", budget=2, start=11.0, end=15.0, pipeline=OFFLINE, cache=None
    )
    assert all(11 <= time < 15 for time in selection.times)
    assert selection.window == (11.0, 15.0)


def test_more_frames_than_candidates_returns_them_all_and_says_so(numbers):
    selection = hfs.select(numbers, "zebra", budget=500, pipeline=OFFLINE, cache=None)
    assert len(selection.frames) == selection.candidates == 64
    assert any("all 64 candidates" in note for note in selection.notes)


def test_without_any_text_the_choice_is_for_coverage_and_says_so(numbers):
    selection = hfs.select(numbers, "zebra", budget=4, pipeline="offline(readers=[])", cache=None)
    assert any("coverage alone" in note for note in selection.notes)
    parts = [int(time // 5) for time in selection.times]
    assert parts == [0, 1, 2, 3]


def test_bytes_a_file_object_and_frames_are_videos_too(numbers):
    spec = "offline(readers=[])"
    wanted = hfs.select(numbers, "zebra", pipeline=spec, cache=None).times
    assert hfs.select(numbers.read_bytes(), "zebra", pipeline=spec, cache=None).times == wanted
    with numbers.open("rb") as file:
        assert hfs.select(file, "zebra", pipeline=spec, cache=None).times == wanted
    with hfs.Video.open(numbers) as video:
        frames = next(video.frames(torch.arange(100), batch=100))
    assert hfs.select(frames, "zebra", pipeline=spec, cache=None).times == wanted


@pytest.mark.parametrize("selector", ["hfs", "uniform", "top_k", "mmr"])
def test_a_result_repeats_from_its_own_record(numbers, selector):
    first = hfs.select(
        numbers, "zebra", pipeline=f"offline(readers=[subtitles], selector={selector})", cache=None
    )
    again = hfs.select(
        first.video.uri, first.question, pipeline=first.pipeline, seed=first.seed, cache=None
    )
    assert again == first


def test_the_sample_talk_is_answered(tmp_path):
    sample = render_sample(tmp_path / "sample.mp4", fps=6)
    selection = hfs.select(
        sample.video, sample.question, budget=8, pipeline=OFFLINE, cache=None, out=tmp_path / "out"
    )
    hit = [any(a <= t < b for t in selection.times) for a, b in sample.evidence]
    assert all(hit), (selection.times, sample.evidence)
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert sample.question in page
    with av.open(str(tmp_path / "out" / str(selection.frames[0].file))) as picture:
        assert picture.streams.video[0].width == selection.video.width


def test_a_subtitle_file_elsewhere_serves(numbers, tmp_path):
    file = tmp_path / "other.srt"
    file.write_text("1\n00:00:05,000 --> 00:00:06,000\na zebra here\n", encoding="utf-8")
    selection = hfs.select(numbers, "zebra", budget=1, pipeline=OFFLINE, subtitles=file, cache=None)
    assert 4 <= selection.times[0] <= 7


def test_the_public_surface_is_small_and_true():
    assert len(hfs.__all__) <= 15
    assert all(getattr(hfs, name) is not None for name in hfs.__all__)
    with pytest.raises(AttributeError, match="nothing"):
        hfs.nothing  # noqa: B018
