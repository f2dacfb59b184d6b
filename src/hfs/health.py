"""This machine -> what HFS can use of it: the facts that ``hfs doctor`` prints."""

import platform
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from hfs import hub

EXTRAS = {
    "models": ("transformers",),
    "ocr": ("rapidocr", "onnxruntime"),
    "video": ("torchvision",),
    "train": ("accelerate", "peft"),
    "evaluate": ("matplotlib", "openai", "pyarrow"),
}


def checks(weights: str) -> dict[str, str]:
    """Versions, device and extras; whether the named weights are at hand."""
    import av
    import torch

    device = hub.pick_device("auto")
    found = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "av": f"{av.__version__} (FFmpeg's libavcodec {_dotted(av.library_versions)})",
        "device": f"{device}, {hub.pick_dtype('auto', device)}".replace("torch.", ""),
        "threads": str(torch.get_num_threads()),
    }
    for extra, packages in EXTRAS.items():
        found[f"extra {extra}"] = ", ".join(_installed(p, extra) for p in packages)
    at_hand = find_spec("transformers") is not None and hub.available(weights)
    found[f"weights {weights}"] = (
        "at hand: balanced works" if at_hand else "not at hand: auto is offline"
    )
    return found


def _dotted(libraries: dict[str, tuple[int, ...]]) -> str:
    return ".".join(map(str, libraries["libavcodec"]))


def _installed(package: str, extra: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"{package} is missing: pip install hfs-video[{extra}]"
