"""Captions: true where they say so, false by one fact, and in the words of the cues."""

import numpy as np
import pytest
import torch

from hfs.world import World, captions
from hfs.world.captions import Caption, caption, facts, nearly, truth
from hfs.world.pairs import pairs


@pytest.fixture(scope="module")
def clips():
    return [World().clip("train", i, plain=True) for i in range(40)]


def test_captions_are_true_and_their_near_misses_false(clips):
    rng = np.random.default_rng(0)
    for clip in clips:
        for i in range(clip.layout.frames):
            frame = facts(clip.layout, i)
            said = caption(frame, rng)
            assert said.true_of(frame)
            near = nearly(said, rng)
            if near is not None:
                assert not near.true_of(frame)
                assert len(near.facts) == len(said.facts)


def test_a_caption_names_the_values_it_claims(clips):
    rng = np.random.default_rng(1)
    for clip in clips[:10]:
        for i in range(clip.layout.frames):
            said = caption(facts(clip.layout, i), rng)
            named = {value for kind, value in said.facts if value and kind != "event"}
            assert named <= set(said.text.split())


def test_facts_of_a_plain_frame_hold_nothing_that_only_a_moment_shows(clips):
    for clip in clips:
        for i in range(clip.layout.frames):
            kinds = {kind for kind, _ in facts(clip.layout, i)}
            moment = clip.layout.scene_at(i).at(i)
            assert ("plain" in kinds) == (moment is None)
            assert ("digit" in kinds) == ("letter" in kinds) == (moment == "reveal")


def test_cues_are_captions_of_the_frames_that_they_ask_for(clips):
    rng = np.random.default_rng(2)
    every = [facts(c.layout, i) for c in clips for i in range(c.layout.frames)]
    said = {caption(frame, rng).text for frame in every for _ in range(200)}
    name = clips[0].layout.scenes[0].name
    assert f"when the {name} is on screen" in said
    assert f"read the digit shown with the {name}" in said
    assert any(text.startswith("read the letter shown with a") for text in said)
    assert any(text.startswith("read the word written below the") for text in said)
    assert any(text.startswith("what happens to the") for text in said)


def test_truth_tells_for_each_caption_and_frame():
    red = frozenset({("colour", "red")})
    both = red | {("shape", "ring")}
    said = [Caption("a red shape", red), Caption("a red ring", both)]
    assert truth(said, [both, red]).tolist() == [[True, True], [True, False]]


def test_pairs_are_true_in_order_and_hard_negatives_false():
    batch = pairs(World(), "train", 3, 24, hard=True)
    assert batch.pixels.shape == (24, 3, 64, 64)
    assert len(batch.captions) == 48
    assert batch.truth.shape == (48, 24)
    assert batch.truth[:24].diagonal().all()
    assert not batch.truth[24:].diagonal().any()
    assert batch.truth[:24].sum() > 24, "some captions are true of several frames"


def test_pairs_are_repeatable_and_batches_differ():
    one, again, other = (pairs(World(), "train", n, 16) for n in (3, 3, 4))
    assert one.captions == again.captions
    assert torch.equal(one.pixels, again.pixels)
    assert one.captions != other.captions
    assert not torch.equal(one.pixels, other.pixels)


def test_a_vague_caption_has_no_near_miss():
    rng = np.random.default_rng(0)
    assert nearly(Caption("a digit with a shape", frozenset({("digit", "")})), rng) is None
    assert captions.nearly(Caption("a red shape", frozenset({("colour", "red")})), rng) is not None
