"""scikit-learn's small handwritten digits."""

from pathlib import Path
from typing import ClassVar

import numpy as np
from pydantic import Field

from tl_core.data.formats.paths import packaged_file
from tl_core.data.splitting import hold_out
from tl_core.datasets import ArrayImages, Data, Dataset, register
from tl_core.errors import DataError

SIDE, WHITE = 8, 16
TEST_SHARE, VALIDATION_SHARE = 0.25, 0.1
CLASS_NAMES = tuple("0123456789")


@register("digits")
class Digits(Dataset):
    """1,797 handwritten digits of 8 x 8 pixels, which scikit-learn brings along.

    A quarter of each class is the test set and a tenth of the rest is for validation, the same for every run.
    """

    title: ClassVar[str] = "Digits, 8 x 8"
    listing_order: ClassVar[int] = 40

    labels_per_class: int | None = Field(
        None,
        ge=1,
        le=1000,
        title="Labels a class",
        description="How many labelled training images of each digit may be used; empty uses all of them, about 120.",
    )

    def read(self, seed: int) -> Data:
        images = _read(packaged_file("sklearn", "scikit-learn", "datasets/data/digits.csv.gz"))
        rest, test = hold_out(images.labels, TEST_SHARE, CLASS_NAMES, "test")
        kept, held = hold_out(images.labels[rest], VALIDATION_SHARE, CLASS_NAMES, "validation")
        return Data(CLASS_NAMES, images.take(rest[kept]), images.take(rest[held]), images.take(test))

    def location(self) -> str:
        return "the scikit-learn package"


def _read(path: Path) -> ArrayImages:
    """Return all digits, in the file's order, with brightness 0..16 spread over 0..255."""
    try:
        table = np.loadtxt(path, delimiter=",", dtype=np.int64)
    except (OSError, EOFError, ValueError) as error:
        raise DataError(
            f"scikit-learn's digits cannot be read ({error}).", "Install scikit-learn again.", received=path
        ) from None
    pixels = (table[:, :-1] * 255 + WHITE // 2) // WHITE
    return ArrayImages(pixels.astype(np.uint8).reshape(-1, SIDE, SIDE), table[:, -1])
