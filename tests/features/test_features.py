"""Pixels at a run's size, and what a network makes of them."""

import itertools
import threading
from collections.abc import Iterator

import keras
import numpy as np
import pytest
from PIL import Image

from tests.tools.toy import SIZE, toy_network
from tl_core.data.resizing import SquarePixels, center_crop_resize
from tl_core.datasets import ArrayImages
from tl_core.errors import DataError
from tl_core.features.inputs import EncodedInputs
from tl_core.features.predict import BATCH, predict
from tl_core.features.prefetch import prefetch


def images(count: int, size: int = 20) -> ArrayImages:
    values = np.random.default_rng(0).integers(0, 256, (count, size, size + 4, 3), dtype=np.uint8)
    return ArrayImages(values, np.arange(count, dtype=np.int64) % 3)


def test_a_square_of_the_right_size_is_left_alone() -> None:
    image = images(1).read(0)[:, :20]
    np.testing.assert_array_equal(center_crop_resize(Image.fromarray(image), 20), image)


@pytest.mark.parametrize(("height", "width"), [(10, 31), (31, 10), (7, 8), (1, 300)])
def test_the_middle_square_is_taken(height: int, width: int) -> None:
    """Grey outside the middle square, where nothing of it may be seen."""
    side = min(height, width)
    image = np.full((height, width, 3), 128, np.uint8)
    top, left = (height - side) // 2, (width - side) // 2
    image[top : top + side, left : left + side] = 10
    fitted = center_crop_resize(Image.fromarray(image), 16)
    assert fitted.shape == (16, 16, 3)
    assert fitted.dtype == np.uint8
    assert (fitted == 10).all()


def test_batches_are_the_images_in_the_order_asked_for() -> None:
    source = images(12)
    sized = EncodedInputs(source, SquarePixels(16))
    for order in ([3, 1, 3], [0], list(range(12))[::-1], [5, 5, 5]):
        expected = np.stack([center_crop_resize(source.picture(index), 16) for index in order])
        np.testing.assert_array_equal(sized.batch(np.array(order)), expected)
    assert len(sized) == 12
    assert sized.labels is source.labels


class Damaged(ArrayImages):
    """Images of which one cannot be read."""

    def picture(self, index: int, least: int | None = None) -> Image.Image:
        if index == 7:
            raise DataError("This image cannot be decoded.", received="7.png")
        return super().picture(index)


def test_a_damaged_image_is_told_each_time() -> None:
    source = images(8)
    sized = EncodedInputs(Damaged(source.pixels, source.labels), SquarePixels(16))
    assert len(sized.batch(np.arange(7))) == 7
    for _ in range(2):
        with pytest.raises(DataError, match=r"7\.png"):
            sized.batch(np.array([6, 7]))


@pytest.mark.parametrize("count", [1, 4, 9])
def test_ahead_changes_nothing(count: int) -> None:
    assert list(prefetch(iter(range(5)), count)) == [0, 1, 2, 3, 4]
    assert list(prefetch([None, None])) == [None, None]
    assert list(prefetch([])) == []


@pytest.mark.parametrize("count", [1, 3])
def test_ahead_is_so_many_items_ahead_and_no_more(count: int) -> None:
    made = []

    def source() -> Iterator[int]:
        for number in itertools.count():
            made.append(number)
            yield number

    items = prefetch(source(), count)
    before = threading.active_count()
    assert [next(items) for _ in range(3)] == [0, 1, 2]
    items.close()  # type: ignore[attr-defined]
    assert made == list(range(len(made)))
    assert 3 <= len(made) <= 3 + count
    assert threading.active_count() == before


def test_ahead_raises_where_the_source_did() -> None:
    def source() -> Iterator[int]:
        yield 1
        raise DataError("This image cannot be decoded.")

    items = prefetch(source())
    assert next(items) == 1
    with pytest.raises(DataError):
        next(items)


@pytest.mark.parametrize("count", [1, BATCH, BATCH + 1, 2 * BATCH + 5])
def test_features_do_not_depend_on_the_batches(count: int) -> None:
    network, _ = toy_network()
    told: list[int] = []
    sized = EncodedInputs(images(count), SquarePixels(SIZE))
    got = predict(network.model, sized, told.append)
    assert sum(told) == count
    assert got.shape == (count, network.model.output.shape[-1])
    assert got.dtype == np.float32
    singles = [sized.batch(np.array([index])).astype(np.float32) for index in range(count)]
    one_by_one = np.concatenate([network.model.predict_on_batch(single) for single in singles])
    np.testing.assert_allclose(got, one_by_one, rtol=1e-4, atol=1e-5)


def test_no_images_no_features() -> None:
    network, _ = toy_network()
    assert predict(network.model, EncodedInputs(images(0), SquarePixels(SIZE)), lambda count: None).shape == (0, 6)


def test_the_head_on_features_is_the_whole_model() -> None:
    """What lets a head be trained on features that were computed once."""
    network, model = toy_network()
    sized = EncodedInputs(images(9), SquarePixels(SIZE))
    head = keras.Model(network.model.output, model.output)
    through = head.predict_on_batch(predict(network.model, sized, lambda count: None))
    whole = predict(model, sized, lambda count: None)
    np.testing.assert_allclose(through, whole, rtol=1e-4, atol=1e-6)
