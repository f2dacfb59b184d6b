"""The sample talk: a real video whose answers lie where it says they do."""

import shlex
import subprocess
import sys
from itertools import pairwise
from random import Random

import av
import pysubs2
import pytest
from PIL import ImageChops, ImageStat

from hfs.errors import OutputError
from hfs.pages.report import command
from hfs.pipeline import select
from hfs.sample import TALK, render_sample
from hfs.types import Selection

FPS = 2


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    return render_sample(tmp_path_factory.mktemp("sample") / "talk.mp4", fps=FPS)


def difference(a, b):
    """Mean absolute difference of two pictures, in grey levels."""
    return sum(ImageStat.Stat(ImageChops.difference(a, b)).mean) / 3


def test_is_three_minutes_of_h264_that_hold_still_between_their_cuts(sample):
    with av.open(str(sample.video)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        frames = {f.pts * f.time_base: f.to_image() for f in container.decode(stream)}
    assert [float(t) for t in frames] == [i / FPS for i in range(180 * FPS)]
    assert {picture.size for picture in frames.values()} == {(640, 360)}
    assert difference(frames[36], frames[51]) < 2, "a slide holds still"
    assert difference(frames[60], frames[85]) < 12, "the lamp room hardly changes"
    assert difference(frames[51], frames[52]) > 30, "the slide is cut off by the storm"


def test_subtitles_follow_one_another_and_hold_each_answer_once(sample):
    cues = pysubs2.load(str(sample.subtitles))
    assert all(0 <= a.start < a.end <= b.start for a, b in pairwise(cues))
    assert cues[-1].end <= 180_000
    for (start, end), answer in zip(
        sample.evidence, ("lightning", "Marta Oyelaran", "forty-one thousand"), strict=True
    ):
        said = [c for c in cues if answer in c.text]
        assert len(said) == 1
        assert start <= said[0].start / 1000 < said[0].end / 1000 <= end


def test_asks_one_question_with_one_right_answer(sample):
    assert sample.question.endswith("?")
    assert len(set(sample.options)) == 4
    assert "41,300" in sample.options[sample.answer]


@pytest.mark.parametrize("scene", TALK, ids=lambda scene: scene.picture.__name__)
def test_draws_the_same_picture_for_the_same_seed(scene):
    first, again = (scene.picture(1.5, Random(3)) for _ in range(2))
    assert first == again
    later = scene.picture(4.0, Random(3))
    assert (first == later) is not scene.moves


def test_says_what_is_wrong_with_a_path_that_cannot_be_written(tmp_path):
    for path in (tmp_path / "none" / "talk.mp4", tmp_path / "talk.nothing"):
        with pytest.raises(OutputError, match="expected to write the sample"):
            render_sample(path, fps=FPS)
    assert not list(tmp_path.iterdir())


def found(selection, sample) -> int:
    """How many of the moments that hold the answer were chosen."""
    return sum(any(start <= t < end for t in selection.times) for start, end in sample.evidence)


def test_the_set_holds_every_part_of_the_answer_and_even_spacing_does_not(sample):
    asked = {"question": sample.question, "cache": None}
    offline = "offline(readers=[subtitles])"
    assert found(select(sample.video, **asked, pipeline=offline), sample) == 3
    uniform = "offline(readers=[subtitles], selector=uniform)"
    assert found(select(sample.video, **asked, pipeline=uniform), sample) == 1
    top_k = "offline(readers=[subtitles], selector=top_k)"
    assert found(select(sample.video, **asked, pipeline=top_k), sample) == 1


def test_the_command_in_the_report_makes_the_same_selection_again(sample, tmp_path):
    first = select(
        sample.video,
        sample.question,
        options=sample.options,
        budget=4,
        start=30.0,
        end=150.5,
        pipeline="offline(readers=[subtitles])",
        cache=None,
        seed=3,
    )
    words = shlex.split(command(first).replace("\\\n", " "))
    again = tmp_path / "again.json"
    rest = ["--json", str(again), "--cache", "none", "--quiet"]
    subprocess.run([sys.executable, "-m", *words, *rest], check=True)
    assert Selection.from_json(again) == first
