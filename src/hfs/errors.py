"""What can go wrong, as a tree; every message says what was expected, what came, and the remedy.

HFSError
├── UsageError       the call itself is wrong: an option, a spec, a path, a range   (exit code 2)
│   └── SpecError    a plug-in spec that does not parse, or names what is not there
└── FailureError     the call was right and could not be carried out                (exit code 1)
    ├── VideoError   the video cannot be read, or breaks a limit
    ├── EvidenceError  subtitles or another text source cannot be read
    ├── MissingExtra an optional dependency is not installed
    ├── WeightsError pretrained weights cannot be loaded
    ├── CacheError   the cache folder cannot be used
    └── OutputError  the result cannot be written
"""


class HFSError(Exception):
    """Base of every error that this library raises on purpose."""

    exit_code = 1


class UsageError(HFSError, ValueError):
    """A caller's mistake, found before any work was done."""

    exit_code = 2


class SpecError(UsageError):
    """A plug-in spec that does not parse, or names a plug-in or option that does not exist."""


class FailureError(HFSError, RuntimeError):
    """A correct request that could not be carried out."""


class VideoError(FailureError):
    """The video cannot be read, has no picture, or breaks a limit."""


class EvidenceError(FailureError):
    """A source of timed text cannot be read."""


class MissingExtra(FailureError):
    """An optional dependency is not installed."""

    def __init__(self, what: str, package: str, extra: str):
        super().__init__(
            f"{what} needs the package '{package}', which is not installed: "
            f"pip install 'hfs-video[{extra}]'"
        )


class WeightsError(FailureError):
    """Pretrained weights cannot be loaded from the hub or the folder named."""


class CacheError(FailureError):
    """The cache folder cannot be used."""


class OutputError(FailureError):
    """The result cannot be written where it was asked for."""
