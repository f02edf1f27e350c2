"""What a user can get wrong, said in one sentence: what, why, what next, and what was received.

Anything that is not a `TransferError` is a bug of ours and keeps its traceback.
"""

from typing import Any

_JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"


class TransferError(Exception):
    """A mistake that the user can mend.

    `what` and `next_step` are whole sentences; `received` is what the user gave, shown as it was. `what` is kept, for
    places where the next step is another one.
    """

    def __init__(self, what: str, next_step: str = "", *, received: Any = None) -> None:
        self.what = what
        parts = [what.strip(), next_step.strip()]
        if received is not None:
            parts.append(f"Received: {received}")
        super().__init__(" ".join(part for part in parts if part))


class SettingError(TransferError):
    """A setting has a value it cannot take, or a part or setting of that name does not exist."""


class DataError(TransferError):
    """A dataset cannot be read, or what it holds cannot be learned from."""


class WeightsError(TransferError):
    """Pretrained weights are not on this machine, or are not what they should be."""


class StorageError(TransferError):
    """The place where runs are kept cannot be written or read."""


class RunError(TransferError):
    """A run does not exist, or is in a state in which the request makes no sense."""


class ExecutorError(TransferError):
    """The place where runs are to be executed cannot be reached, or does not answer."""


class TrackingError(TransferError):
    """A record of experiments elsewhere cannot be reached or written."""


class Stopped(Exception):  # noqa: N818  # not an error, like StopIteration
    """Somebody asked the run to stop. Not an error: it unwinds `train` from wherever it is."""


class Paused(Exception):  # noqa: N818  # not an error, like StopIteration
    """Somebody asked the run to stop for a while. Not an error: it unwinds `train`, which leaves a checkpoint."""


def fault(error: Exception, did: str) -> str:
    """Return a sentence on a bug of ours, and on what it `did`, as in "ended this run"."""
    first = next(iter(str(error).splitlines()), "")
    return f"A fault inside Transfer Lab {did} ({type(error).__name__}: {first})."


def printable(text: str) -> str:
    """Return `text` on one line: control characters and undecodable bytes, which file names may hold, become escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def is_visible(letter: str) -> bool:
    """Return whether a letter shows, or joins those that do: no control or direction mark, no undecodable byte."""
    return letter.isprintable() or letter in _JOINERS
