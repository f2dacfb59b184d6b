"""A sharded model and its optimizer <-> whole tensors by parameter name, as checkpoints keep them.

FSDP (1 with ``use_orig_params``, or 2) spreads every tensor over the processes; all of them take
part in gathering, and the main one has the result. DeepSpeed keeps its moments to itself, in files
that are pickled, so a run under it keeps parameters alone and begins its moments anew when it is
resumed, with a warning.
"""

import logging
from collections.abc import Mapping, Set
from typing import Any

import torch
from torch import Tensor, nn

log = logging.getLogger(__name__)

WRAPPERS = ("_fsdp_wrapped_module.", "_checkpoint_wrapped_module.", "_orig_mod.", "module.")
"""What wrapping puts into the names of parameters."""


def plain_name(name: str) -> str:
    """The parameter's name in the learner, whatever wraps it."""
    for wrapper in WRAPPERS:
        name = name.replace(wrapper, "")
    return name


def is_sharded(accelerator: Any) -> bool:
    """Whether a process holds only a part of each tensor."""
    return str(accelerator.distributed_type).rpartition(".")[2] in ("FSDP", "DEEPSPEED")


def parameters(accelerator: Any, model: nn.Module, learned: Set[str]) -> dict[str, Tensor]:
    """What is learned, whole, in the main process; every process must call."""
    whole = accelerator.get_state_dict(model) or {}
    named = {plain_name(name): tensor for name, tensor in whole.items()}
    return {name: tensor for name, tensor in named.items() if name in learned}


def moments(accelerator: Any, model: nn.Module, optimizer: Any) -> dict[str, dict[str, Any]]:
    """The optimizer's state by parameter name, whole, in the main process; every one must call."""
    if "DEEPSPEED" in str(accelerator.distributed_type):
        return {}
    from torch.distributed.checkpoint import state_dict

    options = state_dict.StateDictOptions(full_state_dict=True, cpu_offload=True)
    found: Any = state_dict.get_optimizer_state_dict(model, _inner(optimizer), options=options)
    return {plain_name(str(name)): dict(values) for name, values in found["state"].items()}


def restore(
    accelerator: Any,
    model: nn.Module,
    optimizer: Any,
    kept: Mapping[str, Tensor],
    state: Mapping[str, Mapping[str, Tensor]],
) -> None:
    """Give every process its part of what was kept; all of them have the whole at hand."""
    from torch.distributed.checkpoint import state_dict

    options = state_dict.StateDictOptions(full_state_dict=True, cpu_offload=True, strict=False)
    tensors: Any = dict(kept)
    state_dict.set_model_state_dict(model, tensors, options=options)
    if "DEEPSPEED" in str(accelerator.distributed_type):
        log.warning("the optimizer's moments begin anew: DeepSpeed keeps them to itself")
        return
    inner = _inner(optimizer)
    whole: Any = state_dict.get_optimizer_state_dict(model, inner, options=options)
    whole["state"] = {name: dict(values) for name, values in state.items()}
    state_dict.set_optimizer_state_dict(model, inner, whole, options=options)


def begin(optimizer: Any) -> None:
    """Give every parameter its moments of 0, since a state with gaps cannot be spread again."""
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            parameter.grad = torch.zeros_like(parameter)
    optimizer.step()  # every rate is still 0
    optimizer.zero_grad()


def _inner(optimizer: Any) -> Any:
    return getattr(optimizer, "optimizer", optimizer)
