"""OpenVINO: a converted network on the processor, several requests at a time."""

import importlib.util
from collections import deque
from collections.abc import Iterable, Iterator
from math import prod
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tl_core.features.engines import Engine, PreparedNetwork, register
from tl_core.features.engines._conversion import converted
from tl_core.features.engines._networks import input_of, is_on_processor, is_worth_converting
from tl_core.networks.onnx_graph import OnnxGraph
from tl_core.networks.openvino import quiet_openvino

PLACES, LARGEST = {4: 200_000, 2: 512}, 8
"""About the pixels or tokens of a request, by the rank of a batch, and the most examples: what a layer gives of a request should
fit a core's cache. Measured on EfficientNet-Lite0, in turns: 4 images of 224 pixels a request are 4 % faster than 8, 16 of 96
pixels no faster than 8."""


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

    def prepare(self, model: Any, *, bfloat16: bool, conversions: Path | None, known: str | None = None) -> PreparedNetwork:
        """Return `model` converted by Keras' own export.

        Args:
            model, bfloat16, conversions, known: As in `Engine.prepare`.

        Raises:
            CannotConvert: Where what that gives is not what Keras gives. Keras' export and OpenVINO raise whatever they like.
        """
        one, dtype = input_of(model)
        shape = (batch_of(one), *one)
        network = converted(model, shape, conversions, known).compiled(dtype, bfloat16=bfloat16 and has_bfloat16())
        return _Prepared(self.full_title(model, bfloat16=bfloat16), shape, dtype, network)

    def preload(self) -> None:
        quiet_openvino()


def graph_title(*, bfloat16: bool) -> str:
    """Return the full title of OpenVINO where it computes a network in a file."""
    return OpenVINOEngine().full_title(None, bfloat16=bfloat16)


def prepared_graph(graph: OnnxGraph, *, bfloat16: bool) -> PreparedNetwork:
    """Return a network in a file ready to run. Raises `WeightsError` where the file is not what it was, or OpenVINO does not
    compute it."""
    one = (graph.side, graph.side, 3)
    shape = (graph.facts.batch or batch_of(one), *one)
    network = graph.compiled(shape[0], bfloat16=bfloat16 and has_bfloat16())
    return _Prepared(graph_title(bfloat16=bfloat16), shape, np.dtype(np.uint8), network)


class _Prepared(PreparedNetwork):
    """A converted network that OpenVINO has compiled."""

    def __init__(self, title: str, shape: tuple[int, ...], dtype: np.dtype[Any], compiled: Any) -> None:
        super().__init__(title, shape, dtype)
        self._compiled = compiled

    def run(self, batches: Iterable[NDArray[Any]]) -> Iterator[NDArray[np.float32]]:
        """Yield as `PreparedNetwork` says. One request waits beside those at work, so that none idles while Python is busy."""
        requests = self._compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS") + 1
        free = [self._compiled.create_infer_request() for _ in range(requests)]
        busy: deque[tuple[Any, int]] = deque()
        try:
            for inputs in batches:
                if not free:
                    request, count = busy.popleft()
                    free.append(request)
                    yield _result(request, count)
                busy.append((self._start(free.pop(), inputs), len(inputs)))
            while busy:
                yield _result(*busy.popleft())
        finally:
            for request, _ in busy:
                request.wait()

    def _start(self, request: Any, inputs: NDArray[Any]) -> Any:
        """Let `request` compute. Its own memory is filled, since nobody knows what becomes of that of `inputs`."""
        self.require_batch(inputs)
        place = request.get_input_tensor().data
        place[: len(inputs)] = inputs
        place[len(inputs) :] = 0
        request.start_async()
        return request


def batch_of(shape: tuple[int, ...]) -> int:
    """Return the examples of a request, of which one has that `shape`: a power of two."""
    places = PLACES[len(shape) + 1] / prod(shape[:2])
    return int(2 ** np.clip(round(np.log2(places)), 0, np.log2(LARGEST)))


def has_bfloat16() -> bool:
    """Return whether this processor has instructions for it, as far as OpenVINO can tell."""
    try:
        return "BF16" in quiet_openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    except (ImportError, OSError, RuntimeError):  # an installation that is damaged; `prepare` meets it, too
        return False


def _result(request: Any, count: int) -> NDArray[np.float32]:
    request.wait()
    return np.array(request.get_output_tensor().data[:count], np.float32)
