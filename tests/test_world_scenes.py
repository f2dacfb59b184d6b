"""Layouts: what happens when, for films and for clips."""

from itertools import pairwise

import numpy as np
import pytest

from hfs.world import scenes
from hfs.world.scenes import MOST, long_layout, short_layout

FRAMES = (64, 256, 512)


def layouts(frames, count=60):
    return [long_layout(np.random.default_rng(i), frames) for i in range(count)]


@pytest.mark.parametrize("frames", FRAMES)
def test_scenes_fill_the_film_in_order_and_each_has_a_name_of_its_own(frames):
    for layout in layouts(frames):
        parts = [(s.start, s.end) for s in layout.scenes]
        assert parts[0][0] == 0
        assert parts[-1][1] == frames == layout.frames
        assert all(a[1] == b[0] for a, b in pairwise(parts))
        assert len({s.name for s in layout.scenes}) == len(layout.scenes)


def test_a_film_of_64_candidates_has_8_to_12_scenes_and_longer_films_have_longer_ones():
    counts = {n: [len(x.scenes) for x in layouts(n)] for n in FRAMES}
    assert (min(counts[64]), max(counts[64])) == (8, 12)
    assert np.mean(counts[64]) < np.mean(counts[256]) < np.mean(counts[512]) < 8 * 10
    assert max(counts[512]) <= 24


def test_lengths_have_a_heavy_tail():
    lengths = [s.end - s.start for layout in layouts(64) for s in layout.scenes]
    assert min(lengths) == 2
    assert np.median(lengths) <= 5
    assert max(lengths) >= 25


@pytest.mark.parametrize("frames", FRAMES)
def test_each_scene_reveals_its_digit_once_and_no_two_moments_overlap(frames):
    for layout in layouts(frames):
        for scene in layout.scenes:
            assert [m.kind for m in scene.moments].count("reveal") == 1
            assert (scene.word is None) == (scene.moment("word") is None)
            assert (scene.event is None) == (scene.moment("event") is None)
            shown = sorted((m.start, m.end) for m in scene.moments)
            assert all(scene.start <= a < b <= scene.end and b - a <= 2 for a, b in shown)
            assert all(a[1] <= b[0] for a, b in pairwise(shown))
            assert sum(b - a for a, b in shown) < scene.end - scene.start, "some frame is plain"


def test_one_ground_fills_most_of_every_film_and_clip():
    clips = [short_layout(np.random.default_rng(i)) for i in range(60)]
    for layout in layouts(64) + clips:
        fill = sum(s.end - s.start for s in layout.scenes if s.ground == layout.ground)
        assert fill >= MOST * layout.frames


def test_about_half_of_the_other_scenes_match_a_scene_in_colour_or_in_shape():
    shares = []
    for layout in layouts(64):
        for a in layout.scenes:
            others = [b for b in layout.scenes if b != a]
            alike = [b for b in others if b.colour == a.colour or b.shape == a.shape]
            shares.append(len(alike) / len(others))
    assert 0.4 < np.mean(shares) < 0.65


def test_fades_never_hide_a_moment():
    for layout in layouts(64):
        for scene in layout.scenes:
            assert not (scene.fade and scene.at(scene.start) is not None)
    assert any(s.fade for layout in layouts(64) for s in layout.scenes)


def test_an_origin_is_told_by_exactly_one_line_of_its_scene_and_shown_nowhere():
    for layout in layouts(64):
        for i, scene in enumerate(layout.scenes):
            told = [line for line in layout.lines if line.scene == i]
            assert len(told) == (scene.origin is not None)
            for line in told:
                assert scene.start <= line.start < line.end <= scene.end
                assert line.text == f"The {scene.name} comes from {scene.origin}."
        named = [line for line in layout.lines if any(o in line.text for o in scenes.ORIGINS)]
        assert all(line.scene >= 0 for line in named)


@pytest.mark.parametrize("plain", [False, True])
def test_a_clip_shows_every_moment_in_one_frame(plain):
    bare = 0
    for seed in range(60):
        layout = short_layout(np.random.default_rng(seed), plain=plain)
        single = all(len(scene.moments) == 1 for scene in layout.scenes)
        bare += single
        assert 2 <= len(layout.scenes) <= (10 if single else 7)
        for scene in layout.scenes:
            assert all(m.end - m.start == 1 for m in scene.moments)
            spare = scene.end - scene.start - len(scene.moments)
            assert spare == 1 if plain else spare in (0, 1)
    assert 20 <= bare <= 45  # half of the clips, and a short one now and then
