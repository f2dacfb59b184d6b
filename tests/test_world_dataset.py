"""Films by number: repeatable, and the same whichever way they are asked for."""

from fractions import Fraction

import pytest
import torch

from hfs import world
from hfs.errors import UsageError
from hfs.types import Frames
from hfs.world import World


def test_a_film_depends_on_its_number_alone():
    one, two = World(), World()
    late = list(one.films("train", 3, first=5))[1]
    again = two.film("train", 6)
    assert late == again
    assert torch.equal(late.frames().pixels, again.frames().pixels)
    assert late.layout != World(seed=1).film("train", 6).layout
    assert late.layout != one.film("test", 6).layout


def test_the_kinds_asked_for_change_the_questions_and_not_the_film():
    film = World(kinds=("digit", "order"), questions=4).film("train", 0)
    assert {item.kind for item in film.items} == {"digit", "order"}
    assert len({item.question for item in film.items}) == len(film.items) == 4
    assert film.layout == World().film("train", 0).layout


def test_items_are_the_first_questions_of_the_first_films():
    items = world.items("validation", 20, seed=3)
    films = list(World(seed=3).films("validation", 3))
    assert items == [item for film in films for item in film.items][:20]
    assert len({item.id for item in items}) == 20


def test_frames_are_the_candidates_with_their_times():
    film = World(frames=32, size=48).film("train", 0)
    frames = film.frames()
    assert isinstance(frames, Frames)
    assert frames.pixels.shape == (32, 3, 48, 48)
    assert frames.pixels.dtype == torch.uint8
    assert frames.times.tolist() == [float(i) for i in range(32)] == film.times.tolist()
    assert film.duration == 32.0


def test_denser_films_show_each_candidate_in_the_middle_of_its_time():
    film = World(frames=16, step=2.0, fps=2.0).film("train", 0)
    assert film.fps == 2
    assert film.times.tolist() == [2.0 * i + 1.0 for i in range(16)]
    whole = film.frames(torch.arange(64)).pixels
    assert torch.equal(whole[film.candidates], film.frames().pixels)


def test_half_an_hour_is_512_candidates_of_three_and_a_half_seconds():
    film = World(frames=512, step=3.5).film("test", 0)
    assert film.duration == 1792.0
    assert film.fps == Fraction(2, 7)
    assert max(end for item in film.items for unit in item.evidence for _, end in unit) <= 1792.0


def test_clips_are_short_and_their_answers_can_be_seen_in_all_of_their_frames():
    for clip in World().clips("train", 50):
        assert 2 <= clip.layout.frames <= 20
        assert clip.items
        assert all(item.recall(clip.times) == 1.0 for item in clip.items)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"frames": 8}, "16 to 4096"),
        ({"size": 63}, "even size"),
        ({"step": 0.0}, "step"),
        ({"step": 2.0, "fps": 0.75}, "multiple of 1 / step = 0.5"),
        ({"seed": -1}, "seed"),
        ({"kinds": ("colour",)}, "digit, letter"),
        ({"kinds": ()}, "at least one kind"),
    ],
)
def test_options_that_make_no_film_are_refused(options, message):
    with pytest.raises(UsageError, match=message):
        World(**options)


def test_an_unknown_split_is_refused():
    with pytest.raises(UsageError, match="train, validation, test"):
        World().film("dev", 0)
