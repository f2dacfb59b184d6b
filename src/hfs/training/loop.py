"""A recipe -> trained models: phases of steps, on one process or many, resumable at any moment.

accelerate places the models, reduces gradients and computes in bfloat16 where asked. Each example
counts the same: a step's loss is the sum over its batch divided by the batch's size, however the
batch is cut into processes and micro batches, and however long an answer is.

Everything random is a pure function of (seed, phase, step, place in the batch), and dropout of
(seed, phase, step, process, micro batch): so a run that was killed and resumed is bit for bit the
run that was not, and, without dropout, two processes compute what one does, up to rounding.

FSDP and DeepSpeed come from accelerate's configuration alone (`hfs.training.sharded`); we have run
one process and data parallelism over gloo, on CPUs, and neither of those two.
"""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from hfs.errors import FailureError, UsageError
from hfs.training.batches import Loader, Micro, Shares
from hfs.training.checkpoint import Checkpoint, Checkpoints
from hfs.training.compiling import compiled
from hfs.training.metrics_log import MetricsLog
from hfs.training.provenance import commit
from hfs.training.recipe import Moment, Outcome, Phase, Recipe, Told, mix
from hfs.training.states import Trained
from hfs.training.trackers import accelerator_for


def train(recipe: Recipe, out: Path, *, resume: bool = False, told: Told | None = None) -> Path:
    """Run what is left of a recipe and write its models to ``out/models``, which is returned.

    Raises UsageError where ``out`` holds a run that was not to be resumed, or another one;
    FailureError, naming the examples, where a loss is no number: the last checkpoint stays whole.
    """
    told = told or (lambda stage, done, total: None)
    kept = Checkpoints(out / "checkpoints", keep=recipe.run.keep)
    found = _found(kept, recipe, out, resume)
    trained = Trained.of(recipe, accelerator_for(recipe, out))
    done = 0 if found is None else trained.restore(found)
    log = MetricsLog(out / "metrics.jsonl", trained.accelerator, since=done)
    begun = 0
    for phase in recipe.phases:
        if done < begun + phase.steps:
            _phase(phase, trained, kept, log, begun, max(done - begun, 0), told)
        if phase.check is not None and done <= begun + phase.steps:
            with trained.accelerator.main_process_first():  # it may look at videos, and keep that
                figures = _checked(phase, trained)
            log.add(begun + phase.steps, f"{phase.name} check", figures)
        begun += phase.steps
    facts = {
        "recipe": recipe.spec,
        "steps": begun,
        "seed": recipe.run.seed,
        "commit": commit(),
        "figures": log.last(),
    }
    trained.save(out / "models", facts)
    trained.accelerator.end_training()
    return out / "models"


def _phase(
    phase: Phase,
    trained: Trained,
    kept: Checkpoints,
    log: MetricsLog,
    begun: int,
    done: int,
    told: Told,
) -> None:
    """A phase's steps from ``done`` on; ``begun`` steps of the run came before it."""
    run, accelerator = trained.recipe.run, trained.accelerator
    with accelerator.main_process_first():
        source = trained.recipe.data[phase.data](trained.learner, told)
    if len(source) == 0:
        raise UsageError(f"expected examples for the phase {phase.name!r}, got none")
    shares = Shares(phase.batch, accelerator.process_index, accelerator.num_processes, run.micro)
    accelerator.gradient_accumulation_steps, accelerator.step = shares.micros, 0
    loader = Loader(source, shares, seed=run.seed, first=done, steps=phase.steps)
    with loader, compiled(trained.learner, phase.compiled):
        examples = iter(loader)
        for step in range(done, phase.steps):
            clock = time.perf_counter()
            trained.rates(phase, phase.schedule.at(step, phase.steps).lr_factor)
            micros = islice(examples, shares.micros)
            figures = _step(phase, trained, shares, loader.names(step), micros, step)
            log.add(begun + step, phase.name, {**figures, "seconds": time.perf_counter() - clock})
            told(phase.name, step + 1, phase.steps)
            if (step + 1) % run.every == 0 or step + 1 == phase.steps:
                trained.checkpoint(kept, begun + step + 1)


def _checked(phase: Phase, trained: Trained) -> dict[str, float]:
    """The phase's own judgement of the models, in evaluation mode and without gradient."""
    assert phase.check is not None
    trained.learner.eval()
    try:
        with torch.no_grad(), _random(mix(trained.recipe.run.seed, phase.name, "check")):
            return dict(phase.check(trained.learner))
    finally:
        trained.learner.train()


def _step(
    phase: Phase,
    trained: Trained,
    shares: Shares,
    names: list[str],
    micros: Iterator[Micro],
    step: int,
) -> dict[str, float]:
    """One step of the optimizer; the figures of its whole batch, whose examples have ``names``."""
    accelerator, run = trained.accelerator, trained.recipe.run
    # backward() divides by the micro batches, and processes are averaged
    share = shares.micros * shares.processes / phase.batch
    found: list[tuple[tuple[int, ...], dict[str, Tensor]]] = []
    for number, (places, examples) in enumerate(micros):
        at = Moment(phase, step, run.seed, places)
        noise = mix(run.seed, phase.name, step, shares.process, number)
        with accelerator.accumulate(trained.model), _random(noise):
            outcome: Outcome = trained.model(examples, at)
            accelerator.backward(outcome.loss.sum() * share)
        found.append((places, {"loss": outcome.loss.detach(), **outcome.parts}))
    figures = _means([parts for _, parts in found], accelerator, phase.batch)
    if not math.isfinite(figures["loss"]):
        _stop("a finite loss", _odd(found, names, accelerator), phase, step)
    figures["gradient"] = trained.clipped(phase, run.clip)
    if not math.isfinite(figures["gradient"]):
        _stop("finite gradients", names, phase, step)
    trained.apply()
    return figures


def _means(found: list[dict[str, Tensor]], accelerator: Any, batch: int) -> dict[str, float]:
    """Each part's mean over the whole batch, all processes' examples included."""
    names = list(found[0])
    sums = torch.stack(
        [torch.stack([p[name].float().sum() for p in found]).sum() for name in names]
    )
    total = accelerator.reduce(sums, reduction="sum")
    return {name: value / batch for name, value in zip(names, total.tolist(), strict=True)}


def _odd(
    found: list[tuple[tuple[int, ...], dict[str, Tensor]]], names: list[str], accelerator: Any
) -> list[str]:
    """The examples whose loss is no number, whichever process holds them."""
    from accelerate.utils import gather_object

    mine = [
        names[place]
        for places, parts in found
        for place, fine in zip(places, parts["loss"].isfinite().tolist(), strict=True)
        if not fine
    ]
    return list(gather_object(mine)) if accelerator.num_processes > 1 else mine


def _stop(wanted: str, names: list[str], phase: Phase, step: int) -> None:
    raise FailureError(
        f"expected {wanted} in step {step} of the phase {phase.name!r}, got none with the examples "
        f"{', '.join(names)}: look at these, or lower the learning rate; the last checkpoint is "
        "whole, and --resume goes on from it"
    )


def _found(kept: Checkpoints, recipe: Recipe, out: Path, resume: bool) -> Checkpoint | None:
    """The checkpoint to go on from."""
    if not resume:
        if kept.steps():
            raise UsageError(
                f"expected a folder without a run, got {out}, which holds one: "
                "go on with it by --resume, or choose another --out"
            )
        return None
    found = kept.newest()
    if found is not None and found.record["recipe"] != recipe.spec:
        raise UsageError(
            f"expected to resume {found.record['recipe']!r}, which {out} holds, got "
            f"{recipe.spec!r}: give the same options, or choose another --out"
        )
    return found


@contextmanager
def _random(seed: int) -> Iterator[None]:
    """What libraries draw from the global generators (dropout) depends on the seed alone."""
    here = [torch.cuda.current_device()] if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices=here):
        torch.manual_seed(seed)
        yield
