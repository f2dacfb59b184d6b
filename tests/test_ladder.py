"""The ladder: each rung's data and loss, and all of it at the smallest size."""

import json
import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn.functional import logsigmoid

from hfs import hub
from hfs.errors import UsageError
from hfs.ladder import models, naming, pool, reading, seeing, thinking, words
from hfs.recipes.world import recipe
from hfs.training.checkpoint import Checkpoints
from hfs.training.loop import train
from hfs.training.recipe import Moment, Phase
from hfs.training.routing import SELECTORS
from hfs.training.teacher import Teacher
from hfs.types import Selection
from hfs.world import VERSION, VISUAL_KINDS, World, scenes
from hfs.world.captions import Caption, facts, truth

RUNGS = ("see", "think", "name", "warm", "widen", "calibrate", "mutual", "route")
WORLD = World()


@pytest.fixture(scope="module")
def tokenizer():
    return words.tokenizer(words.corpus(WORLD, 3))


@pytest.fixture(scope="module")
def towers(tokenizer):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return models.towers(models.Sizes(), tokenizer).eval()


@pytest.fixture(scope="module")
def reader(tokenizer):
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return models.reader(models.Sizes(), tokenizer).eval()


def test_the_tokenizer_spells_any_text_and_keeps_marks_whole(tokenizer):
    text = "Où est le chat? 猫 🐈"
    assert tokenizer.decode(tokenizer(text).input_ids) == text
    for mark in words.MARKS:
        assert len(tokenizer(mark, add_special_tokens=False).input_ids) == 1


def test_a_word_of_the_world_is_one_token(tokenizer):
    ids = tokenizer(" the red circle is on screen", add_special_tokens=False).input_ids
    assert len(ids) == 6


def test_the_reader_sees_what_the_towers_see(towers, reader):
    models.share_sight(towers, reader)
    pixels = pool.scaled(WORLD.film("train", 0).frames().pixels[:3])
    with torch.no_grad():
        own = reader.model.vision_model(pixel_values=pixels).last_hidden_state
        given = towers.vision_model(pixel_values=pixels).last_hidden_state
    torch.testing.assert_close(own, given)


def test_models_are_saved_without_a_word(towers, tmp_path, capfd):
    hub.save(towers, tmp_path)
    assert (tmp_path / "model.safetensors").is_file()
    assert capfd.readouterr().err == ""


def test_a_pool_gives_every_frame_its_facts():
    made = pool.pool(WORLD, "train", 10)
    clip = WORLD.clip("train", 0)
    assert len(made.pixels) == len(made.facts) >= 10
    assert made.facts[1] == facts(clip.layout, 1)
    assert torch.equal(made.pixels[1], clip.frames().pixels[1])


def test_frames_with_an_event_come_more_often_and_all_others_once():
    made = pool.pool(WORLD, "train", 400)
    sights = seeing.sights(made, eventful=4)
    places = Counter(sights.load(i).pixels.data_ptr() for i in range(len(sights)))
    times = [4 if ("event", "") in facts else 1 for facts in made.facts]
    assert 4 in times
    assert [places[pixels.data_ptr()] for pixels in made.pixels] == times
    assert seeing.sights(made).places == tuple(range(len(made.facts)))


def test_frames_at_places_are_those_of_the_pool():
    made = pool.pool(WORLD, "train", 20)
    sights = seeing.Sights(made, (3, 3, 1))
    assert len(sights) == 3
    assert [sights.load(i).facts for i in range(3)] == [made.facts[i] for i in (3, 3, 1)]
    assert torch.equal(sights.load(2).pixels, made.pixels[1])
    assert sights.name(2) == "frame 1"


def test_the_match_weighs_true_and_false_frames_of_a_caption_alike(towers):
    made = pool.pool(WORLD, "validation", 4)
    pixels, known = made.pixels[:4], list(made.facts[:4])
    captions = [Caption("a", known[0]), Caption("b", frozenset({("colour", "none")}))]
    ids = torch.tensor([[5, 6, 7], [8, 9, 7]])
    true = truth(captions, known)
    with torch.no_grad():
        loss = seeing.matched(towers, pixels, ids, true)
        seen = towers.get_image_features(pixel_values=pool.scaled(pixels)).pooler_output
        said = towers.get_text_features(input_ids=ids).pooler_output
    unit = torch.nn.functional.normalize
    logits = unit(said, dim=-1) @ unit(seen, dim=-1).T
    logits = (logits * towers.logit_scale.exp() + towers.logit_bias).detach()
    total = 0.0
    for c in range(2):
        right = [-float(logsigmoid(logits[c, i])) for i in range(4) if true[c, i]]
        wrong = [-float(logsigmoid(-logits[c, i])) for i in range(4) if not true[c, i]]
        total += sum(right) / max(len(right), 1) + sum(wrong) / len(wrong)
    assert float(loss.mean()) == pytest.approx(total / 2, rel=1e-4)


def test_only_the_thought_is_learned(tokenizer):
    items = WORLD.film("train", 0).items
    source = thinking.Questions(tuple(items), tokenizer)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        slm = models.language_model(models.Sizes(), tokenizer)
    questions = [source.load(0), source.load(1)]
    at = Moment(Phase("think", thinking.Thinking(), 1), 0, 0, (0, 1))
    loss = thinking.Thinking()(_Models(slm), questions, at).loss
    for question, found in zip(questions, loss.tolist(), strict=True):
        ids = torch.tensor([question.prompt + question.thought])
        logs = slm(input_ids=ids).logits[0].log_softmax(-1).detach()
        start = len(question.prompt)
        own = [-float(logs[start + i - 1, t]) for i, t in enumerate(question.thought)]
        assert found == pytest.approx(sum(own) / len(own), rel=1e-4)
    assert tokenizer.decode(questions[1].thought[:-1]) == items[1].thought


class _Models:
    def __init__(self, slm):
        self.slm = slm


def test_a_frame_is_described_by_all_its_facts():
    known = frozenset(
        {("colour", "red"), ("shape", "star"), ("ground", "sand"), ("digit", "7"), ("digit", ""),
         ("letter", "K"), ("letter", "")}
    )  # fmt: skip
    assert naming.described(known) == "red star, sand, digit 7, letter K"


def _known(**facts):
    return frozenset(facts.items()) | {(kind, "") for kind in facts if kind not in ("colour",)}


def test_a_frame_is_asked_for_by_facts_that_no_other_frame_has():
    frame = _known(colour="red", shape="star", digit="7")
    others = [_known(colour="red", shape="ring", digit="7"), _known(colour="blue", shape="star")]
    found = {naming.asked([frame, *others], 0, np.random.default_rng(i)) for i in range(40)}
    assert "frame with the red star" in found
    for text in found:
        said = set(text.removeprefix("frame with the ").split())
        assert not any(said <= {value for _, value in other} for other in others)
    assert naming.asked([frame], 0, np.random.default_rng(0)) == "frame"
    assert naming.asked([frame] * 2, 1, np.random.default_rng(0)) == "frame with the red star 7"


def test_the_reader_is_asked_before_it_is_shown_frames_of_no_tokens_but_their_pictures(
    tokenizer, reader
):
    teacher = Teacher(reader, tokenizer, models.pictures(models.Sizes())[1],
                      template=words.TEMPLATE)  # fmt: skip
    few, more = (
        teacher.prompter.prompt([float(i) for i in range(n)], 1, "which digit?", ()) for n in (2, 5)
    )
    assert len(more.ids) - len(few.ids) == 3
    asked = tokenizer.decode(few.ids[: few.starts[0]])
    assert "which digit?" in asked
    assert few.starts == (few.starts[0], few.starts[0] + 1)
    image = tokenizer.convert_tokens_to_ids("<image>")
    assert [i for i, token in enumerate(more.ids) if token == image] == list(more.starts)


def test_naming_a_frame_looks_at_it_with_a_tower_that_learns():
    learner = recipe().build().requires_grad_(True)
    made = pool.pool(WORLD, "train", 8)
    items = [seeing.Sight(p, f) for p, f in zip(made.pixels[:8], made.facts, strict=False)]
    at = Moment(Phase("name", naming.Naming(), 1, 8), 0, 0, tuple(range(8)))
    loss = naming.Naming()(learner, items, at).loss
    assert torch.equal(loss, naming.Naming()(learner, items, at).loss)
    other = [seeing.Sight(255 - items[0].pixels, items[0].facts), *items[1:]]
    changed = naming.Naming()(learner, other, at).loss
    assert changed[0] != loss[0]
    loss.sum().backward()
    for name in ("sight", "teacher"):
        assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in learner.groups()[name])
    assert all(p.grad is None for p in learner.groups()["towers"])


def test_an_aligned_connector_says_what_a_frame_shows_in_the_reader_s_words():
    learner = recipe().build()
    made = pool.pool(WORLD, "train", 600)
    assert learner.see()
    naming.align(learner, made, frames=400)
    with torch.no_grad():
        seen = naming._tokens(learner.reader.model, pool.scaled(made.pixels[400:]))[:, 0]
    embed = learner.reader.get_input_embeddings().weight.detach()
    ids = [learner.tokenizer(f" {c}").input_ids[0] for c in scenes.COLOURS]
    said = (seen - seen.mean(0)) @ embed[ids].T
    shown = [scenes.COLOURS.index(dict(f - {("digit", "")})["colour"]) for f in made.facts[400:]]
    right = (said.argmax(1) == torch.tensor(shown)).float().mean()
    assert right > 0.3  # of an untrained tower's patches; by chance .17


def test_sight_that_has_learned_is_not_given_again():
    learner = recipe().build()
    assert learner.see()
    given = models.sight(learner.reader)
    with torch.no_grad():
        learner.towers.vision_model.embeddings.patch_embedding.weight.add_(1.0)
    assert not learner.see()
    assert torch.equal(models.sight(learner.reader), given)


def test_a_last_rung_begins_from_another_run(tmp_path):
    none = dict.fromkeys(RUNGS, 0)
    few = {"folder": str(tmp_path / "films"), "films": 2, "clips": 2, "pool": 100, "batch": 2,
           "checked": 1}  # fmt: skip
    train(recipe(**few, **(none | {"see": 1, "name": 1})), tmp_path / "base")
    last = none | {"mutual": 1}
    begun = recipe(**few, **last, base=str(tmp_path / "base"), seed=3).build()
    fresh = recipe(**few, **last, seed=3).build()
    kept = Checkpoints(tmp_path / "base" / "checkpoints").newest()
    own = dict(begun.named_parameters())
    for group in ("towers", "slm", "sight", "teacher"):
        ids = {id(p) for p in begun.groups()[group]}
        for name, p in own.items():
            if id(p) in ids:
                assert torch.equal(p, kept.parameters[name]), name
    assert torch.equal(begun.student.query_tokens, fresh.student.query_tokens)
    taken = recipe(**few, **(none | {"route": 1}), base=str(tmp_path / "base"), seed=3).build()
    assert torch.equal(taken.student.query_tokens, kept.parameters["student.query_tokens"])
    assert not torch.equal(taken.student.query_tokens, fresh.student.query_tokens)
    with begun.reading(tmp_path / "base") as teacher:
        assert teacher is begun.teacher
    with pytest.raises(UsageError, match="a run with a checkpoint"):
        recipe(**few, **none, base=str(tmp_path)).build()


def test_a_reader_that_is_to_learn_anew_is_not_taken_from_another_run(tmp_path):
    none = dict.fromkeys(RUNGS, 0)
    few = {"folder": str(tmp_path / "films"), "films": 2, "pool": 100, "batch": 2}
    train(recipe(**few, **(none | {"see": 1, "name": 1})), tmp_path / "base")
    base = Checkpoints(tmp_path / "base" / "checkpoints").newest()
    begun = recipe(**few, **(none | {"name": 1}), base=str(tmp_path / "base")).build()
    fresh = recipe(**few, **none).build()
    taken = {id(p) for group in ("towers", "slm") for p in begun.groups()[group]}
    anew = {id(p) for group in ("sight", "teacher") for p in begun.groups()[group]}
    for name, p in begun.named_parameters():
        if id(p) in taken:
            assert torch.equal(p, base.parameters[name]), name
        if id(p) in anew:
            assert torch.equal(p, fresh.get_parameter(name)), name


def test_a_ladder_that_is_stopped_while_naming_goes_on_as_if_it_had_not_been(tmp_path):
    none = dict.fromkeys(RUNGS, 0)
    few = {"folder": str(tmp_path / "films"), "films": 2, "clips": 2, "pool": 100, "batch": 2,
           "checked": 1}  # fmt: skip
    made = recipe(**few, **(none | {"see": 1, "name": 2, "warm": 1}))
    made = replace(made, run=replace(made.run, every=1))
    train(made, tmp_path / "whole")

    def stops(stage, done, total):
        if (stage, done) == ("name", 1):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(made, tmp_path / "parts", told=stops)
    assert Checkpoints(tmp_path / "parts" / "checkpoints").newest().record["step"] < 4
    train(made, tmp_path / "parts", resume=True)
    whole, parts = (
        Checkpoints(tmp_path / name / "checkpoints").newest() for name in ("whole", "parts")
    )
    assert whole.record["step"] == parts.record["step"] == 4
    assert all(torch.equal(whole.parameters[n], p) for n, p in parts.parameters.items())


def test_the_reader_is_as_wide_and_deep_as_asked():
    text = recipe(reader=48, reader_layers=2).build().reader.config.text_config
    assert (text.hidden_size, text.num_hidden_layers) == (48, 2)


@pytest.mark.parametrize(
    "given",
    [
        {"labels": "all"},
        {"labeller": "run"},
        {"labels": "some"},
        {"queries": "two"},
        {"eventful": 0},
    ],
)
def test_options_that_do_not_fit_are_refused(given):
    with pytest.raises(UsageError, match="expected"):
        recipe(**given)


def test_fixed_labels_take_the_place_of_the_teacher_s_importance(tmp_path):
    none = dict.fromkeys(RUNGS, 0)
    few = {"folder": str(tmp_path / "films"), "films": 2, "clips": 2, "pool": 100, "batch": 2,
           "checked": 1}  # fmt: skip
    train(recipe(**few, **(none | {"name": 1})), tmp_path / "base")
    base = str(tmp_path / "base")
    made = recipe(**few, **(none | {"mutual": 1}), base=base, labels="few", labeller=base)
    train(made, tmp_path / "run")
    row = json.loads((tmp_path / "run/metrics.jsonl").read_text().splitlines()[0])
    assert row["phase"] == "mutual"
    assert math.isfinite(row["teacher_to_student"])
    assert "student_to_teacher" not in row
    assert list((tmp_path / "films").glob("labels-*.safetensors"))


def test_clips_are_shown_whole_and_asked_openly(tokenizer, reader):
    teacher = Teacher(reader, tokenizer, models.pictures(models.Sizes())[1],
                      template=words.TEMPLATE)  # fmt: skip
    clips = reading.clips(teacher, WORLD, "train", 3, lambda *_: None, most=6)
    for i in range(len(clips)):
        item = clips.load(i)
        assert len(item.seen.features.times) <= 6
        assert item.example.options == ()
        assert item.answer == item.example.answer


def test_questions_of_several_frames_come_more_often_and_numbers_equally_often():
    world = replace(WORLD, questions=24)
    asked = [
        (item, i)
        for i, clip in enumerate(world.clips("train", 300))
        for item in clip.items
        if item.kind != "said"
    ]
    evened = reading.evened(asked)
    assert len(evened) == pytest.approx(len(asked), rel=0.01)
    kinds = Counter(item.kind for item, _ in evened)
    assert {kind: round(n / kinds["digit"]) for kind, n in kinds.items()} == {
        kind: 1 if kind in reading.ALONE else reading.OFTEN for kind in VISUAL_KINDS
    }
    numbers = Counter(item.label for item, _ in evened if item.kind == "count")
    assert set(numbers) == set("1234")
    assert max(numbers.values()) - min(numbers.values()) <= 1
    assert set(evened) <= set(asked)


def test_the_whole_ladder_gives_a_student_that_selects(tmp_path):
    import hfs

    short = dict.fromkeys(RUNGS, 1)
    made = recipe(folder=str(tmp_path / "films"), films=2, fresh=1, clips=2, pool=200, batch=2,
                  checked=1, **short)  # fmt: skip
    folder = train(made, tmp_path / "run")
    rows = [json.loads(line) for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    steps = [row for row in rows if "loss" in row]
    assert [row["phase"] for row in steps] == list(short)
    assert all(math.isfinite(row["loss"]) for row in steps)
    film = next((tmp_path / f"films/train-64-0-{VERSION}").glob("*.mp4"))
    pipeline = f"trained(model={str(folder / 'student')!r})"
    question = "Which digit is shown with the red circle?"
    selection = hfs.select(film, question, budget=4, pipeline=pipeline, cache=None)
    assert isinstance(selection, Selection)
    assert len(selection.frames) == 4
    assert selection.query.get("facets")
    assert "selector=routed" in selection.pipeline
    assert selection.query.get("selector") in SELECTORS
    size = sum(f.stat().st_size for f in (folder / "student").rglob("*.safetensors"))
    assert size < 10e6
