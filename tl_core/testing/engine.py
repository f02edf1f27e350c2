"""What every inference engine keeps to: it gives what Keras gives, in order, for each image alone, taking few batches ahead."""

import os
import threading
from collections.abc import Callable, Iterator
from functools import cache
from itertools import repeat
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tl_core.features.engines import Engine, PreparedNetwork
from tl_core.testing._toy import SIZE, ToyBackbone

Pixels = NDArray[np.uint8]
EngineCheck = Callable[[type[Engine]], None]

ROUNDING, HALVED = 2e-5, 0.1
"""By how much of their norm results may be off in float32 and in bfloat16."""
AHEAD = 2 * (os.cpu_count() or 1) + 2
"""Batches that are taken before they are wanted, at most."""


def check_gives_what_keras_gives(part: type[Engine]) -> None:
    """In the precision that its title says, which is known before it is made ready."""
    pixels = _images(11)
    expected = np.asarray(keras.ops.convert_to_numpy(_model()(pixels.astype(np.float32), training=False)))
    for bfloat16 in (False, True):
        network = _made(part, bfloat16)
        assert network.title == part.example().full_title(_model(), bfloat16=bfloat16)
        got = _run(network, pixels)
        assert (got.dtype, got.shape) == (np.float32, expected.shape)
        off = np.linalg.norm(got - expected) / np.linalg.norm(expected)
        assert off < (HALVED if network.title.endswith("bfloat16") else ROUNDING)


def check_an_image_alone_gives_the_same_bits(part: type[Engine]) -> None:
    """Whatever else is in its batch."""
    network = _made(part)
    pixels = _images(2 * network.batch + 3)
    together = _run(network, pixels)
    np.testing.assert_array_equal(_run(network, pixels, 1), together)
    np.testing.assert_array_equal(_run(network, pixels, 5), together)
    np.testing.assert_array_equal(_run(network, pixels[::-1])[::-1], together)


def check_batches_come_back_in_order(part: type[Engine]) -> None:
    """And as large as they were, none from none."""
    network = _made(part)
    sizes = [network.batch, 1, 3, network.batch, 2, network.batch - 1, 0, 1] * 3
    pixels = _images(sum(sizes))
    outputs = list(network.run(np.split(pixels, np.cumsum(sizes)[:-1])))
    assert [len(output) for output in outputs] == sizes
    np.testing.assert_array_equal(np.concatenate(outputs), _run(network, pixels))
    assert list(network.run([])) == []


def check_the_memory_of_a_batch_may_be_used_again(part: type[Engine]) -> None:
    """As soon as the next batch is asked for; what was given stays what it is."""
    network, pixels, buffer = _made(part), _images(12), np.empty((1, SIZE, SIZE, 3), np.uint8)

    def reusing() -> Iterator[Pixels]:
        for image in pixels:
            buffer[0] = image
            yield buffer

    expected = _run(network, pixels)
    np.testing.assert_array_equal(np.concatenate(list(network.run(reusing()))), expected)


def check_few_batches_are_taken_ahead(part: type[Engine]) -> None:
    """And whoever leaves before the end leaves nothing running."""
    source, threads = _Counted(), threading.active_count()
    outputs: Any = _made(part).run(source)
    for given in range(1, 20):
        next(outputs)
        assert source.taken <= given + AHEAD
    outputs.close()
    assert source.closed
    assert threading.active_count() == threads


def check_what_is_no_batch_is_told(part: type[Engine]) -> None:
    """As a `ValueError`: pixels of another type or shape, and more of them than a batch has."""
    network = _made(part)
    wrong: list[Any] = [
        _images(2).astype(np.float32),
        np.zeros((2, SIZE + 1, SIZE + 1, 3), np.uint8),
        _images(2)[..., :1],
        _images(2)[0],
        _images(network.batch + 1),
    ]
    for batch in wrong:
        try:
            list(network.run([_images(1), batch]))
        except ValueError:
            continue
        raise AssertionError(f"It takes {batch.dtype} in {batch.shape}.")


class _Counted:
    """Endless batches that know how many were taken and whether anyone still wants more."""

    def __init__(self) -> None:
        self.taken, self.closed = 0, False

    def __iter__(self) -> Iterator[Pixels]:
        try:
            for batch in repeat(_images(2)):
                self.taken += 1
                yield batch
        finally:
            self.closed = True


def _images(count: int) -> Pixels:
    return np.random.default_rng(1).integers(0, 256, (count, SIZE, SIZE, 3), dtype=np.uint8)


@cache
def _model() -> Any:
    return ToyBackbone().load(SIZE, pretrained=False).model


@cache
def _made(part: type[Engine], bfloat16: bool = False) -> PreparedNetwork:
    """Prepare a small network, whether or not it suits."""
    return part.example().prepare(_model(), bfloat16=bfloat16, conversions=None, known=None)


def _run(network: PreparedNetwork, pixels: Pixels, size: int | None = None) -> NDArray[np.float32]:
    """All images in batches of `size`."""
    size = size or network.batch
    return np.concatenate(list(network.run(pixels[start : start + size] for start in range(0, len(pixels), size))))
