"""Crops of photographs: where they lie, and that no pixel is in two splits."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tl_core.data.formats.paths import packaged_file
from tl_core.datasets import photo_patches
from tl_core.datasets.photo_patches import LARGEST, PHOTOGRAPHS, SMALLEST, PhotoPatches, Region, crop_boxes, regions
from tl_core.errors import DataError

NAMES = sorted(PHOTOGRAPHS)


def test_defaults() -> None:
    data = PhotoPatches().load(0)
    assert (len(data.train), len(data.validation), len(data.test)) == (160, 160, 800)
    assert len(data.class_names) == 16
    assert np.bincount(data.test.labels).tolist() == [50] * 16


@pytest.mark.parametrize("name", NAMES)
def test_every_photograph_has_room_and_no_pixel_is_in_two_splits(name: str) -> None:
    height, width = photo_patches._photograph(name).shape[:2]
    uses = np.zeros((height, width), dtype=int)
    for code, region in enumerate(regions(height, width).values()):
        assert min(region.bottom - region.top, region.right - region.left) >= SMALLEST
        covered = np.zeros_like(uses, dtype=bool)
        for seed in range(3):
            for top, left, side in crop_boxes(region, 300, [code, seed]):
                assert SMALLEST <= side <= LARGEST
                assert top >= 0
                assert left >= 0
                assert top + side <= height
                assert left + side <= width
                covered[top : top + side, left : left + side] = True
        uses += covered
    assert uses.max() == 1


def test_loaded_crops_lie_in_their_region() -> None:
    """The addresses of the views say where each loaded crop really was cut."""
    data = PhotoPatches(labels_per_class=20, validation_per_class=20, test_per_class=20).load(5)
    for split in ("train", "validation", "test"):
        images = getattr(data, split)
        for index, label in enumerate(images.labels):
            photograph = photo_patches._photograph(list(PHOTOGRAPHS)[label])
            region = regions(*photograph.shape[:2])[split]
            crop = images.pixels[index]
            assert np.shares_memory(crop, photograph)
            offset = crop.__array_interface__["data"][0] - photograph.__array_interface__["data"][0]
            top, left = divmod(offset // 3, photograph.shape[1])
            assert region.top <= top <= top + crop.shape[0] <= region.bottom
            assert region.left <= left <= left + crop.shape[1] <= region.right
            assert crop.shape[0] == crop.shape[1]


@given(height=st.integers(SMALLEST * 3, 2000), width=st.integers(SMALLEST * 3, 2000))
def test_regions_partition_the_photograph(height: int, width: int) -> None:
    parts = regions(height, width)
    area = sum((part.bottom - part.top) * (part.right - part.left) for part in parts.values())
    assert area == height * width
    assert parts["test"].left == width // 2


@given(few=st.integers(0, 30), more=st.integers(30, 60), seed=st.integers(0, 2**31 - 1))
def test_boxes_are_nested(few: int, more: int, seed: int) -> None:
    region = Region(0, 10, 80, 200)
    assert np.array_equal(crop_boxes(region, few, [1, seed]), crop_boxes(region, more, [1, seed])[:few])


def test_boxes_are_the_same_on_every_machine() -> None:
    assert crop_boxes(Region(10, 20, 210, 320), 3, [1, 0, 0]).tolist() == GOLDEN


def test_shared_photographs_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        PhotoPatches().load(0).train.read(0)[0, 0, 0] = 1


def test_a_missing_package_is_said() -> None:
    with pytest.raises(DataError, match="pip install --force-reinstall no-such-package"):
        packaged_file("no_such_module_here", "no-such-package", "data/a.png")
    with pytest.raises(DataError, match=r"data/a\.png"):
        packaged_file("skimage", "scikit-image", "data/a.png")


def test_photographs_are_those_of_the_packages() -> None:
    for name, (module, package, folder) in PHOTOGRAPHS.items():
        assert packaged_file(module, package, f"{folder}/{name}").name == Path(name).name


GOLDEN = [[81, 247, 62], [130, 90, 74], [110, 110, 80]]
