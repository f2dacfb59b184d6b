"""The name of a pretrained model -> its files on this machine, and what they hold, ready to run.

The one place that loads weights. A model is a local folder, ``owner/name`` on the Hugging Face hub,
or ``owner/name@revision``; a full commit hash as revision pins it. Weights are safetensors only,
and no code of a checkpoint is ever run.
"""

import hashlib
import importlib
import importlib.util
import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from hfs.errors import MissingExtra, UsageError, WeightsError

log = logging.getLogger(__name__)

FILES = ("*.json", "*.jinja", "*.model", "*.txt", "model*.safetensors")
"""What a model is made of: configuration, tokenizer, chat template, weights."""

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def folder(model: str) -> Path:
    """The folder that holds a model's files, fetched from the hub where it is not here yet.

    Raises WeightsError where there are none to be had, MissingExtra without transformers.
    """
    local = Path(model).expanduser()
    if local.is_dir():
        if not any(local.glob("model*.safetensors")):
            raise WeightsError(
                f"expected a folder with config.json and model.safetensors, got {local}: "
                "save the model with save_pretrained, which writes safetensors"
            )
        return local.resolve()
    if model.startswith((".", "/", "~")):
        raise WeightsError(
            f"expected a model's folder or its name on the hub, got {model}: no such folder"
        )
    snapshot_download = _module("huggingface_hub").snapshot_download
    name, _, revision = model.partition("@")
    try:
        found = snapshot_download(name, revision=revision or "main", allow_patterns=list(FILES))
    except Exception as error:  # whatever network, hub or disk may raise
        at = f" --revision {revision}" if revision else ""
        raise WeightsError(
            f"expected the weights of {model} in the hub's cache or on the hub, got neither "
            f"({_reason(error)}): fetch them with 'hf download {name}{at}', "
            "or name a local folder, model='DIR'"
        ) from error
    return Path(found)


def available(model: str, *, timeout_seconds: float = 5.0) -> bool:
    """Whether the weights are here, or the hub says within that time that it has them.

    Never waits longer, whatever the network does; False without transformers.
    """
    if importlib.util.find_spec("transformers") is None:
        return False
    local = Path(model).expanduser()
    if local.is_dir():
        return any(local.glob("model*.safetensors"))
    if _cached(model):
        return True
    answers: list[bool] = []
    ask = threading.Thread(
        target=lambda: answers.append(_on_hub(model, timeout_seconds)),
        daemon=True,  # looking a host up has no time limit of its own
    )
    ask.start()
    ask.join(timeout_seconds)
    return any(answers)


def _cached(model: str) -> bool:
    name, _, revision = model.partition("@")
    try:
        found = _module("huggingface_hub").snapshot_download(
            name, revision=revision or "main", allow_patterns=list(FILES), local_files_only=True
        )
    except (OSError, ValueError):
        return False
    return any(Path(found).glob("model*.safetensors"))


def _on_hub(model: str, timeout_seconds: float) -> bool:
    name, _, revision = model.partition("@")
    try:
        _module("huggingface_hub").HfApi().model_info(
            name, revision=revision or "main", timeout=timeout_seconds
        )
    except Exception as error:  # any answer but the model's is a no
        log.info("the hub does not offer %s: %s", model, _reason(error))
        return False
    return True


def revision_of(folder: Path) -> str:
    """The commit of a hub snapshot; of any other folder, a sha256 over all that is read from it."""
    if folder.parent.name == "snapshots" and re.fullmatch("[0-9a-f]{40}", folder.name):
        return folder.name
    digest = hashlib.sha256()
    for path in sorted(path for pattern in FILES for path in folder.glob(pattern)):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        digest.update(f"{path.name} {content}\n".encode())
    return digest.hexdigest()


def pick_device(name: str) -> torch.device:
    """``auto`` is the accelerator where there is one; any other name is taken at its word.

    Raises UsageError for a device that this machine lacks.
    """
    here = ["cpu"]
    if torch.backends.mps.is_available():
        here.insert(0, "mps")
    if torch.cuda.is_available():
        here.insert(0, "cuda")
    if name == "auto":
        return torch.device(here[0])
    if not re.fullmatch(rf"({'|'.join(here)})(:\d+)?", name):
        raise UsageError(
            f"expected a device of this machine (auto, {', '.join(here)}), got {name!r}"
        )
    return torch.device(name)


def pick_dtype(name: str, device: torch.device) -> torch.dtype:
    """``auto`` is bfloat16 where the device computes in it natively, else float32.

    Measured on a CPU with AVX512-BF16: 1.5 to 2.3 times the frames a second of float32.
    """
    if name in DTYPES:
        return DTYPES[name]
    if name != "auto":
        raise UsageError(f"expected a dtype of auto, {', '.join(DTYPES)}, got {name!r}")
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        cpu = getattr(torch.cpu, "get_capabilities", dict)()  # absent from older releases
        native = device.type == "cpu" and (cpu.get("avx512_bf16") or cpu.get("amx_bf16"))
    return torch.bfloat16 if native else torch.float32


def load_model(
    folder: Path,
    auto: str = "AutoModel",
    *,
    device: torch.device,
    dtype: torch.dtype,
    device_map: str | None = None,
) -> Any:
    """The model in a folder, frozen, by one of transformers' Auto classes.

    With ``device_map`` (``auto``, ``balanced``) accelerate spreads its layers over the machine's
    accelerators, and ``device`` is not used. Raises MissingExtra without accelerate, and
    WeightsError where a weight is missing: it would have been drawn at random.
    """
    kind = getattr(_module("transformers"), auto)
    if device_map is not None and importlib.util.find_spec("accelerate") is None:
        raise MissingExtra("a device map", "accelerate", "train")
    with _explained(folder), _without_bars():
        model, report = kind.from_pretrained(
            folder,
            dtype=dtype,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            output_loading_info=True,
            device_map=device_map,
        )
    if missing := sorted(report["missing_keys"]):
        raise WeightsError(
            f"expected every weight of {type(model).__name__} in {folder}, got none for "
            f"{', '.join(missing[:3])} ({len(missing)} in all): fetch the model again"
        )
    model = model.eval().requires_grad_(False)
    return model if device_map is not None else model.to(device)


def load_tokenizer(folder: Path) -> Any:
    """The tokenizer in a folder."""
    kind = _module("transformers").AutoTokenizer
    with _explained(folder):
        return kind.from_pretrained(folder, local_files_only=True, trust_remote_code=False)


def load_image_processor(folder: Path) -> Any:
    """The image processor in a folder, in its Pillow form.

    It is the one that gives the same pixels whether torchvision is installed or not.
    """
    kind = _module("transformers").AutoImageProcessor
    with _explained(folder):
        return kind.from_pretrained(
            folder, backend="pil", local_files_only=True, trust_remote_code=False
        )


def load_config(folder: Path) -> Any:
    """The configuration in a folder."""
    kind = _module("transformers").AutoConfig
    with _explained(folder):
        return kind.from_pretrained(folder, local_files_only=True, trust_remote_code=False)


def load_processor(folder: Path, *, videos: bool = False) -> Any:
    """The processor of a multimodal model: its chat template, tokenizer, and pictures by Pillow.

    With ``videos`` also its video processor, for which transformers needs torchvision. Raises
    WeightsError where the model has no processor, MissingExtra without torchvision.
    """
    if videos and importlib.util.find_spec("torchvision") is None:
        raise MissingExtra("a model's video processor", "torchvision", "video")
    config = load_config(folder)
    kinds = _module("transformers.models.auto.processing_auto").PROCESSOR_MAPPING
    with _explained(folder):
        kind = kinds[type(config)]
        parts = [_part(name, folder, videos=videos) for name in kind.get_attributes()]
        settings, _ = kind.get_processor_dict(folder, local_files_only=True)
        return (kind if videos else _for_pictures(kind)).from_args_and_dict(parts, settings)


def _part(name: str, folder: Path, *, videos: bool) -> Any:
    if name == "tokenizer":
        return load_tokenizer(folder)
    if name == "image_processor":
        return load_image_processor(folder)
    if name == "video_processor":
        kind = _module("transformers").AutoVideoProcessor
        return kind.from_pretrained(folder, local_files_only=True) if videos else None
    raise ValueError(f"a processor with the part {name}, which is for neither text nor pictures")


def _for_pictures(kind: type) -> type:
    """The processor's class, content to have no video processor."""

    def check(self: Any, name: str, part: Any) -> Any:
        return None if part is None else kind.check_argument_for_proper_class(self, name, part)  # pyright: ignore[reportAttributeAccessIssue]

    return type(kind.__name__, (kind,), {"check_argument_for_proper_class": check})


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingExtra("a pretrained model", "transformers", "models") from error


def save(model: Any, folder: Path) -> None:
    """A model's weights and configuration, with no word of it on the terminal."""
    with _without_bars(), _without_warnings_of_defaults():
        model.save_pretrained(folder)


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        with _without_warnings_of_defaults():
            yield
    except Exception as error:  # a broken or foreign checkpoint can raise anything
        raise WeightsError(
            f"expected a model that transformers can load in {folder}, got {_reason(error)}: "
            "fetch the model again, or name another"
        ) from error


@contextmanager
def _without_warnings_of_defaults() -> Iterator[None]:
    """transformers shows a configuration by its difference from the default one of its class, and
    SigLIP's default, with token ids beyond its vocabulary, is warned of though nobody uses it."""
    configurations = logging.getLogger("transformers.configuration_utils")

    def usual(record: logging.LogRecord) -> bool:
        return "_token_id must be `None` or an integer within" not in record.getMessage()

    configurations.addFilter(usual)
    try:
        yield
    finally:
        configurations.removeFilter(usual)


@contextmanager
def _without_bars() -> Iterator[None]:
    """Local weights take a moment; a progress bar of theirs would only clutter the caller's."""
    logging = _module("transformers.utils.logging")
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _reason(error: Exception) -> str:
    """An error on one line."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 300 else f"{text[:300]}..."
