"""Whether a heat map points at what matters to a model: its picture without the hottest places, and with these alone.

"Deletion" and "insertion" (Petsiuk et al. 2018, RISE, arXiv 1806.07421), both against the same picture blurred.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

STEPS = 8
"""Parts in which a picture is blurred, the hottest first."""
BLUR = 1 / 8
"""Of a picture's side: the radius (standard deviation) with which it is blurred until nothing can be recognised."""


class Areas(NamedTuple):
    """The mean of what a model says of a picture (0..1) while it loses its hottest places, and while it gets them. A map that
    points at what matters has little left after the first `deletion`, and much after the first `insertion`."""

    deletion: float
    insertion: float


def areas(
    says: Callable[[NDArray[np.float32]], NDArray[np.float64]], picture: NDArray[np.uint8], heat: NDArray[np.float32]
) -> Areas:
    """Return the areas under both curves; `says` gives the probability (n,) of one and the same output for pictures (n, s, s, 3),
    and `heat` (s, s) is of `picture` (s, s, 3)."""
    blurred = np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(BLUR * len(picture))))
    ranks = np.empty(heat.size, np.intp)
    ranks[np.argsort(-heat, axis=None, kind="stable")] = np.arange(heat.size)
    first = [(ranks < heat.size * step / STEPS).reshape(heat.shape)[..., None] for step in range(STEPS + 1)]
    made = [np.where(is_hot, blurred, picture) for is_hot in first] + [np.where(is_hot, picture, blurred) for is_hot in first]
    curves = np.asarray(says(np.stack(made).astype(np.float32)), np.float64).reshape(2, STEPS + 1)
    return Areas(*(float(np.trapezoid(curve)) / STEPS for curve in curves))
