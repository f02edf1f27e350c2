"""What a run is fed with: computed once, by content, whoever asks."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.tools.toy import SIZE, toy_network
from tl_core.data import resizing
from tl_core.data.resizing import SquarePixels
from tl_core.datasets import ArrayImages, FileImages
from tl_core.features import engines
from tl_core.features.cache import ActivationCache
from tl_core.features.extractor import DECODE_BATCH, FeatureExtractor, View, fits_float16
from tl_core.features.frozen import FrozenPart
from tl_core.features.inputs import EncodedInputs
from tl_core.features.predict import predict
from tl_core.networks.outline import Network
from tl_core.result import FrozenPartRecord

COUNT = DECODE_BATCH + 9


def images(count: int = COUNT, first: int = 0) -> ArrayImages:
    values = np.random.default_rng(0).integers(0, 256, (first + count, 20, 24, 3), dtype=np.uint8)
    return ArrayImages(values[first:], np.arange(count, dtype=np.int64) % 3)


@pytest.fixture
def cache(tmp_path: Path) -> ActivationCache:
    return ActivationCache(tmp_path, 10**9)


def supply(cache: ActivationCache) -> FeatureExtractor:
    return FeatureExtractor(cache, SquarePixels(SIZE), bfloat16=False, wait=lambda: None)


def part_of(network: Network) -> FrozenPart:
    return FeatureExtractor(ActivationCache(Path("none"), 0), SquarePixels(SIZE), bfloat16=False, wait=lambda: None).part(
        network.model
    )


def nothing(count: int) -> None:
    return


def refuse(*arguments: object, **settings: object) -> Any:
    raise AssertionError("nothing was to be computed")


def test_features_are_what_keras_gives(cache: ActivationCache) -> None:
    network, _ = toy_network()
    told: list[int] = []
    got = supply(cache).features(part_of(network), images(), told.append)
    assert sum(told) == len(got) == COUNT
    expected = predict(network.model, EncodedInputs(images(), SquarePixels(SIZE)), nothing)
    np.testing.assert_allclose(got.values, expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())
    np.testing.assert_array_equal(got.batch(np.array([5, 2, 5])), got.values[[5, 2, 5]])


def test_a_second_time_nothing_is_decoded_and_nothing_run(cache: ActivationCache, monkeypatch: pytest.MonkeyPatch) -> None:
    network, _ = toy_network()
    first = supply(cache).features(part_of(network), images(), nothing).values
    decoded = supply(cache).inputs(images(), nothing).batch(np.arange(COUNT))
    monkeypatch.setattr(resizing, "center_crop_resize", refuse)
    monkeypatch.setattr(engines, "choose", refuse)
    again = supply(cache)
    np.testing.assert_array_equal(again.features(part_of(network), images(), nothing).values, first)
    np.testing.assert_array_equal(again.inputs(images(), nothing).batch(np.arange(COUNT)), decoded)
    assert again.tally.take_record() == FrozenPartRecord(reused=COUNT)
    assert again.tally.take_record() == FrozenPartRecord()


def test_only_the_images_that_are_new_are_computed(cache: ActivationCache) -> None:
    """Whatever their labels, and whatever else was asked for with them."""
    network, _ = toy_network()
    supply(cache).features(part_of(network), images(20), nothing)
    some = ArrayImages(images(30).pixels[10:], np.zeros(20, np.int64))
    told: list[int] = []
    then = supply(cache)
    then.features(part_of(network), some, told.append)
    assert sum(told) == 10
    assert then.tally.computed == {"Keras, float32": 10}
    assert then.tally.reused == 10


def test_other_weights_and_other_sizes_are_other_rows(cache: ActivationCache) -> None:
    network, _ = toy_network()
    one = supply(cache).features(part_of(network), images(), nothing).values
    weight = network.model.trainable_weights[0]
    weight.assign(np.asarray(weight) + 0.1)
    assert np.abs(supply(cache).features(part_of(network), images(), nothing).values - one).max() > 0
    larger = FeatureExtractor(cache, SquarePixels(SIZE + 4), bfloat16=False, wait=lambda: None)
    assert larger.inputs(images(), nothing).batch(np.arange(2)).shape == (2, SIZE + 4, SIZE + 4, 3)


def test_pixels_for_which_there_is_no_room_are_decoded_whenever_asked_for(tmp_path: Path) -> None:
    small = ActivationCache(tmp_path, 1000)
    given = supply(small).inputs(images(), nothing)
    np.testing.assert_array_equal(
        given.batch(np.array([3, 1])), EncodedInputs(images(), SquarePixels(SIZE)).batch(np.array([3, 1]))
    )
    assert not list(tmp_path.iterdir())


def photographs(folder: Path) -> FileImages:
    """Files that are larger than what becomes of them."""
    paths = tuple(folder / f"{number}.jpg" for number in range(12))
    for path, values in zip(paths, images(12).pixels, strict=True):
        Image.fromarray(np.kron(values, np.ones((8, 8, 1), np.uint8))).save(path)
    return FileImages(paths, images(12).labels)


def tables(cache: ActivationCache) -> int:
    return len({part.name.split("-")[0] for part in cache.folder.glob("*.part")})


def test_a_pass_keeps_pictures_from_large_files_and_takes_those_that_are_kept(tmp_path: Path) -> None:
    network, _ = toy_network()
    large, decoded = photographs(tmp_path), list[int]()
    cache, other = ActivationCache(tmp_path / "cache", 10**9), ActivationCache(tmp_path / "other", 10**9)
    first = supply(cache).features(part_of(network), large, nothing).values
    assert len(supply(cache).inputs(large, decoded.append)) == 12
    assert (decoded, tables(cache)) == ([], 2)
    assert len(supply(other).inputs(large, decoded.append)) == sum(decoded) == 12
    for path in large.paths:
        path.write_bytes(b"")
    np.testing.assert_array_equal(supply(other).features(part_of(network), large, nothing).values, first)


def test_a_pass_does_not_keep_pictures_that_are_soon_made(cache: ActivationCache) -> None:
    network, _ = toy_network()
    supply(cache).features(part_of(network), images(), nothing)
    assert tables(cache) == 1


def brighter(pictures: np.ndarray, group: int) -> np.ndarray:
    return pictures.astype(np.float32) + 10 * group + 0.4


def test_views_are_changed_in_groups_whatever_is_missing(cache: ActivationCache, tmp_path: Path) -> None:
    network, _ = toy_network()
    view = View("brighter", brighter)
    whole = supply(cache).features(part_of(network), images(), nothing, view).values
    changed = np.clip(
        EncodedInputs(images(), SquarePixels(SIZE)).batch(np.arange(COUNT)).astype(int)
        + 10 * (np.arange(COUNT) // DECODE_BATCH)[:, None, None, None],
        0,
        255,
    )
    expected = network.model.predict(changed.astype(np.float32), verbose=0)
    np.testing.assert_allclose(whole, expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())
    other = ActivationCache(tmp_path / "other", 10**9)
    supply(other).features(part_of(network), images(), nothing, view)
    for part in sorted(other.folder.glob("*.part"))[:1]:
        part.unlink()
    np.testing.assert_array_equal(supply(other).features(part_of(network), images(), nothing, view).values, whole)
    plain = supply(cache).features(part_of(network), images(), nothing).values
    assert np.abs(plain - whole).max() > 0


@pytest.mark.parametrize(
    ("rows", "well"),
    [
        (lambda rng: rng.normal(size=(50, 200)), True),
        (lambda rng: 1000 + rng.normal(size=(50, 200)), False),  # what tells them apart is lost beside what they share
        (lambda rng: 1e-7 * rng.normal(size=(50, 200)), False),  # below the least number of 16 bits that is whole
        (lambda rng: 1e5 * rng.normal(size=(50, 200)), False),
        (lambda rng: np.zeros((50, 200)), True),
    ],
    ids=["usual", "far from 0", "tiny", "huge", "zeros"],
)
def test_16_bits_where_they_lose_nothing(rows: Callable[[np.random.Generator], np.ndarray], *, well: bool) -> None:
    assert fits_float16(rows(np.random.default_rng(0)).astype(np.float32)) is well
