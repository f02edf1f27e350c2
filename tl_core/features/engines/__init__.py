"""Inference engines: what runs the frozen part of a network over many images. One module an engine; `keras` computes everything.

OpenVINO computes on a processor about twice as fast as TensorFlow does, and more than that in bfloat16; Keras itself computes
on a GPU, where OpenVINO is not installed, and what OpenVINO cannot express.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from tl_core.errors import printable
from tl_core.notes import Note, NoteKind
from tl_core.registry import Part, Registry

REASON = 400
"""Characters of what an engine says that a note repeats."""

_logger = logging.getLogger(__name__)


class PreparedNetwork(ABC):
    """A frozen network, ready to run.

    `title` is its engine's full title. It takes inputs of `dtype` in `shape`, pixels (batch, size, size, 3) in uint8 or tokens
    (batch, length) in int32, or fewer of them, and then computes more for nothing. `notes` say why a faster engine does not
    compute, where one could have.
    """

    def __init__(self, title: str, shape: tuple[int, ...], dtype: DTypeLike = np.uint8) -> None:
        self.title = title
        self.shape = shape
        self.dtype = np.dtype(dtype)
        self.notes: tuple[Note, ...] = ()

    @property
    def batch(self) -> int:
        """Return the most images that a batch may hold."""
        return self.shape[0]

    @abstractmethod
    def run(self, batches: Iterable[NDArray[Any]]) -> Iterator[NDArray[np.float32]]:
        """Yield what the network makes of each of the `batches` of its inputs (n, ...): (n, ...) float32.

        Batches are taken one after the other, while earlier ones are computed, and a few ahead of what was given at most.
        What is given for an image does not depend on the others in its batch. Closing the iterator early leaves nothing
        running. Raises `ValueError` for a batch that is none.
        """

    def require_batch(self, inputs: NDArray[Any]) -> None:
        """Raise `ValueError` unless `inputs` are of the network's type and in its shape, or fewer."""
        if inputs.dtype != self.dtype or inputs.shape[1:] != self.shape[1:] or len(inputs) > self.batch:
            raise ValueError(
                f"Expected {self.dtype} in at most the shape {self.shape}. Received: {inputs.dtype} in {inputs.shape}"
            )

    def filled(self, inputs: NDArray[Any]) -> NDArray[Any]:
        """Return `inputs` in the network's shape, for which alone it is compiled: with zeros after them where they are fewer.
        Raises `ValueError` as `require_batch`."""
        self.require_batch(inputs)
        if len(inputs) == self.batch:
            return inputs
        whole = np.zeros(self.shape, self.dtype)
        whole[: len(inputs)] = inputs
        return whole


class Engine(Part):
    """Computes frozen networks. Of all engines the first one, in listing order, that suits a network computes it."""

    @abstractmethod
    def suits(self, model: Any) -> bool:
        """Return whether this engine can compute the Keras `model` on this machine, as far as is known before it is tried, and
        whether that is worth the time it takes to convert it."""

    def full_title(self, model: Any, *, bfloat16: bool) -> str:
        """Return what computes `model`, and in which precision, before anything is converted.

        Two engines of one full title agree, on one network, to rounding; what they give is kept together.
        """
        return f"{self.title}{self.place(model)}, {'bfloat16' if bfloat16 else 'float32'}"

    def place(self, model: Any) -> str:
        """Return where it computes `model`, as its full title says after its name: nothing on the processor."""
        return ""

    @abstractmethod
    def prepare(self, model: Any, *, bfloat16: bool, conversions: Path | None, known: str | None) -> PreparedNetwork:
        """Return `model` ready to run, with its weights as they are now. Whatever it raises, the next engine computes.

        Args:
            model: A Keras model to one tensor, from float32 pixels (batch, size, size, 3) in 0..255, or int32 tokens (batch,
                length).
            bfloat16: Whether to compute in bfloat16, if the machine can, or in float32, whatever the layers' dtype policy.
            conversions: A folder for networks that were converted, made where it is missing; None keeps none.
            known: The `identity` of `model`, for who has looked for that.
        """

    def preload(self) -> None:
        """Import what `prepare` will need, in a process that waits for work. Raises whatever a damaged installation raises."""
        return


engines: Registry[Engine] = Registry("engine", "tl_core.features.engines")
register = engines.register


def choose(model: Any, *, bfloat16: bool, conversions: Path | None, known: str | None = None) -> PreparedNetwork:
    """Return `model` made ready by the first engine that suits and can; its `notes` say of the others why they could not.

    Args:
        model, bfloat16, conversions, known: As in `Engine.prepare`.

    Raises:
        Exception: Whatever the last engine that suits raises.
    """
    suitable, failures = _suitable(model), list[tuple[str, str]]()
    for engine in suitable:
        try:
            made = engine.prepare(model, bfloat16=bfloat16, conversions=conversions, known=known)
            break
        except Exception as error:  # others' code; an engine is only quicker than the last one, which computes every network
            if engine is suitable[-1]:
                raise
            _logger.warning("%s does not compute the network %s.", engine.title, model.name, exc_info=True)
            failures.append((engine.title, _said(error)))
    made.notes = tuple(Note(NoteKind.ENGINE_FAILED, about=(title, engine.title, why)) for title, why in failures)
    return made


def expected(model: Any, *, bfloat16: bool) -> str:
    """Return the title of what `choose` will give, as far as it is known before anything is converted: which is the same for
    one network on one machine."""
    return _suitable(model)[0].full_title(model, bfloat16=bfloat16)


def kept_in(cache: Path) -> Path:
    """Return where converted networks are kept, beside the activations in the folder `cache`."""
    return cache / "engines"


def _suitable(model: Any) -> list[Engine]:
    return [engine for part in engines.parts().values() if (engine := part()).suits(model)]


def _said(error: Exception) -> str:
    """Return what `error` says, on one line of at most `REASON` characters, after its type."""
    return printable(f"{type(error).__name__}: {' '.join(str(error).split())}"[:REASON])
