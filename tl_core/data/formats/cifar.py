"""CIFAR's files in the form for Python, which are pickles: their numbers are picked out of them, and nothing is unpickled."""

import pickletools
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tl_core.data.arrays import Arrays
from tl_core.errors import DataError

SIDE, CHANNELS = 32, 3
PIXELS = SIDE * SIDE * CHANNELS
CIFAR10_FILES = (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch")
CIFAR100_FILES = ("train", "test")
"""Those for training, and last the one for the test."""
NUMBERS = {"BININT", "BININT1", "BININT2", "INT", "LONG", "LONG1"}
"""The instructions of a pickle that are whole numbers."""
CIFAR10_NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
CIFAR100_LIST = (
    "apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle "
    "caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish "
    "forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle "
    "mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine "
    "possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar "
    "sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle wardrobe whale "
    "willow_tree wolf woman worm "
)
CIFAR100_NAMES = tuple(CIFAR100_LIST.split())


def read_cifar10(folder: Path) -> Arrays:
    """Return the five training batches and the test batch. Raises `OSError` or `ValueError`."""
    *batches, test = (_read(folder / name, "labels") for name in CIFAR10_FILES)
    images, labels = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    return Arrays(images, labels, *test)


def read_cifar100(folder: Path) -> Arrays:
    """Return training and test images with their fine labels. Raises `OSError` or `ValueError`."""
    train, test = (_read(folder / name, "fine_labels") for name in CIFAR100_FILES)
    return Arrays(*train, *test)


def _read(path: Path, key: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return images (n, 32, 32, 3) and labels (n,) of one file: the longest text in it, and the numbers after the text `key`."""
    pixels, labels, within = b"", list[int](), False
    with path.open("rb") as file:
        for code, value, _ in pickletools.genops(file):
            if isinstance(value, str | bytes):
                content = value.encode("latin-1", "replace") if isinstance(value, str) else value
                within = content == key.encode() or (within and not labels)  # what says how the key is written comes after it
                pixels = max(pixels, content, key=len)
            elif within and code.name in NUMBERS:
                labels.append(int(value or 0))
    if not labels or len(pixels) != PIXELS * len(labels) or not all(0 <= label < 256 for label in labels):
        raise DataError("This is no batch of CIFAR.", "Delete it and fetch it again.", received=path.name)
    images = np.frombuffer(pixels, np.uint8).reshape(-1, CHANNELS, SIDE, SIDE).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images), np.array(labels, np.uint8)
