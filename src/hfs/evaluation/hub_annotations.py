"""``hub(name='lmms-lab/Video-MME', split='test')`` -> the questions of a data set on the hub.

Only for users who have the package ``datasets``: it is imported when a source names the hub.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from hfs import benchmarks, plugins
from hfs.benchmarks import Benchmark, Item
from hfs.errors import FailureError, SpecError
from hfs.records import Tally

OPTIONS = ("name", "split", "config", "revision")


def is_hub(source: str) -> bool:
    """Whether a source of annotations names the hub rather than a file."""
    return source.startswith("hub(")


def load_hub(benchmark: Benchmark, source: str, tally: Tally) -> list[Item]:
    """Its questions, each id once.

    Raises SpecError for a source that does not name a data set and a split, FailureError
    without the package, and where the hub does not give it.
    """
    options = dict(plugins.parse(source).options)
    if not {"name", "split"} <= options.keys() <= set(OPTIONS):
        raise SpecError(
            f"expected hub(name=.., split=..), config and revision where needed, got {source!r}"
        )
    try:
        import datasets  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise FailureError(
            "annotations from the hub need the package datasets, which is not installed: "
            "pip install datasets, or name a file with --annotations"
        ) from None
    try:
        table = datasets.load_dataset(
            options["name"],
            options.get("config"),
            split=options["split"],
            revision=options.get("revision"),
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise FailureError(
            f"expected the data set {source} from the hub, got {type(error).__name__}: {error}; "
            "name a file with --annotations instead"
        ) from error
    return benchmarks.of_records(benchmark, _rows(options["name"], table), options["name"], tally)


def _rows(name: str, table: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, record in enumerate(table, 1):
        yield f"{name} row {number}", record
