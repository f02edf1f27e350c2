"""What the answers to what-ifs say together: a metric by the number of labels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tl_core.analysis.statistics import mean_interval
from tl_core.analysis.what_if import ALL, Answer
from tl_core.result import MetricValue


@dataclass(frozen=True)
class Point:
    """The mean of a metric over draws, with `labels` images a class (None: all, `train_images` altogether) and one strength.

    The 95 % interval of what was `found` is that of the mean over the `draws` (Student's t); with one draw, that of the test
    images, if there is one.
    """

    labels: int | None
    strength: float | None
    train_images: int
    found: MetricValue
    draws: tuple[float, ...]


def points(answers: Sequence[Answer], within: Sequence[float]) -> list[Point]:
    """Return one point for each number of labels and each strength, the fewest labels first. Values of the metric lie `within`
    these two ends, where there are any."""
    asked = {(answer.labels, answer.strength) for answer in answers}
    order = sorted(asked, key=lambda pair: (pair[0] or ALL, pair[1] is not None, pair[1] or 0.0))
    return [_point([each for each in answers if (each.labels, each.strength) == pair], within) for pair in order]


def _point(same: Sequence[Answer], within: Sequence[float]) -> Point:
    first, values = same[0], tuple(each.found.value for each in same)
    found = first.found
    if len(same) > 1:
        ends = mean_interval(values, *within)
        found = found.model_copy(update={"value": float(np.mean(values)), "low": ends.low, "high": ends.high})
    return Point(first.labels, first.strength, first.train_images, found, values)
