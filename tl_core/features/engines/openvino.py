"""OpenVINO: a converted network on the processor, several requests at a time."""

import importlib.util
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tl_core.features.engines import Engine, PreparedNetwork, register
from tl_core.features.engines._conversion import converted
from tl_core.features.engines._networks import is_on_processor, is_worth_converting, require_one_output
from tl_core.features.engines._telemetry import quiet_openvino

PIXELS, LARGEST = 200_000, 8
"""About the pixels of a request, and the most images: what a layer gives of a request should fit a core's cache. Measured on
EfficientNet-Lite0, in turns: 4 images of 224 pixels a request are 4 % faster than 8, 16 of 96 pixels no faster than 8."""


@register("openvino")
class OpenVINOEngine(Engine):
    """OpenVINO, which computes large networks on a processor about twice as fast as Keras does."""

    title: ClassVar[str] = "OpenVINO"
    listing_order: ClassVar[int] = 50

    def suits(self, model: Any) -> bool:
        return importlib.util.find_spec("openvino") is not None and is_on_processor(model) and is_worth_converting(model)

    def full_title(self, model: Any, *, bfloat16: bool) -> str:
        """Return it with what this processor has instructions for."""
        return super().full_title(model, bfloat16=bfloat16 and has_bfloat16())

    def prepare(
        self, model: Any, image_size: int, *, bfloat16: bool, conversions: Path | None, known: str | None = None
    ) -> PreparedNetwork:
        """Return `model` converted by Keras' own export.

        Args:
            model, image_size, bfloat16, conversions, known: As in `Engine.prepare`.

        Raises:
            CannotConvert: Where what that gives is not what Keras gives. Keras' export and OpenVINO raise whatever they like.
        """
        require_one_output(model)
        shape = (batch_of(image_size), image_size, image_size, 3)
        network = converted(model, shape, conversions, known).compiled(bfloat16=bfloat16 and has_bfloat16())
        return _Prepared(self.full_title(model, bfloat16=bfloat16), shape, network)

    def preload(self) -> None:
        quiet_openvino()


class _Prepared(PreparedNetwork):
    """A converted network that OpenVINO has compiled."""

    def __init__(self, title: str, shape: tuple[int, ...], compiled: Any) -> None:
        super().__init__(title, shape)
        self._compiled = compiled

    def run(self, batches: Iterable[NDArray[np.uint8]]) -> Iterator[NDArray[np.float32]]:
        """Yield as `PreparedNetwork` says. One request waits beside those at work, so that none idles while Python is busy."""
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
        self.require_batch(pixels)
        place = request.get_input_tensor().data
        place[: len(pixels)] = pixels
        place[len(pixels) :] = 0
        request.start_async()
        return request


def batch_of(image_size: int) -> int:
    """Return the images of a request: a power of two."""
    return int(2 ** np.clip(round(np.log2(PIXELS / image_size**2)), 0, np.log2(LARGEST)))


def has_bfloat16() -> bool:
    """Return whether this processor has instructions for it, as far as OpenVINO can tell."""
    try:
        return "BF16" in quiet_openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    except (ImportError, OSError, RuntimeError):  # an installation that is damaged; `prepare` meets it, too
        return False


def _result(request: Any, count: int) -> NDArray[np.float32]:
    request.wait()
    return np.array(request.get_output_tensor().data[:count], np.float32)
