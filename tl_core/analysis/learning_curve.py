"""What the answers to what-ifs say together: accuracy by the number of labels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tl_core.analysis.statistics import Interval, mean_interval, wilson
from tl_core.analysis.what_if import ALL, Answer


@dataclass(frozen=True)
class Point:
    """Mean accuracy over draws, 0..1, with `labels` images a class (None: all, `train_images` altogether) and one strength.

    `interval` is the 95 % one of the mean over the draws (Student's t); with one draw, that of the share of the test images.
    """

    labels: int | None
    strength: float | None
    train_images: int
    accuracy: float
    interval: Interval
    draws: tuple[float, ...]


def points(answers: Sequence[Answer]) -> list[Point]:
    """Return one point for each number of labels and each strength, the fewest labels first."""
    asked = {(answer.labels, answer.strength) for answer in answers}
    order = sorted(asked, key=lambda pair: (pair[0] or ALL, pair[1] is not None, pair[1] or 0.0))
    return [_point([each for each in answers if (each.labels, each.strength) == pair]) for pair in order]


def _point(same: Sequence[Answer]) -> Point:
    first = same[0]
    shares = tuple(each.correct / each.test_images for each in same)
    interval = mean_interval(shares, 0.0, 1.0) if len(shares) > 1 else wilson(first.correct, first.test_images)
    return Point(first.labels, first.strength, first.train_images, float(np.mean(shares)), interval, shares)
