"""A student <-> a folder: config.json, model.safetensors, the tokenizer and a model card.

Where the language model is known by name, the folder holds only adapters and new weights. Weights
are safetensors and every one is accounted for; nothing in a folder is run.
"""

import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from hfs import hub, model_card
from hfs.adapters import MARK
from hfs.errors import FailureError, OutputError, UsageError, WeightsError
from hfs.student_config import HFSStudentConfig

Student = Any
"""`hfs.student.HFSStudent`, which is built on this."""

WEIGHTS, CARD = "model.safetensors", "README.md"


def save(
    student: Student, folder: Path, *, state_dict: dict[str, Tensor] | None, card: str
) -> None:
    """Write the student; a new folder appears whole, in an old one each file is replaced whole.

    Raises OutputError where it cannot be written.
    """
    text = card or student.card or model_card.card(student.config.to_dict())
    student.config.architectures = [type(student).__name__]
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".hfs-", suffix=".part"))
        try:
            part.chmod(0o755)
            student.config.save_pretrained(part)
            save_file(_kept(student, state_dict), part / WEIGHTS, metadata={"format": "pt"})
            if student.tokenizer is not None:
                student.tokenizer.save_pretrained(part)
            (part / CARD).write_text(text, encoding="utf-8")
            if folder.exists():
                for file in sorted(part.iterdir()):
                    file.replace(folder / file.name)
            else:
                part.rename(folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    except OSError as error:
        raise OutputError(f"expected to write the student to {folder}: {error}") from error


def _kept(student: Student, state_dict: dict[str, Tensor] | None) -> dict[str, Tensor]:
    """The weights to save, each once: those of a base known by name are not ours to keep."""
    seen: set[int] = set()
    kept = {}
    for name, tensor in (state_dict or student.state_dict()).items():
        if student.config.base and name.startswith("slm.") and MARK not in name:
            continue
        place = tensor.data_ptr()
        if place not in seen:
            kept[name] = tensor.detach().cpu().contiguous()
        seen.add(place)
    return kept


def push(student: Student, repo_id: str, *, private: bool | None, token: str | None) -> str:
    """Upload the student to the hub, making the repository where there is none.

    Raises UsageError for a student whose base only this machine has.
    """
    from huggingface_hub import HfApi

    if student.config.base.startswith((".", "/", "~")):
        raise UsageError(
            f"expected a student with its base on the hub, got one that rests on the folder "
            f"{student.config.base}: put all weights into one file first, student.merge()"
        )
    hub_api = HfApi(token=token)
    with tempfile.TemporaryDirectory() as place:
        save(student, Path(place) / "student", state_dict=None, card="")
        name = hub_api.create_repo(repo_id, private=private, exist_ok=True).repo_id
        return str(hub_api.upload_folder(repo_id=name, folder_path=Path(place) / "student"))


def load(kind: type[Student], name: str, *, device: str, dtype: str, base: str | None) -> Student:
    """The student in a folder or on the hub, in evaluation mode, without gradients.

    Raises WeightsError for what is no student, is broken, or rests on a base that is not at hand.
    """
    folder, where = hub.folder(name), hub.pick_device(device)
    precision = hub.pick_dtype(dtype, where)
    config = _config(folder)
    slm = None
    if config.base:
        at = hub.folder(base or pinned(beside(folder, config.base), config.base_revision))
        if hub.revision_of(at) != config.base_revision:
            raise WeightsError(
                f"expected the language model {config.base} at revision {config.base_revision} "
                f"for the student in {folder}, got {hub.revision_of(at)} in {at}: name the one "
                "it was trained with, base='OWNER/NAME@REVISION' or base='DIR'"
            )
        slm = hub.load_model(at, "AutoModelForCausalLM", device=where, dtype=precision)
    try:
        with torch.random.fork_rng():  # what is drawn is overwritten
            student = kind(config, slm, hub.load_tokenizer(folder))
        for at_name, parameter in student.slm.named_parameters():
            if MARK not in at_name:
                parameter.data = parameter.data.to(precision)
        _fill(student, load_file(folder / WEIGHTS))
    except FailureError:
        raise
    except Exception as error:  # a broken or foreign checkpoint can raise anything
        raise WeightsError(
            f"expected a whole student in {folder}, got {_reason(error)}: save it again with "
            "save_pretrained, or name another"
        ) from error
    student.revision = hub.revision_of(folder)
    readme = folder / CARD
    student.card = readme.read_text(encoding="utf-8") if readme.is_file() else ""
    torch.nn.Module.to(student, where)
    return student.eval().requires_grad_(False)


def beside(folder: Path, name: str) -> str:
    """A name as it is, or the folder beside a checkpoint's files where it begins with "./"."""
    return str(folder / name) if name.startswith("./") else name


def pinned(name: str, revision: str) -> str:
    """A name on the hub at the commit that was used, whatever it has become; a folder as it is."""
    if name.startswith((".", "/", "~")) or not re.fullmatch("[0-9a-f]{40}", revision):
        return name
    return f"{name.partition('@')[0]}@{revision}"


def _config(folder: Path) -> HFSStudentConfig:
    try:
        values, _ = HFSStudentConfig.get_config_dict(folder, local_files_only=True)
        if (found := values.get("model_type")) != HFSStudentConfig.model_type:
            raise ValueError(f"model_type {found!r}, not {HFSStudentConfig.model_type!r}")
        return HFSStudentConfig.from_dict(values)
    except Exception as error:  # strict configurations raise errors of their own
        raise WeightsError(
            f"expected the config.json of a student in {folder}, got {_reason(error)}: name the "
            "folder that 'hfs train' or save_pretrained wrote"
        ) from error


def _fill(student: Student, weights: dict[str, Tensor]) -> None:
    """Put every weight in its place; a tied one counts as given with its twin."""
    twins: dict[int, list[str]] = {}
    for name, parameter in student.named_parameters(remove_duplicate=False):
        twins.setdefault(id(parameter), []).append(name)
    given = {twin for names in twins.values() if set(names) & set(weights) for twin in names}
    report: Any = student.load_state_dict(weights, strict=False)
    missing = set(report.missing_keys) - given
    if student.config.base:
        missing = {n for n in missing if not n.startswith("slm.") or MARK in n}
    if wrong := sorted(missing) + sorted(report.unexpected_keys):
        what = "nothing for" if missing else "weights that it has no place for:"
        raise ValueError(f"{what} {', '.join(wrong[:3])} ({len(wrong)} in all)")


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, SafetensorError):
        text = f"a damaged {WEIGHTS} ({text})"
    return text if len(text) <= 300 else f"{text[:300]}..."
