"""Pixels: what is visible where, and only there."""

from dataclasses import replace

import numpy as np
import pytest

from hfs.world import draw, glyphs, scenes, sprites
from hfs.world.scenes import long_layout

CHANGES = {
    "reveal": {"digit": 1, "letter": "X"},
    "word": {"word": "ship"},
    "event": {"event": "hit"},
}
OTHERS = {
    "reveal": {"digit": 8, "letter": "H"},
    "word": {"word": "moon"},
    "event": {"event": "split"},
}


@pytest.fixture(scope="module")
def layout():
    return long_layout(np.random.default_rng(5), 64)


@pytest.fixture(scope="module")
def film(layout):
    return draw.frames(layout, 64)


@pytest.mark.parametrize("kind", ["reveal", "word", "event"])
def test_what_a_moment_shows_is_visible_in_its_frames_and_in_no_other(layout, kind):
    at, scene = next((i, s) for i, s in enumerate(layout.scenes) if s.moment(kind))
    films = []
    for values in (CHANGES[kind], OTHERS[kind]):
        new = (*layout.scenes[:at], replace(scene, **values), *layout.scenes[at + 1 :])
        films.append(draw.frames(replace(layout, scenes=new), 64).astype(int))
    differs = np.abs(films[0] - films[1]).mean((1, 2, 3)) > 0.5
    moment = scene.moment(kind)
    assert np.flatnonzero(differs).tolist() == list(range(moment.start, moment.end))


def test_frames_of_a_scene_are_near_duplicates_and_of_two_scenes_are_not(layout, film):
    plain = [i for i in range(64) if layout.scene_at(i).at(i) is None]
    pairs = [(a, b) for a in plain for b in plain if a < b]
    pixels = film.astype(np.float32).mean(1)
    far = {(a, b): np.abs(pixels[a] - pixels[b]).mean() for a, b in pairs}
    same = [d for (a, b), d in far.items() if layout.scene_at(a) == layout.scene_at(b)]
    ground = [
        d for (a, b), d in far.items() if layout.scene_at(a).ground != layout.scene_at(b).ground
    ]
    assert 0 < np.mean(same) < 0.4 * np.mean(ground)


def test_some_frames_are_drawn_as_in_the_whole_film(layout, film):
    at = np.array([0, 7, 20, 21, 63])
    assert np.array_equal(draw.frames(layout, 64, at=at), film[at])


def test_the_shape_has_the_colour_that_its_name_says(layout, film):
    for scene in layout.scenes:
        plain = [i for i in range(scene.start + 1, scene.end) if scene.at(i) is None]
        for i in plain[:1]:
            paint = np.array(sprites.PAINT[scene.colour])[:, None, None]
            near = np.abs(film[i].astype(int) - paint).max(0) < 30
            assert near.sum() > 60, scene.name


def test_a_fade_still_shows_the_scene_before():
    layouts = (long_layout(np.random.default_rng(i), 64) for i in range(20))
    layout = next(x for x in layouts if any(s.fade for s in x.scenes))
    at = next(i for i, s in enumerate(layout.scenes) if s.fade)
    scene = layout.scenes[at]
    hard = (*layout.scenes[:at], replace(scene, fade=False), *layout.scenes[at + 1 :])
    a = draw.frames(layout, 64).astype(int)
    b = draw.frames(replace(layout, scenes=hard), 64).astype(int)
    assert np.flatnonzero(np.abs(a - b).any((1, 2, 3))).tolist() == [scene.start]


@pytest.mark.parametrize("size", [32, 64, 96, 128])
def test_all_sizes_are_drawn(layout, size):
    at = np.arange(0, 64, 9)
    assert draw.frames(layout, size, at=at).shape == (8, 3, size, size)


def test_every_character_and_every_word_has_a_bitmap_of_its_own():
    characters = "0123456789" + "".join(scenes.LETTERS) + "".join(scenes.WORDS).upper()
    drawn = {c: glyphs.bitmap(c, 1) for c in characters}
    assert all(b.shape == (7, 5) for b in drawn.values())
    assert len({b.tobytes() for b in drawn.values()}) == len(drawn)
    assert glyphs.bitmap("moon", 2).shape == (14, 46)


def test_shapes_differ_in_outline_and_fill_a_fair_part_of_their_square():
    axis = np.linspace(-1, 1, 101)
    y, x = np.meshgrid(axis, axis, indexing="ij")
    masks = {shape: sprites.inside(shape, x, y) for shape in scenes.SHAPES}
    for one, mask in masks.items():
        assert 0.2 < mask.mean() <= 1, one
        for two, other in masks.items():
            assert one == two or (mask ^ other).mean() > 0.08, (one, two)
