"""Conversion for OpenVINO by Keras' own export. One takes seconds, half of them Keras' tracing, and is kept."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from tl_core.features.engines import _conversion_cache
from tl_core.features.engines._converted import Converted
from tl_core.features.engines._networks import input_of
from tl_core.features.engines._policies import in_policy
from tl_core.features.inputs import as_taken
from tl_core.networks.identity import identity
from tl_core.networks.openvino import quiet_openvino

OUTPUT = "Identity:0"
"""TensorFlow's name of what a traced function gives."""
TOLERANCE = 1e-3
"""Part of the norm of what Keras gives by which a converted network may be off. Rounding makes about 1e-6."""


class CannotConvert(Exception):  # noqa: N818  # it says what is the case; nobody made a mistake
    """What OpenVINO makes of the network is not the network."""


Shape = tuple[int | None, ...]
"""Of a batch; None where it may have any number of examples."""


def converted(model: Any, shape: tuple[int, ...], folder: Path | None, known: str | None = None) -> Converted:
    """Return `model`, in float32, for batches of `shape`: the one kept in `folder` or a new one, which is then kept there.

    `known` is its `identity`, for who has looked for that. Raises `CannotConvert` where what OpenVINO gives is not what Keras
    gives, and whatever Keras' export and OpenVINO raise.
    """
    network = (known or identity(model)) if folder else None
    if folder is None or network is None:
        return convert(model, shape)
    key = f"{network} {shape} {_versions()}"
    content = _conversion_cache.load(folder, key)
    if content is not None:
        return Converted.unpacked(content)
    new = convert(model, shape)
    _conversion_cache.save(folder, key, new.packed())
    return new


def convert(model: Any, shape: tuple[int, ...]) -> Converted:
    """Return `model`, in float32, for batches of `shape`, found to give what Keras gives. Raises as `converted` does."""
    import keras

    if keras.backend.backend() == "jax":  # said before anything is traced, which takes seconds
        raise CannotConvert("Keras' export makes one XLA program of a network that JAX computes.")
    exact = in_policy(model, bfloat16=False)
    with TemporaryDirectory(prefix="transfer_lab_") as folder:
        graph = Path(folder) / "network.xml"
        write_graph(exact, shape, graph)
        found = Converted(graph.read_bytes(), graph.with_suffix(".bin").read_bytes())
        _require_same(found, exact, shape)
    return found


def write_graph(model: Any, shape: Shape, graph: Path) -> None:
    """Write `model`, for batches of `shape`, to the file `graph` (.xml) and one beside it. Raises as `converted` does."""
    quiet_openvino()
    with _own_logging():
        _export(model, shape, graph)
        _tidy(graph, shape)


@contextmanager
def _own_logging() -> Iterator[None]:
    """Keep the root logger as it is: where OpenVINO's conversion fails, it leaves a filter and a level that silence everybody."""
    root = logging.getLogger()
    level, filters, handlers = root.level, root.filters[:], root.handlers[:]
    try:
        yield
    finally:
        root.setLevel(level)
        root.filters[:], root.handlers[:] = filters, handlers


def _export(model: Any, shape: Shape, graph: Path) -> None:
    import keras
    from openvino.frontend.tensorflow import utils

    # To learn the version of TensorFlow, which is imported by then, it does `exec("del tensorflow")` within a function: a
    # `NameError` from Python 3.13 on (PEP 667).
    utils.exec = lambda _statement: None
    signature = [keras.InputSpec(shape=shape, dtype=str(model.input.dtype))]
    model.export(str(graph), format="openvino", verbose=False, input_signature=signature)


def _tidy(graph: Path, shape: Shape) -> None:
    """Give the exported network its one output, and its shape. Keras' swish has a gradient of its own, for which OpenVINO takes
    each of its results for a result of the network; a network that torch has traced knows no shapes."""
    openvino = quiet_openvino()
    network = openvino.Core().read_model(graph)
    if len(network.outputs) == 1 and not network.is_dynamic():
        return
    found = network.outputs if len(network.outputs) == 1 else [each for each in network.outputs if OUTPUT in each.names]
    if len(found) != 1:
        raise CannotConvert(f"It has {len(network.outputs)} outputs, of which {len(found)} are called {OUTPUT}.")
    tidied = openvino.Model([found[0].get_node()], network.get_parameters())
    tidied.reshape([-1 if side is None else side for side in shape])
    other = graph.with_name("tidied.xml")
    openvino.serialize(tidied, other)
    for suffix in (".xml", ".bin"):
        other.with_suffix(suffix).replace(graph.with_suffix(suffix))


def _require_same(found: Converted, model: Any, shape: tuple[int, ...]) -> None:
    """Raise `CannotConvert` unless both give the same: a mistake here would be one in every number that follows."""
    import keras

    dtype = input_of(model)[1]
    inputs = np.random.default_rng(0).integers(0, _values(model), shape, dtype)
    values = found.compiled(dtype, bfloat16=False)(inputs)[0]
    for place in (0, len(inputs) - 1):  # one at a time: all at once would take Keras hundreds of megabytes
        got = values[place : place + 1]
        expected = keras.ops.convert_to_numpy(model(as_taken(inputs[place : place + 1]), training=False))
        if got.shape != expected.shape or not np.linalg.norm(got - expected) <= TOLERANCE * np.linalg.norm(expected):
            raise CannotConvert("What it gives is not what Keras gives.")


def _values(model: Any) -> int:
    """Return how many values an input may have: 256 for pixels, and what an embedding knows where that is less."""
    return min((layer.input_dim for layer in model.layers if hasattr(layer, "input_dim")), default=256)


def _versions() -> str:
    import keras

    backend = keras.backend.backend()
    return f"keras {keras.__version__}, {backend} {sys.modules[backend].__version__}, openvino {version('openvino')}"
