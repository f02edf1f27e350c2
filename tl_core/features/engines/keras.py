"""Keras' own compiled forward pass, on whatever device Keras computes."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tl_core.features.engines import Engine, PreparedNetwork, register
from tl_core.features.engines._networks import input_of, is_on_processor
from tl_core.features.engines._policies import in_policy
from tl_core.features.inputs import as_taken
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
        self, model: Any, *, bfloat16: bool, conversions: Path | None = None, known: str | None = None
    ) -> PreparedNetwork:
        shape, dtype = input_of(model)
        title = self.full_title(model, bfloat16=bfloat16)
        return _Prepared(title, (BATCH, *shape), dtype, in_policy(model, bfloat16=bfloat16))


class _Prepared(PreparedNetwork):
    """A model in its own compiled function; with XLA where its `jit_compile` says so."""

    def __init__(self, title: str, shape: tuple[int, ...], dtype: np.dtype[Any], model: Any) -> None:
        super().__init__(title, shape, dtype)
        self._model = model

    def run(self, batches: Iterable[NDArray[Any]]) -> Iterator[NDArray[np.float32]]:
        """Yield as `PreparedNetwork` says. The next batch is taken in a thread of its own."""
        for count, inputs in prefetch((len(each), as_taken(self.filled(each))) for each in batches):
            yield np.asarray(self._model.predict_on_batch(inputs), np.float32)[:count]
