"""``hfs probe``, ``list``, ``doctor``, ``cache``: what there is, in words or as JSON."""

from typing import Annotated, Any, get_args

import typer

from hfs.commands import screen
from hfs.errors import UsageError

Json = Annotated[
    str | None, typer.Option("--json", metavar="FILE|-", help="Write it as JSON here.")
]


def probe(
    video: Annotated[str, typer.Argument(help="The video file.")],
    stream: Annotated[int | None, typer.Option(help="Index of the video stream.")] = None,
    json: Json = None,
) -> None:
    """Print a video's facts, found by reading its packets and not its header."""
    import hfs

    with hfs.Video.open(video, stream=stream) as opened:
        facts = hfs.probe(opened)
    if json is not None:
        screen.put_json(facts, json)
    if json != "-":
        _facts(facts)


def list_(
    folder: Annotated[
        str | None, typer.Argument(help="selectors, backbones, ...; all if none is given.")
    ] = None,
) -> None:
    """List the plug-ins: name, options with their defaults, and what each does."""
    from rich.padding import Padding
    from rich.text import Text

    from hfs import plugins

    groups: tuple[plugins.Group, ...] = get_args(plugins.Group)
    wanted: list[plugins.Group] = [group for group in groups if folder in (None, group)]
    if not wanted:
        raise UsageError(f"expected one of the folders ({', '.join(groups)}), got {folder!r}")
    console = screen.stdout()
    for group in wanted:
        if folder is None:
            console.print(Text(group, style="bold"))
        for name in plugins.names(group):
            plugin = plugins.load(group, name)
            console.print(Text(str(plugins.Spec(name, plugins.options(plugin))), style="cyan"))
            console.print(Padding(Text(plugins.describe(plugin)), (0, 0, 0, 4)))


def doctor() -> None:
    """Say what is installed, which device would be used, and which weights are at hand."""
    import hfs
    from hfs import presets
    from hfs.cache import Cache
    from hfs.health import checks

    _facts({"hfs": hfs.__version__, **checks(presets.WEIGHTS), "cache": str(Cache.default().root)})


def cache(
    folder: Annotated[str, typer.Option("--cache", metavar="DIR", help="The folder.")] = "default",
    clear: Annotated[bool, typer.Option("--clear", help="Delete everything in it.")] = False,
) -> None:
    """Show what the cache holds, or clear it."""
    from pathlib import Path

    from hfs.cache import Cache

    kept = Cache.default() if folder == "default" else Cache(Path(folder))
    facts: dict[str, Any] = {"folder": str(kept.root)}
    for kind, usage in kept.usage().items():
        facts[kind] = f"{usage.entries:,} entries, {usage.bytes / 2**20:,.1f} MiB"
    if clear:
        kept.clear()
    _facts(facts | ({"cleared": "yes"} if clear else {}))


def _facts(facts: dict[str, Any]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    for name, value in facts.items():
        table.add_row(Text(name.replace("_", " "), style="cyan"), Text(_words(value)))
    screen.stdout().print(table)


def _words(value: Any) -> str:
    match value:
        case None:
            return "unknown"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.6g}"
        case list() | tuple():
            return ", ".join(map(str, value)) or "none"
        case dict():
            return "; ".join(f"{k} {_words(v)}" for k, v in value.items())
    return str(value)
