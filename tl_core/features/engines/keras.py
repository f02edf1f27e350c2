"""Keras' own compiled forward pass, on whatever device Keras computes."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tl_core.features.engines import Engine, PreparedNetwork, register
from tl_core.features.engines._networks import is_on_processor, require_one_output
from tl_core.features.engines._policies import in_policy
from tl_core.features.predict import BATCH
from tl_core.features.prefetch import prefetch


@register("keras")
class KerasEngine(Engine):
    """Keras itself, which computes every network, on a GPU where there is one."""

    title: ClassVar[str] = "Keras"
    listing_order: ClassVar[int] = 1000
    """Last of all, since it computes whatever the others cannot."""

    def suits(self, model: Any) -> bool:
        return True

    def place(self, model: Any) -> str:
        """Return it, since a GPU multiplies float32 with 10 bits after the point (TF32) unless told otherwise: what it gives is
        not what a processor gives."""
        return "" if is_on_processor(model) else " on an accelerator"

    def prepare(
        self, model: Any, image_size: int, *, bfloat16: bool, conversions: Path | None = None, known: str | None = None
    ) -> PreparedNetwork:
        require_one_output(model)
        shape = (BATCH, image_size, image_size, 3)
        return _Prepared(self.full_title(model, bfloat16=bfloat16), shape, in_policy(model, bfloat16=bfloat16))


class _Prepared(PreparedNetwork):
    """A model in its own compiled function; with XLA where its `jit_compile` says so."""

    def __init__(self, title: str, shape: tuple[int, ...], model: Any) -> None:
        super().__init__(title, shape)
        self._model = model

    def run(self, batches: Iterable[NDArray[np.uint8]]) -> Iterator[NDArray[np.float32]]:
        """Yield as `PreparedNetwork` says. The next batch is taken in a thread of its own."""
        for count, pixels in prefetch((len(each), self.filled(each).astype(np.float32)) for each in batches):
            yield np.asarray(self._model.predict_on_batch(pixels), np.float32)[:count]
