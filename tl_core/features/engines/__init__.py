"""Inference engines: what runs the frozen part of a network over many images. An engine is one module of this package.

OpenVINO computes on a processor about twice as fast as TensorFlow does, and more than that in bfloat16; Keras itself computes
on a GPU, where OpenVINO is not installed, and what OpenVINO cannot express.
"""

import importlib.util
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tl_core.networks.outline import multiply_adds

ACCELERATOR = " on an accelerator"

_logger = logging.getLogger(__name__)


class Engine(Protocol):
    """A frozen network, ready to run.

    `title` says what computes and in which precision: two engines of one title agree, on one network, to rounding. `batch` is
    the most images that a batch may hold; the fewer it has, the more is computed for nothing.

    `run` takes batches of uint8 pixels (n, size, size, 3) and gives what the network makes of each, (n, ...) float32, in their
    order. Batches are taken one after the other, while earlier ones are computed, and a few ahead of what was given at most.
    What is given for an image does not depend on the others in its batch. Closing the iterator early leaves nothing running.
    Raises `ValueError` for a batch that is none.

    `note` is a sentence for the user on why a faster engine does not compute, empty where none could.
    """

    @property
    def title(self) -> str: ...

    @property
    def batch(self) -> int: ...

    @property
    def note(self) -> str: ...

    def run(self, batches: Iterable[NDArray[np.uint8]]) -> Iterator[NDArray[np.float32]]: ...


SMALL_NETWORK = 10_000_000
"""Multiply-adds of one image. What computes fewer is so fast in anything that converting it would take longer."""
REASON = 400
"""Characters of what OpenVINO says that a note repeats."""


def choose(model: Any, image_size: int, *, bfloat16: bool, conversions: Path | None, known: str | None = None) -> Engine:
    """The fastest engine that is here for `model`: float32 pixels (batch, size, size, 3) in 0..255 to one tensor.

    The engine computes in bfloat16 if `bfloat16` says so and in float32 if not, whatever the dtype policy of the layers; OpenVINO
    does so only on processors that have instructions for it, and in float32 on others. Its `title` tells. The weights
    are taken as they are now. `conversions` is a folder in which networks converted for OpenVINO are kept for the next time
    (made where it is missing; a folder that cannot be written does no harm); None keeps none. `known` is the `identity` of
    `model`, for who has looked for that. Whatever OpenVINO raises, Keras computes, and `note` says so.
    """
    from tl_core.features.engines import keras, openvino

    if not keras.is_on_processor(model):
        return keras.Keras(model, image_size, bfloat16=bfloat16, place=ACCELERATOR)
    note = ""
    if _is_for_openvino(model):
        try:
            return openvino.OpenVINO(model, image_size, bfloat16=bfloat16, conversions=conversions, known=known)
        except Exception as error:  # it is only quicker than Keras, which computes every network
            _logger.warning("OpenVINO does not compute the network %s.", model.name, exc_info=True)
            note = f"OpenVINO could not compute this network ({_said(error)}), so Keras did, more slowly."
    return keras.Keras(model, image_size, bfloat16=bfloat16, note=note)


def kept_in(cache: Path) -> Path:
    """Where networks converted for OpenVINO are kept, beside the activations in the folder `cache`."""
    return cache / "engines"


def expected(model: Any, *, bfloat16: bool) -> str:
    """The title of the engine that `choose` will give, as far as it is known before anything is converted: which is the same for
    one network on one machine."""
    from tl_core.features.engines import keras, openvino

    if not keras.is_on_processor(model):
        return keras.title(ACCELERATOR, bfloat16=bfloat16)
    return openvino.title(bfloat16=bfloat16) if _is_for_openvino(model) else keras.title("", bfloat16=bfloat16)


def pays(model: Any) -> bool:
    """Whether converting the Keras `model` may be worth its time."""
    return sum(multiply_adds(layer) for layer in model.layers) >= SMALL_NETWORK


def _is_for_openvino(model: Any) -> bool:
    return importlib.util.find_spec("openvino") is not None and pays(model)


def _said(error: Exception) -> str:
    """Return what `error` says, on one line of at most `REASON` characters, after its type."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:REASON]
