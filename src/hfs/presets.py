"""A name or spec -> the pipeline it stands for: nothing but plug-in specs, one a stage.

``offline`` downloads nothing. ``balanced`` looks with SigLIP 2. ``auto`` is ``balanced`` where its
weights are at hand or the hub answers within seconds, else ``offline``, and says so.
``trained(model='DIR')`` is the pipeline that a trained student records, the student in it. Any
stage can be replaced: ``offline(selector=top_k, readers=[subtitles])``.
"""

import dataclasses
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from hfs import hub, plugins, trained
from hfs.errors import SpecError
from hfs.plugins import Spec

WEIGHTS = "google/siglip2-base-patch16-224"


@dataclass(frozen=True)
class Pipeline:
    """One spec for each stage; ``str`` gives the spec of the whole."""

    sampler: str = "grid"
    readers: tuple[str, ...] = ("subtitles", "ocr")
    backbone: str = "pixels"
    encoder: str = "lexical"
    scorers: tuple[str, ...] = ("lexical", "similarity")
    selector: str = "hfs"
    decoder: str = "pyav"

    def __str__(self) -> str:
        return str(Spec("pipeline", {f.name: self._spec(f.name) for f in dataclasses.fields(self)}))

    def _spec(self, stage: str) -> Spec | list[Spec]:
        value = getattr(self, stage)
        if isinstance(value, tuple):
            return [plugins.parse(one) for one in value]
        return plugins.parse(value)


OFFLINE = Pipeline()
BALANCED = Pipeline(backbone=f"siglip(model={WEIGHTS!r})", encoder="text")
NAMES = ("auto", "offline", "balanced", "trained")


def resolve(text: str | Pipeline) -> tuple[Pipeline, tuple[str, ...]]:
    """The pipeline, and what had to serve in place of what it would have used.

    Raises SpecError for an unknown preset, stage or plug-in, before any work is done.
    """
    if isinstance(text, Pipeline):
        return text, ()
    spec = plugins.parse(text)
    if spec.name == "trained":
        base, fallbacks, spec = *_trained(spec), _without_model(spec)
    else:
        base, fallbacks = _base(spec.name)
    stages = {f.name for f in dataclasses.fields(Pipeline)}
    if unknown := set(spec.options) - stages:
        raise SpecError(
            f"{spec.name} has no stage {', '.join(sorted(unknown))}; "
            f"its stages are {', '.join(sorted(stages))}"
        )
    given = {stage: _given(stage, value) for stage, value in spec.options.items()}
    pipeline = dataclasses.replace(base, **given)
    asks = "readers" not in given and spec.name != "pipeline"
    if asks and "ocr" in pipeline.readers and not _has_ocr():
        others = tuple(reader for reader in pipeline.readers if reader != "ocr")
        pipeline = dataclasses.replace(pipeline, readers=others)
        fallbacks += (
            "on-screen text is not read, because rapidocr or onnxruntime is not installed: "
            "pip install 'hfs-video[ocr]'",
        )
    return pipeline, fallbacks


def _base(name: str) -> tuple[Pipeline, tuple[str, ...]]:
    if name in ("offline", "pipeline"):
        return OFFLINE, ()
    if name == "balanced":
        return BALANCED, ()
    if name != "auto":
        raise SpecError(f"expected one of the presets ({', '.join(NAMES)}), got {name!r}")
    if find_spec("transformers") is None:
        missing, remedy = "transformers is not installed", "pip install 'hfs-video[models]'"
    elif not hub.available(WEIGHTS):
        missing = f"the weights of {WEIGHTS} are not in the cache and the hub does not answer"
        remedy = f"hf download {WEIGHTS}, once, where there is a network"
    else:
        return BALANCED, ()
    return OFFLINE, (
        f"offline serves in place of balanced, because {missing}: what a frame shows is not "
        f"matched with the question's words. For better frames: {remedy}",
    )


def _trained(spec: Spec) -> tuple[Pipeline, tuple[str, ...]]:
    """What a checkpoint names, its student as encoder and scorer."""
    given = spec.options.get("model")
    model = (
        str(given) if isinstance(given, str | Spec) else ""
    )  # trained(model=world) needs no quotes
    if not model:
        raise SpecError(
            f"expected trained(model='DIR') with the folder or hub name of a student, got {spec}"
        )
    found = trained.record(model)
    name = str(found.folder) if Path(model).expanduser().is_dir() else model
    student = {"model": name}
    pipeline = Pipeline(
        sampler=found.sampler,
        readers=found.readers if found.readers is not None else OFFLINE.readers,
        backbone=found.backbone,
        encoder=str(Spec("implicit", student)),
        scorers=(str(Spec("student", student)), *found.scorers),
        selector=found.selector,
    )
    return pipeline, ()


def _without_model(spec: Spec) -> Spec:
    return Spec(spec.name, {name: v for name, v in spec.options.items() if name != "model"})


def _given(stage: str, value: object) -> str | tuple[str, ...]:
    several = isinstance(getattr(OFFLINE, stage), tuple)
    given = value if isinstance(value, list) else [value]
    values = [v for v in given if isinstance(v, Spec | str)]
    if len(values) < len(given) or (not several and len(values) != 1):
        wanted = "a list of plug-ins" if several else "a plug-in"
        raise SpecError(f"expected {wanted} for {stage}, got {value!r}")
    specs = tuple(str(plugins.parse(v)) for v in values)
    return specs if several else specs[0]


def _has_ocr() -> bool:
    return find_spec("rapidocr") is not None and find_spec("onnxruntime") is not None
