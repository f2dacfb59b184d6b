"""Command line -> the library: one command a task, one line for every error.

Exit codes: 0 done, 1 could not be done, 2 the call is wrong. Results go to stdout, all else to
stderr.
"""

import os
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, NoReturn

import typer

import hfs
from hfs.commands import answer, evaluate, features, inspect, measure, merge, select, train, world
from hfs.errors import HFSError

app = typer.Typer(
    name="hfs",
    help="Choose the video frames that together answer a question.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
COMMANDS: Sequence[Callable[..., None]] = (
    select.select,
    answer.answer,
    inspect.probe,
    measure.score,
    measure.compare,
    evaluate.evaluate,
    evaluate.results,
    evaluate.verify,
    features.features,
    train.train,
    merge.merge,
    inspect.list_,
    inspect.doctor,
    inspect.cache,
)
for command in COMMANDS:
    app.command(command.__name__.rstrip("_"))(command)
app.add_typer(world.app)


def _version(wanted: bool | None) -> None:
    if wanted:
        print(f"hfs {hfs.__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool | None,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error came from.")] = False,
) -> None:
    """Options of every command; ``--debug`` is taken anywhere on the line, see `main`."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit with its code; no error that we expect ends in a traceback."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    try:
        code = app([a for a in given if a != "--debug"], prog_name="hfs", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except (KeyboardInterrupt, typer.Abort):
        print("hfs: stopped", file=sys.stderr)
        code = 130
    except Exception as error:
        if debug:
            raise
        code = _report(error)
    _leave(code if isinstance(code, int) else 0)


def _leave(code: int) -> NoReturn:
    """Exit; at once as one of a launcher's processes.

    Threads of a process group that is still open, as after an error, or that DDP holds on to, may
    need the interpreter while it shuts down, and then abort in place of our exit code.
    """
    if os.environ.get("WORLD_SIZE", "1") not in ("", "1"):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _report(error: Exception) -> int:
    """One line on stderr; the exit code."""
    if isinstance(error, HFSError):
        message, code = str(error), error.exit_code
    elif explain := getattr(error, "format_message", None):  # the line itself does not parse
        context = getattr(error, "ctx", None)
        where = context.command_path if context else "hfs"
        message, code = f"{explain()} (see {where} --help)", 2
    else:
        message = f"{type(error).__name__}: {error}: this is a defect; --debug shows where"
        code = 1
    print(f"hfs: error: {' '.join(message.split())}", file=sys.stderr)
    return code
