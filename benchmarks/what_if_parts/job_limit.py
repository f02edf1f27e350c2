"""How fast the frozen network is computed, and how fast this processor multiplies matrices."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tl_core.features import engines
from tl_core.features.engines.openvino import has_bfloat16
from tl_core.features.inputs import EncodedInputs
from tl_core.networks.openvino import quiet_openvino
from tl_core.recipe import Recipe
from tl_core.spec import RunSpec

SIDE, TIMES = 3072, 6
"""Of the matrices, and how often they are multiplied: the quickest counts."""


def able() -> dict[str, Any]:
    """Return whether the processor has instructions for bfloat16."""
    return {"bfloat16": has_bfloat16()}


def share(spec: dict[str, Any], cache: str, images: int) -> dict[str, Any]:
    """Return the engine's images a second over so many that are decoded already, and its billions of floating-point operations a
    second beside the peak, which is measured before and after."""
    recipe = Recipe.of(RunSpec.parse(spec))
    bfloat16 = recipe.precision.in_bfloat16
    keras.config.set_dtype_policy(recipe.precision.policy)
    train = recipe.dataset.load(recipe.seed).train
    pixels = EncodedInputs(train, recipe.preprocessor()).batch(np.arange(min(images, len(train))))
    network = recipe.backbone.load(recipe.input_size, pretrained=True)
    engine = engines.choose(network.model, bfloat16=bfloat16, conversions=engines.kept_in(Path(cache)))
    batches = np.array_split(pixels, range(engine.batch, len(pixels), engine.batch))
    before = _peaks(bfloat16)
    seconds = _least(lambda: sum(map(len, engine.run(batches))), 3)
    peaks = {name: max(before[name], again) for name, again in _peaks(bfloat16).items()}
    reached = 2 * network.outline().multiply_adds * len(pixels) / seconds / 1e9
    return {"engine": engine.title, "rate": len(pixels) / seconds, "reached": reached, "peaks": peaks, "images": len(pixels)}


def _peaks(bfloat16: bool) -> dict[str, float]:
    left, right = np.random.default_rng(0).random((2, SIDE, SIDE), np.float32)
    work = {f"OpenVINO, {'bfloat16' if bfloat16 else 'float32'}": _openvino(left, right, bfloat16=bfloat16)}
    if not bfloat16:
        work["NumPy, float32"] = lambda: left @ right
    return {name: 2 * SIDE**3 / _least(multiply, TIMES) / 1e9 for name, multiply in work.items()}


def _openvino(left: NDArray[np.float32], right: NDArray[np.float32], *, bfloat16: bool) -> Callable[[], object]:
    openvino = quiet_openvino()
    from openvino import opset13

    given = opset13.parameter(left.shape, np.float32)
    model = openvino.Model([opset13.matmul(given, opset13.constant(right), False, False)], [given])
    hints = {"INFERENCE_PRECISION_HINT": "bf16" if bfloat16 else "f32", "PERFORMANCE_HINT": "LATENCY"}
    request = openvino.Core().compile_model(model, "CPU", hints).create_infer_request()
    return lambda: request.infer([left])


def _least(work: Callable[[], object], times: int) -> float:
    """Return the seconds of the quickest of so many, after one that does not count."""
    work()
    seconds = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begun)
    return min(seconds)
