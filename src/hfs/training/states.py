"""A learner and its optimizer, as accelerate wraps them -> rates, steps, checkpoints and back.

Parameters have the names that they have in the learner, whatever wraps it. A group that a phase
gives no rate has no gradient there and keeps its moments.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from hfs.errors import FailureError, UsageError
from hfs.training import sharded
from hfs.training.checkpoint import Checkpoint, Checkpoints, flatten, unflatten
from hfs.training.recipe import Learner, Phase, Recipe


@dataclass(frozen=True)
class Trained:
    """What is learned in a run."""

    recipe: Recipe
    accelerator: Any
    learner: Learner
    model: Any
    """The learner as accelerate wraps it: what is called."""
    optimizer: Any
    names: Mapping[nn.Parameter, str]
    """Of the parameters that may learn."""

    @staticmethod
    def of(recipe: Recipe, accelerator: Any) -> "Trained":
        """The recipe's models, frozen but for their groups, on the accelerator's device."""
        learner = recipe.build()
        groups = {name: list(params) for name, params in learner.groups().items()}
        _check(recipe, groups)
        learner.requires_grad_(False)
        for params in groups.values():
            for parameter in params:
                parameter.requires_grad_(True)
                parameter.data = parameter.data.float()  # small steps vanish in lower precision
        learned = {name for name, p in learner.named_parameters() if p.requires_grad}
        split = [part for name, params in groups.items() for part in _split(name, params, recipe)]
        optimizer = torch.optim.AdamW(split, lr=0.0)
        learner.train()
        model, wrapped = accelerator.prepare(learner, optimizer)
        plain = ((sharded.plain_name(name), p) for name, p in model.named_parameters())
        names = {p: name for name, p in plain if name in learned}
        if sharded.is_sharded(accelerator):
            sharded.begin(wrapped)
        return Trained(recipe, accelerator, learner, model, wrapped, names)

    def rates(self, phase: Phase, factor: float) -> None:
        """Set every group's learning rate to the phase's own, times the schedule's factor."""
        for group in self.optimizer.param_groups:
            group["lr"] = phase.rates.get(group["name"], 0.0) * factor

    def clipped(self, phase: Phase, clip: float) -> float:
        """Clip the gradients of the groups that learn; gives their norm before that."""
        for group in self.optimizer.param_groups:
            if group["name"] not in phase.rates:
                for parameter in group["params"]:
                    parameter.grad = None
        norm = self.accelerator.clip_grad_norm_(self.model.parameters(), clip)
        return 0.0 if norm is None else float(norm)

    def apply(self) -> None:
        """Move the parameters by their gradients, and forget these."""
        self.optimizer.step()
        self.optimizer.zero_grad()

    def checkpoint(self, kept: Checkpoints, step: int) -> None:
        """Keep the state after ``step`` steps of the run; the main process writes."""
        parameters, moments = self._parameters(), self._moments()
        record = {"step": step, "recipe": self.recipe.spec, "seed": self.recipe.run.seed}
        if self.accelerator.is_main_process:
            kept.save(step, Checkpoint(record, parameters, flatten(moments)))
        self.accelerator.wait_for_everyone()

    def restore(self, found: Checkpoint) -> int:
        """Take over a checkpoint; gives the steps that were done."""
        own = {name: parameter for parameter, name in self.names.items()}
        if set(own) != set(found.parameters):
            odd = sorted(set(own) ^ set(found.parameters))
            raise FailureError(
                f"expected a checkpoint of these models, got one that differs in {odd[0]} "
                f"({len(odd)} parameters in all): begin anew with another --out"
            )
        state = unflatten(found.optimizer)
        if sharded.is_sharded(self.accelerator):
            sharded.restore(self.accelerator, self.model, self.optimizer, found.parameters, state)
            return int(found.record["step"])
        with torch.no_grad():
            for name, tensor in found.parameters.items():
                own[name].copy_(tensor)
        for name, values in state.items():
            where = own[name].device
            self.optimizer.state[own[name]] = {
                key: value if key == "step" else value.to(where) for key, value in values.items()
            }
        return int(found.record["step"])

    def _parameters(self) -> dict[str, Tensor]:
        if sharded.is_sharded(self.accelerator):
            return sharded.parameters(self.accelerator, self.model, set(self.names.values()))
        return {name: parameter.detach() for parameter, name in self.names.items()}

    def _moments(self) -> dict[str, dict[str, Any]]:
        if sharded.is_sharded(self.accelerator):
            return sharded.moments(self.accelerator, self.model, self.optimizer)
        state = self.optimizer.state
        return {name: state[p] for p, name in self.names.items() if p in state}

    def save(self, folder: Path, facts: Mapping[str, Any]) -> None:
        """Write the models, from the main process; of sharded ones, by way of new whole ones."""
        learner = self.learner
        if sharded.is_sharded(self.accelerator):
            learned = self._parameters()
            if self.accelerator.is_main_process:
                learner = self.recipe.build()
                learner.load_state_dict(learned, strict=False)
        if self.accelerator.is_main_process:
            learner.save(folder, facts)
        self.accelerator.wait_for_everyone()


def _split(name: str, params: list[nn.Parameter], recipe: Recipe) -> list[dict[str, Any]]:
    """A group's matrices, which decay, and its vectors, which do not."""
    wide = [p for p in params if p.ndim >= 2]
    rest = [p for p in params if p.ndim < 2]
    decayed = {"name": name, "params": wide, "weight_decay": recipe.run.decay}
    plain = {"name": name, "params": rest, "weight_decay": 0.0}
    return [group for group in (decayed, plain) if group["params"]]


def _check(recipe: Recipe, groups: Mapping[str, list[nn.Parameter]]) -> None:
    for phase in recipe.phases:
        if unknown := set(phase.rates) - set(groups):
            raise UsageError(
                f"expected learning rates for {', '.join(groups)}, got one for "
                f"{', '.join(sorted(unknown))} in the phase {phase.name!r}"
            )
        if unknown := set(phase.compiled) - set(groups):
            raise UsageError(
                f"expected groups to compile among {', '.join(groups)}, got "
                f"{', '.join(sorted(unknown))} in the phase {phase.name!r}"
            )
