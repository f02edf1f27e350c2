"""Whether a heat map points at what matters, for something that looks at one corner."""

import numpy as np
from numpy.typing import NDArray

from tl_core.analysis.heat_check import STEPS, areas

PICTURE = np.zeros((16, 16, 3), np.uint8)
PICTURE[:8, :8] = np.indices((8, 8)).sum(0)[..., None] % 2 * 255  # what a blurred picture has lost


def contrast(pictures: NDArray[np.float32]) -> NDArray[np.float64]:
    """How much of the corner's pattern is there."""
    return np.asarray(pictures[:, :8, :8].std(axis=(1, 2, 3)) / PICTURE[:8, :8].std(), np.float64)


def test_what_matters_goes_first_and_comes_first() -> None:
    heat = np.zeros((16, 16), np.float32)
    heat[:8, :8] = 1
    right, wrong = areas(contrast, PICTURE, heat), areas(contrast, PICTURE, 1 - heat)
    assert right.deletion < 1 / 3 < 2 / 3 < right.insertion
    assert wrong.insertion < 1 / 3 < 2 / 3 < wrong.deletion


def test_what_does_not_depend_on_the_picture_has_the_same_areas() -> None:
    seen = list[int]()

    def says(pictures: NDArray[np.float32]) -> NDArray[np.float64]:
        seen.append(len(pictures))
        return np.full(len(pictures), 0.4)

    np.testing.assert_allclose(areas(says, PICTURE, np.zeros((16, 16), np.float32)), 0.4)
    assert seen == [2 * (STEPS + 1)]
