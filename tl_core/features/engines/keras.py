"""Keras' own compiled forward pass, on whatever device Keras computes."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_core.features.engines.batches import filled, require_one_output
from tl_core.features.engines.policies import in_policy
from tl_core.features.predict import BATCH
from tl_core.features.prefetch import prefetch
from tl_core.machine.backends import is_processor


class Keras:
    """`model` in its own compiled function; with XLA where its `jit_compile` says so.

    `place` goes into the title, and `note` says why nothing faster computes. A GPU multiplies float32 with 10 bits after the
    point (TF32) unless told otherwise, so that its results are not a processor's.
    """

    batch = BATCH

    def __init__(self, model: Any, image_size: int, *, bfloat16: bool, place: str = "", note: str = "") -> None:
        require_one_output(model)
        self.note = note
        self.title = title(place, bfloat16=bfloat16)
        self._model = in_policy(model, bfloat16=bfloat16)
        self._shape = (self.batch, image_size, image_size, 3)

    def run(self, batches: Iterable[NDArray[np.uint8]]) -> Iterator[NDArray[np.float32]]:
        """See `Engine`. The next batch is taken in a thread of its own."""
        for count, pixels in prefetch((len(each), filled(each, self._shape).astype(np.float32)) for each in batches):
            yield np.asarray(self._model.predict_on_batch(pixels), np.float32)[:count]


def title(place: str, *, bfloat16: bool) -> str:
    """What `Keras` is called that computes there."""
    return f"Keras{place}, {'bfloat16' if bfloat16 else 'float32'}"


def is_on_processor(model: Any) -> bool:
    """Whether Keras keeps the weights of `model`, and so computes it, on the processor. One without weights may be anywhere."""
    return all(is_processor(weight.value.device) for weight in model.weights)
