"""A small network in an ONNX file, written byte by byte: the package `onnx` is not needed to read such files, nor here."""

import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

EXAMPLE = ".example"
"""Stands for it in the contract tests. No network that somebody brings is called so."""
OPSET, FLOAT, INTS = 13, 1, 7
"""Of ONNX: the version of its operators, its numbers for float32 and for a list of integers."""
Node = tuple[str, str, str, Mapping[str, Sequence[int]]]
"""An operator, the names of what goes in, with blanks between them, and of what comes out, and its settings."""
PLAIN: tuple[Node, ...] = (
    ("Conv", "pixels first", "edges", {"kernel_shape": (3, 3), "strides": (2, 2)}),
    ("Relu", "edges", "shapes", {}),
    ("Conv", "shapes second", "features", {"kernel_shape": (3, 3), "strides": (2, 2)}),
)

ANY_SIZE: Mapping[str, Sequence[int | None]] = {"pixels": (None, 3, None, None)}


@cache
def _folder() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="transfer_lab_network_")


@cache
def example_home() -> Path:
    """Return a home with the example on its shelf. It is gone when the process ends."""
    from tl_core.backbones import _shelf
    from tl_core.backbones._scaling import Scaling

    home = Path(_folder().name)
    file = home / "example.onnx"
    file.write_bytes(onnx_bytes())
    _shelf.put(home, EXAMPLE, file, Scaling.SHARES, None)
    return home


def example_weights() -> dict[str, NDArray[np.float32]]:
    """Return the kernels of the two convolutions of `PLAIN`, (out, in, 3, 3)."""
    rng, shapes = np.random.default_rng(0), {"first": (8, 3, 3, 3), "second": (16, 8, 3, 3)}
    return {name: rng.normal(0, 0.2, shape).astype(np.float32) for name, shape in shapes.items()}


def onnx_bytes(
    nodes: Sequence[Node] = PLAIN,
    inputs: Mapping[str, Sequence[int | None]] = ANY_SIZE,
    output: str = "features",
    elsewhere: str = "",
) -> bytes:
    """Return an ONNX file with these `nodes`, inputs of these shapes (None for any side) and that result; `elsewhere` is the
    place of a file in which its weights are said to lie, none where they lie in this one."""
    weights = [_tensor(name, values, elsewhere) for name, values in example_weights().items()]
    graph = b"".join(
        [
            *(_field(1, _node(*each)) for each in nodes),
            _field(2, b"example"),
            *(_field(5, each) for each in weights),
            *(_field(11, _value(name, shape)) for name, shape in inputs.items()),
            _field(12, _value(output, (None,) * 4)),
        ]
    )
    return _field(1, 8) + _field(7, graph) + _field(8, _field(1, b"") + _field(2, OPSET))


def _node(operator: str, taken: str, given: str, told: Mapping[str, Sequence[int]]) -> bytes:
    ends = [_field(1, name.encode()) for name in taken.split()] + [_field(2, name.encode()) for name in given.split()]
    attributes = [
        _field(5, _field(1, name.encode()) + b"".join(_field(8, value) for value in values) + _field(20, INTS))
        for name, values in told.items()
    ]
    return b"".join([*ends, _field(3, given.encode()), _field(4, operator.encode()), *attributes])


def _tensor(name: str, values: NDArray[np.float32], elsewhere: str) -> bytes:
    head = b"".join(_field(1, side) for side in values.shape) + _field(2, FLOAT) + _field(8, name.encode())
    if elsewhere:
        return head + _field(13, _field(1, b"location") + _field(2, elsewhere.encode())) + _field(14, 1)
    return head + _field(9, values.tobytes())


def _value(name: str, shape: Sequence[int | None]) -> bytes:
    """Return what ONNX says of an input or a result."""
    sides = b"".join(_field(1, _field(2, b"any") if side is None else _field(1, side)) for side in shape)
    kind = _field(1, FLOAT) + _field(2, sides)
    return _field(1, name.encode()) + _field(2, _field(1, kind))


def _field(number: int, value: int | bytes) -> bytes:
    """Return a field of protobuf: a number, or bytes with their length."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    """Return a number of protobuf: seven bits a byte, the lowest first, and a mark on all but the last."""
    low = [value >> shift & 127 for shift in range(0, max(1, value.bit_length()), 7)]
    return bytes([*(each | 128 for each in low[:-1]), low[-1]])
