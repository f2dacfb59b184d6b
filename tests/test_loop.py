"""Runs are repeatable, resumable at any step and whatever the batch is cut into; NaN stops them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import toy_recipe
from safetensors.torch import load_file
from torch import Tensor

from hfs.errors import FailureError, UsageError
from hfs.training import loop
from hfs.training.batches import Loader, Order, Shares
from hfs.training.loop import train
from hfs.training.recipe import Learner, Phase, Recipe


def toy(**options) -> Recipe:
    run = options.pop("run", {})
    made = toy_recipe.recipe(**options)
    return replace(made, run=replace(made.run, **run), spec=f"toy({options})")


def records(out: Path) -> list[dict[str, float]]:
    lines = (out / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in lines]


def learned(out: Path) -> dict[str, Tensor]:
    return load_file(out / "models" / "toy.safetensors")


def same(a: Path, b: Path) -> bool:
    return records(a) == records(b) and all(
        torch.equal(x, y) for x, y in zip(learned(a).values(), learned(b).values(), strict=True)
    )


def test_a_run_learns_logs_every_step_and_keeps_the_newest_checkpoints(tmp_path):
    told: list[tuple[str, int, int]] = []
    recipe = toy(steps=60, batch=10, rate=0.05)
    train(recipe, tmp_path, told=lambda *what: told.append(what))
    found = records(tmp_path)
    assert [r["step"] for r in found] == list(range(60))
    assert {r["phase"] for r in found} == {"warm-up", "both"}
    assert found[-1]["loss"] < 0.2 * found[0]["loss"]
    assert min(found[0]["error"], found[0]["gradient"]) > 0
    assert sorted(p.name for p in (tmp_path / "checkpoints").iterdir()) == ["00000058", "00000060"]
    assert (told[0], told[-1]) == (("warm-up", 1, 30), ("both", 30, 30))


def test_a_group_without_a_rate_does_not_move(tmp_path):
    before = toy_recipe.Toy(0.0).state_dict()
    recipe = toy(steps=2, batch=4)
    train(replace(recipe, phases=recipe.phases[:1]), tmp_path)
    after = learned(tmp_path)
    assert torch.equal(before["first.0.weight"], after["first.0.weight"])
    assert not torch.equal(before["second.weight"], after["second.weight"])


def test_layers_are_compiled_for_the_phases_that_name_them_alone(tmp_path, monkeypatch):
    asked: list[tuple[str, ...]] = []

    @contextmanager
    def compiled(learner: Learner, groups: tuple[str, ...]) -> Iterator[None]:
        asked.append(groups)
        yield

    monkeypatch.setattr(loop, "compiled", compiled)
    recipe = toy()
    train(replace(recipe, phases=(replace(recipe.phases[0], compiled=("first",)),
                                  recipe.phases[1])), tmp_path)  # fmt: skip
    assert asked == [("first",), ()]


def test_the_same_seed_gives_the_same_run_and_another_seed_another(tmp_path):
    a, b, c = (tmp_path / name for name in "abc")
    for out, seed in ((a, 0), (b, 0), (c, 1)):
        train(toy(dropout=0.5, run={"seed": seed}), out)
    assert same(a, b)
    assert not same(a, c)


@pytest.mark.parametrize("stop", [2, 3, 4, 6])
def test_a_run_stopped_after_any_checkpoint_goes_on_bit_for_bit(tmp_path, stop):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    recipe = toy(dropout=0.5)
    train(recipe, whole)

    class Stopped(Exception):
        pass

    def stopping(phase: str, done: int, total: int) -> None:
        steps = done + (3 if phase == "both" else 0)
        if steps > stop or (steps == stop == 6):
            raise Stopped

    with pytest.raises(Stopped):
        train(recipe, cut, told=stopping)
    train(recipe, cut, resume=True)
    assert same(whole, cut)


def test_micro_batches_change_nothing_but_rounding(tmp_path):
    outs = [tmp_path / str(micro) for micro in (1, 3, 4)]
    for out, micro in zip(outs, (1, 3, 4), strict=True):
        train(toy(run={"micro": micro}), out)
    for out in outs[1:]:
        for a, b in zip(records(outs[0]), records(out), strict=True):
            assert a["loss"] == pytest.approx(b["loss"], rel=1e-5)
            assert a["gradient"] == pytest.approx(b["gradient"], rel=1e-4)


def test_bf16_runs_and_stays_near_float32(tmp_path):
    train(toy(), tmp_path / "full")
    train(toy(run={"precision": "bf16"}), tmp_path / "half")
    a, b = (records(tmp_path / name)[-1]["loss"] for name in ("full", "half"))
    assert a != b
    assert a == pytest.approx(b, rel=0.05)


def test_a_loss_that_is_no_number_stops_with_the_example_named_and_the_checkpoint_whole(tmp_path):
    good, bad = toy(), toy(bad=3)
    first = next(s for s in range(6) if 3 in Order(toy_recipe.SIZE, 0, 4)(s % 3))
    with pytest.raises(FailureError, match=rf"finite loss in step {first} .*examples item-3:"):
        train(bad, tmp_path)
    done = first // 2 * 2
    train(replace(good, spec=bad.spec), tmp_path, resume=True)
    train(good, tmp_path / "good")
    assert same(tmp_path, tmp_path / "good")
    assert done <= first


def test_a_gradient_that_is_no_number_stops_with_the_batch_named(tmp_path):
    recipe = toy()
    phase = replace(recipe.phases[1], task=Steep(), steps=1)
    with pytest.raises(FailureError, match=r"finite gradients in step 0 .*item-\d, item-\d"):
        train(replace(recipe, phases=(phase,)), tmp_path)


class Steep(toy_recipe.Sums):
    """The derivative of a square root at 0 is infinite."""

    def __call__(self, models, examples, at):
        loss = super().__call__(models, examples, at).loss
        return toy_recipe.Outcome(loss + (0 * loss).sqrt(), {})


def test_a_folder_that_holds_a_run_is_not_overwritten_nor_resumed_by_another(tmp_path):
    train(toy(), tmp_path)
    with pytest.raises(UsageError, match="go on with it by --resume, or choose another --out"):
        train(toy(), tmp_path)
    with pytest.raises(UsageError, match=r"expected to resume 'toy\({}\)'.* got .*'rate'"):
        train(toy(rate=0.5), tmp_path, resume=True)


def test_resuming_a_finished_run_writes_the_same_models_again(tmp_path):
    train(toy(), tmp_path)
    before, lines = learned(tmp_path), records(tmp_path)
    train(toy(), tmp_path, resume=True)
    assert lines == records(tmp_path)
    assert all(torch.equal(before[k], v) for k, v in learned(tmp_path).items())


def test_what_is_missing_from_a_recipe_is_said(tmp_path):
    recipe = toy()
    with pytest.raises(UsageError, match="rates for first, second, got one for third"):
        train(replace(recipe, phases=(replace(recipe.phases[0], rates={"third": 1.0}),)), tmp_path)
    with pytest.raises(UsageError, match="compile among first, second, got third"):
        train(replace(recipe, phases=(replace(recipe.phases[0], compiled=("third",)),)), tmp_path)
    with pytest.raises(UsageError, match="phases of different names"):
        replace(recipe, phases=recipe.phases * 2)
    with pytest.raises(UsageError, match="data named train, got test"):
        replace(recipe, data={"test": recipe.data["train"]})
    with pytest.raises(UsageError, match="trackio, wandb, got 'paper'"):
        train(toy(run={"log_with": "paper"}), tmp_path)
    with pytest.raises(FailureError, match="log_with=wandb needs the package 'wandb'"):
        train(toy(run={"log_with": "wandb"}), tmp_path)


def test_a_check_judges_the_models_at_the_end_of_its_phase(tmp_path):
    recipe = toy()
    judged: Phase = replace(recipe.phases[0], check=lambda models: {"weights": 2.0})
    train(replace(recipe, phases=(judged, recipe.phases[1])), tmp_path)
    assert {"step": 3, "phase": "warm-up check", "weights": 2.0} in records(tmp_path)


@pytest.mark.parametrize("lengths", [(), (3, 9, 4, 1, 9, 9, 2, 7, 5, 5)])
def test_every_epoch_holds_every_example_once_whatever_the_batch(lengths):
    for batch in (1, 3, 7, 25):
        steps = -(-20 // batch)
        drawn = [i for step in range(steps) for i in Order(10, 5, batch, lengths)(step)]
        assert sorted(drawn[:10]) == sorted(drawn[10:20]) == list(range(10))
        assert drawn[:10] != drawn[10:20]
    assert Order(10, 5, 10)(0) != Order(10, 6, 10)(0)


def test_batches_of_a_source_that_knows_its_lengths_are_of_examples_about_as_long():
    lengths = [
        int(n) for n in torch.randint(2, 60, (500,), generator=torch.Generator().manual_seed(0))
    ]

    def padded(order):
        steps = [[lengths[i] for i in order(step)] for step in range(150)]
        return sum(max(ns) * len(ns) for ns in steps) / sum(sum(ns) for ns in steps)

    alike, mixed = Order(500, 5, 8, lengths), Order(500, 5, 8)
    assert padded(alike) < 1.1  # an epoch ends within a batch, which is then of two kinds
    assert padded(mixed) > 1.5
    longest = [max(lengths[i] for i in alike(step)) for step in range(16)]
    assert longest != sorted(longest)


def test_the_loader_asks_the_source_for_its_lengths():
    class Long:
        lengths = (9, 1, 9, 1, 9, 1)

        def __len__(self):
            return 6

        def name(self, index):
            return str(index)

        def load(self, index):
            return self.lengths[index]

    with Loader(Long(), Shares(3, 0, 1, 3), seed=0, first=0, steps=2) as loader:
        assert sorted(examples for _, examples in loader) == [[1, 1, 1], [9, 9, 9]]


def test_shares_cut_a_batch_into_every_place_once():
    cuts = [Shares(12, process, 3, micro=3).places for process in range(3)]
    assert [place for cut in cuts for part in cut for place in part] == list(range(12))
    assert [len(part) for cut in cuts for part in cut] == [2] * 6
    with pytest.raises(UsageError, match="batch that 5 processes share evenly, got 12"):
        Shares(12, 0, 5, micro=3)
