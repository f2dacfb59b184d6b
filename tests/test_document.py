"""A selection as JSON: nothing is lost, everything malformed is refused by name."""

import dataclasses
import json
import typing
from fractions import Fraction
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hfs import document
from hfs.errors import UsageError
from hfs.types import (
    Asked,
    Health,
    SelectedFrame,
    Selection,
    TimedText,
    VideoInfo,
)

SCHEMA = json.loads((files("hfs") / "schemas" / "selection-1.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

seconds = st.floats(0, 1e5)
number = st.floats(allow_nan=False, allow_infinity=False)
count = st.integers(0, 10**9)
texts = st.lists(st.text(max_size=20), max_size=2)
record = st.fixed_dictionaries
interval = st.lists(seconds, min_size=2, max_size=2)
timed_texts = record({"start": seconds, "end": seconds, "text": st.text(), "source": st.text()})
health = record({"packets": count, "damaged": count, "lost": count, "notes": texts})
whole = ("width", "height", "rotation", "frames", "keyframes", "stream")
videos = record(
    {"uri": st.text(), "sha256": st.text(), "codec": st.text(), "variable_rate": st.booleans()}
    | {"average_rate": st.sampled_from([None, "25/1", "30000/1001"]), "health": health}
    | dict.fromkeys(whole, count)
    | dict.fromkeys(("duration", "start", "delay"), seconds)
    | {"text_streams": texts}
)
frames = record(
    {"rank": st.just(1), "time": seconds, "index": count, "score": st.floats(0, 1)}
    | dict.fromkeys(("relevance", "coverage", "redundancy", "gain"), number)
    | {"covers": interval, "facet": st.text(), "text": st.lists(timed_texts, max_size=2)}
    | {"file": st.sampled_from([None, "0001_00-00-00.000.jpg"])}
)
documents = record(
    {"schema": st.just("hfs.selection/1"), "frames": st.tuples(frames).map(list)}
    | {"budget": st.integers(1, 64), "video": videos, "seed": count, "candidates": count}
    | dict.fromkeys(("question", "pipeline", "version"), st.text())
    | dict.fromkeys(("options", "fallbacks", "notes"), texts)
    | {"query": record({"facets": texts, "weights": st.lists(number), "thought": st.text()})}
    | {"channels": st.dictionaries(st.text(), number, max_size=3)}
    | {"window": interval, "value": number}
)


def chosen(rank: int, index: int) -> SelectedFrame:
    return SelectedFrame(rank, index / 10, index, 0.5, 0.3, 0.2, -0.1, 0.4, (0.0, 1.0), "")


VIDEO = VideoInfo("a.mp4", "ab" * 32, 10.0, 640, 360, 0, "h264", Fraction(30000, 1001), False,
                  300, 3, 0.0)  # fmt: skip
SELECTION = Selection(
    frames=(chosen(2, 10), chosen(1, 20)),
    budget=2,
    question="Who?",
    options=(),
    video=VIDEO,
    health=Health(300),
    pipeline="offline",
    seed=0,
    version="0.1.0",
)


@settings(deadline=None)
@given(documents)
def test_comes_back_from_json_exactly_and_keeps_to_the_published_schema(written):
    selection = Selection.from_json(written)
    text = json.dumps(selection.to_json(), allow_nan=False)
    assert json.loads(text) == written
    assert Selection.from_json(text) == selection
    VALIDATOR.validate(written)


def test_the_published_schema_is_itself_valid_and_names_every_field():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    parts = SCHEMA["$defs"]
    for kind, part, more in [
        (Selection, SCHEMA, {"schema"}),
        (SelectedFrame, parts["frame"], set()),
        (VideoInfo, parts["video"], {"health"}),
        (Health, parts["health"], set()),
        (TimedText, parts["text"], set()),
    ]:
        own = [f for f in dataclasses.fields(kind) if (kind, f.name) != (Selection, "health")]
        needed = {f.name for f in own if f.default is f.default_factory is dataclasses.MISSING}
        assert set(part["properties"]) == {f.name for f in own} | more
        assert set(part["required"]) == needed | more
    assert set(SCHEMA["properties"]["query"]["properties"]) == set(typing.get_type_hints(Asked))


def test_says_which_schema_it_is_before_anything_else():
    record = SELECTION.to_json()
    assert next(iter(record.items())) == ("schema", "hfs.selection/1")
    assert record["video"]["average_rate"] == "30000/1001"
    assert record["video"]["health"] == {"packets": 300, "damaged": 0, "lost": 0, "notes": []}
    assert "health" not in record


def test_reads_a_file_and_the_folder_that_holds_it(tmp_path):
    path = tmp_path / "selection.json"
    path.write_text(json.dumps(SELECTION.to_json()))
    assert Selection.from_json(path) == SELECTION
    assert Selection.from_json(str(path)) == SELECTION
    assert Selection.from_json(tmp_path) == SELECTION


MALFORMED = [
    (("schema",), "hfs.selection/2", "hfs.selection/1"),
    (("schema",), None, "schema None"),
    (("budget",), "2", "budget"),
    (("budget",), 1, "budget"),
    (("seed",), True, "seed"),
    (("question",), 5, "question"),
    (("options",), "A", "options"),
    (("options",), [1], "options[0]"),
    (("extra",), 1, "extra"),
    (("health",), {"packets": 1}, "health"),
    (("video",), [], "video"),
    (("video", "health"), None, "video.health"),
    (("video", "health", "damaged"), 0.5, "video.health.damaged"),
    (("video", "average_rate"), "30", "video.average_rate"),
    (("video", "average_rate"), "1/0", "video.average_rate"),
    (("video", "duration"), float("nan"), "video.duration"),
    (("video", "sha"), "", "video.sha"),
    (("query",), {"facets": [["deep"]]}, "query.facets[0]"),
    (("query",), {"guess": 1}, "query.guess"),
    (("channels",), {"visual": "most"}, "channels.visual"),
    (("window",), [0.0], "window"),
    (("frames",), [], "frames"),
    (("frames", 0, "time"), 10**400, "frames[0].time"),
    (("frames", 0, "time"), 5.0, "frames"),
    (("frames", 0, "index"), 20, "frames"),
    (("frames", 0, "index"), -1, "index"),
    (("frames", 1, "rank"), 2, "rank"),
    (("frames", 1, "score"), 1.5, "score"),
    (("frames", 1, "covers"), [0, 1, 2], "frames[1].covers"),
    (("frames", 1, "text"), [{"start": 0, "end": 1, "text": "a"}], "frames[1].text[0].source"),
    (("frames", 1, "file"), "../secret.jpg", "file"),
]


@pytest.mark.parametrize(("path", "value", "named"), MALFORMED)
def test_refuses_a_malformed_document_in_one_line_that_names_the_field(path, value, named):
    record = json.loads(json.dumps(SELECTION.to_json()))
    place = record
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(UsageError) as error:
        Selection.from_json(record)
    assert named in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("field", ["frames", "video", "pipeline", "version"])
def test_refuses_a_document_without_a_required_field(field):
    record = SELECTION.to_json()
    del record[field]
    with pytest.raises(UsageError, match=field):
        Selection.from_json(record)


@pytest.mark.parametrize("text", ["{", '{"a":' * 50_000, "{" + "\x00"])
def test_refuses_text_that_is_not_json(text):
    with pytest.raises(UsageError, match="JSON"):
        Selection.from_json(text)


def test_refuses_what_cannot_be_read_as_a_file(tmp_path, monkeypatch):
    latin, listed = tmp_path / "latin.json", tmp_path / "list.json"
    latin.write_bytes(b'{"question": "\xe9"}')
    listed.write_text("[1]")
    for source in [tmp_path / "none.json", tmp_path, "x" * 5000, "a\0b", latin, listed]:
        with pytest.raises(UsageError, match="expected"):
            Selection.from_json(source)
    monkeypatch.setattr(document, "MAX_BYTES", 2)
    with pytest.raises(UsageError, match="at most 2 bytes"):
        Selection.from_json(listed)


def test_refuses_to_write_a_number_that_json_does_not_know():
    broken = dataclasses.replace(SELECTION, value=float("inf"))
    with pytest.raises(UsageError, match="value"):
        broken.to_json()


def test_reads_a_whole_number_where_a_time_is_meant():
    record = SELECTION.to_json() | {"window": [0, 10]}
    assert Selection.from_json(record).window == (0.0, 10.0)
    assert all(isinstance(t, float) for t in Selection.from_json(record).window)


def test_a_path_with_undecodable_bytes_survives():
    odd = dataclasses.replace(VIDEO, uri=b"caf\xe9.mp4".decode("utf-8", "surrogateescape"))
    selection = dataclasses.replace(SELECTION, video=odd)
    assert Selection.from_json(json.dumps(selection.to_json())) == selection
    assert Path(odd.uri).name.encode("utf-8", "surrogateescape") == b"caf\xe9.mp4"
