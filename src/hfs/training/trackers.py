"""A recipe's settings -> the Accelerator, with the trackers that it asks for."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hfs.errors import FailureError, MissingExtra, UsageError
from hfs.training.recipe import Recipe

TRACKERS = {
    "tensorboard": ("tensorboard", "tensorboardX"),
    "trackio": ("trackio",),
    "wandb": ("wandb",),
}
"""Each tracker's packages, one of which must be installed."""


def accelerator_for(recipe: Recipe, out: Path) -> Any:
    """The process's part in the run, as ``accelerate launch`` and its configuration made it.

    Raises UsageError for a tracker that is not known, FailureError for one that is not installed.
    """
    wanted = recipe.run.log_with
    if wanted is not None:
        check(wanted)
    if find_spec("accelerate") is None:
        raise MissingExtra("training", "accelerate", "train")
    from accelerate import Accelerator, DistributedDataParallelKwargs
    from accelerate.state import AcceleratorState, PartialState

    if AcceleratorState._shared_state and PartialState().num_processes == 1:
        AcceleratorState._reset_state()  # of an earlier run in this process, maybe less precise
    accelerator = Accelerator(
        mixed_precision=recipe.run.precision,
        log_with=wanted,
        project_dir=str(out),
        # phases differ in what they learn, so some parameters have no gradient in some of them
        kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)],
        step_scheduler_with_optimizer=False,
    )
    if wanted is not None:
        accelerator.init_trackers("hfs", config={"recipe": recipe.spec, "seed": recipe.run.seed})
    return accelerator


def check(tracker: str) -> None:
    """Raises UsageError where it is not known, FailureError where it is not installed."""
    if tracker not in TRACKERS:
        raise UsageError(f"expected log_with to be one of {', '.join(TRACKERS)}, got {tracker!r}")
    packages = TRACKERS[tracker]
    if not any(find_spec(package) for package in packages):
        raise FailureError(
            f"log_with={tracker} needs the package '{packages[0]}', which is not installed: "
            f"pip install {packages[0]}, or leave log_with out: metrics.jsonl is always written"
        )
