"""``hfs features``: videos -> what training reads of them, looked at once and kept."""

from typing import TYPE_CHECKING, Annotated

import typer

from hfs.commands import screen
from hfs.errors import FailureError

if TYPE_CHECKING:
    from hfs.training.data import Example
    from hfs.training.store import Maker, Store


def features(
    data: Annotated[str, typer.Argument(help="Questions: JSON Lines, JSON, CSV or Parquet.")],
    videos: Annotated[str, typer.Option(help="The folder of their videos.")],
    out: Annotated[str, typer.Option(help="Folder for one file a video.")],
    model: Annotated[
        str, typer.Option(help="A backbone's spec, or a student whose backbone it is.")
    ] = "siglip",
    teacher: Annotated[
        str | None, typer.Option(help="An MLLM, folder or hub name, for its visual tokens.")
    ] = None,
    tokens: Annotated[
        int | None, typer.Option(help="Most visual tokens a frame (the processor's own).")
    ] = None,
    sampler: Annotated[str | None, typer.Option(help="Which frames to look at.")] = None,
    reader: Annotated[
        list[str] | None, typer.Option("--reader", help="A source of text; once for each.")
    ] = None,
    slm: Annotated[
        str | None, typer.Option(help="A language model, whose thoughts are written ahead too.")
    ] = None,
    dtype: Annotated[
        str, typer.Option(help="Of the teacher and the language model: auto, float32, bfloat16.")
    ] = "auto",
    shard: Annotated[
        str, typer.Option(metavar="i/n", help="Only this part of the videos, of n machines.")
    ] = "1/1",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Errors only on stderr.")] = False,
) -> None:
    """Look at the videos of a training set once: features, text, the teacher's visual tokens.

    Goes on where it was stopped. Prints the folder.
    """
    from pathlib import Path

    from hfs.training import store as kept
    from hfs.training.data import read

    found = read(Path(data), Path(videos))
    mine = kept.shard(found.videos, shard)
    console = screen.stderr(quiet=quiet)
    if found.note:
        console.print(f"note: {found.note}", markup=False)
    maker = _maker(model, teacher, tokens=tokens, sampler=sampler, readers=reader, dtype=dtype)
    store = kept.Store(Path(out))
    store.prepare(maker)
    left = store.missing(mine)
    candidates, size = kept.estimate(left, maker)
    console.print(
        f"{len(mine) - len(left):,} of {len(mine):,} videos are done; the others will take about "
        f"{candidates:,} frames and {size / 2**30:,.3f} GiB in {out}",
        markup=False,
    )
    with screen.progress(console) as told:
        failed = store.fill(left, maker, told)
        if slm is not None:
            _think(
                slm, dtype, [e for e in found.examples if (e.video, e.path) in mine], store, told
            )
    for line in failed:
        console.print(f"note: {line}", markup=False)
    if failed:
        raise FailureError(
            f"expected to read {len(left)} videos, got {len(failed)} that could not be read, named "
            "above: repair them, or take their questions out; the others are done"
        )
    print(out)


def _think(
    slm: str, dtype: str, examples: "list[Example]", store: "Store", told: screen.Told
) -> None:
    """Writes the thoughts that a student around that language model would write with adapters."""
    from hfs import hub
    from hfs.thinker import Thinker

    folder, device = hub.folder(slm), hub.pick_device("auto")
    kind = hub.pick_dtype(dtype, device)
    thinker = Thinker(
        hub.load_model(folder, "AutoModelForCausalLM", device=device, dtype=kind),
        hub.load_tokenizer(folder),
        f"{hub.revision_of(folder)}-{str(kind).removeprefix('torch.')}",
    )
    for start in range(0, len(examples), thinker.batch):
        told("thinking", start, len(examples))
        some = examples[start : start + thinker.batch]
        thinker([e.question for e in some], [e.options for e in some], store.thoughts)


def _maker(
    model: str,
    teacher: str | None,
    *,
    tokens: int | None,
    sampler: str | None,
    readers: list[str] | None,
    dtype: str,
) -> "Maker":
    """What looks at the videos; a student's own stages where the model is a student."""
    from hfs import plugins, trained
    from hfs.training.store import READERS, SAMPLER, Maker
    from hfs.training.teacher import Teacher

    stages = {"sampler": SAMPLER, "readers": READERS, "backbone": model}
    if not _is_backbone(model):
        record = trained.record(model)
        stages |= {"sampler": record.sampler, "backbone": record.backbone}
        stages |= {} if record.readers is None else {"readers": record.readers}
    stages |= {} if sampler is None else {"sampler": sampler}
    stages |= {} if readers is None else {"readers": tuple(readers)}
    plugins.build("backbones", str(stages["backbone"]))  # before a large teacher is loaded
    loaded = None
    if teacher is not None:
        loaded = Teacher.from_pretrained(teacher, dtype=dtype, tokens=tokens, frozen=True)
    return Maker(**stages, teacher=loaded)  # pyright: ignore[reportArgumentType]


def _is_backbone(model: str) -> bool:
    from hfs import plugins
    from hfs.errors import SpecError

    try:
        spec = plugins.parse(model)
        return bool(spec.options) or spec.name in plugins.names("backbones")
    except SpecError:  # a path or a hub name
        return False
