"""OpenVINO: a converted network on the processor, several requests at a time."""

from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_core.features.engines.batches import require_batch, require_one_output
from tl_core.features.engines.conversion import CannotConvert, converted
from tl_core.features.engines.telemetry import quiet_openvino

__all__ = ["CannotConvert", "OpenVINO"]

PIXELS, LARGEST = 200_000, 8
"""About the pixels of a request, and the most images: what a layer gives of a request should fit a core's cache. Measured on
EfficientNet-Lite0, in turns: 4 images of 224 pixels a request are 4 % faster than 8, 16 of 96 pixels no faster than 8."""


class OpenVINO:
    """`model` converted by Keras' own export, computed in bfloat16 if that is wanted and the processor has it, or in float32.

    Raises `CannotConvert` where what it gives is not what Keras gives, and whatever Keras' export and OpenVINO raise.
    """

    note = ""

    def __init__(
        self, model: Any, image_size: int, *, bfloat16: bool, conversions: Path | None, known: str | None = None
    ) -> None:
        require_one_output(model)
        bfloat16 = bfloat16 and has_bfloat16()
        self.title = title(bfloat16=bfloat16)
        self.batch = batch_of(image_size)
        self._shape = (self.batch, image_size, image_size, 3)
        self._compiled = converted(model, self._shape, conversions, known).compiled(bfloat16=bfloat16)

    def run(self, batches: Iterable[NDArray[np.uint8]]) -> Iterator[NDArray[np.float32]]:
        """See `Engine`. One request more than are computed at a time waits, so that no stream does while Python is busy."""
        requests = self._compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS") + 1
        free = [self._compiled.create_infer_request() for _ in range(requests)]
        busy: deque[tuple[Any, int]] = deque()
        try:
            for pixels in batches:
                if not free:
                    request, count = busy.popleft()
                    free.append(request)
                    yield _result(request, count)
                busy.append((self._start(free.pop(), pixels), len(pixels)))
            while busy:
                yield _result(*busy.popleft())
        finally:
            for request, _ in busy:
                request.wait()

    def _start(self, request: Any, pixels: NDArray[np.uint8]) -> Any:
        """Let `request` compute. Its own memory is filled, since nobody knows what becomes of that of `pixels`."""
        require_batch(pixels, self._shape)
        place = request.get_input_tensor().data
        place[: len(pixels)] = pixels
        place[len(pixels) :] = 0
        request.start_async()
        return request


def batch_of(image_size: int) -> int:
    """Images a request: a power of two."""
    return int(2 ** np.clip(round(np.log2(PIXELS / image_size**2)), 0, np.log2(LARGEST)))


def title(*, bfloat16: bool) -> str:
    """What `OpenVINO` is called on this processor."""
    return f"OpenVINO, {'bfloat16' if bfloat16 and has_bfloat16() else 'float32'}"


def has_bfloat16() -> bool:
    """Whether this processor has instructions for it, as far as OpenVINO can tell."""
    try:
        return "BF16" in quiet_openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    except (ImportError, OSError, RuntimeError):  # an installation that is damaged; `choose` meets it, too, and says so
        return False


def _result(request: Any, count: int) -> NDArray[np.float32]:
    request.wait()
    return np.array(request.get_output_tensor().data[:count], np.float32)
