"""What a strategy adds to the loss of a phase, beside what its labels cost."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from tl_core.networks.outline import Network


class Penalty(Protocol):
    """Something that is added to the loss of a phase. A frozen dataclass, in the file of the strategy that it belongs to."""

    def put_on(self, model: Any, network: "Network", start: Mapping[str, Any]) -> None:
        """Add it to the compiled `model`'s losses, by regularizers of variables or of layers, which the next phase takes off.
        `start` holds the values of the variables, by their paths, before any phase."""


@runtime_checkable
class Scripted(Protocol):
    """A penalty that says itself in the script of a run."""

    @property
    def script(self) -> str:
        """Return lines of Python, with Keras alone, that put it on `model`, whose `backbone` is as it was before any phase; both
        are Keras models, and share their layers."""
