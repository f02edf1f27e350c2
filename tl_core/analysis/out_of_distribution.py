"""Whether an example lies outside of what a model was trained on, by how far its features are from those of the training.

"Deep nearest neighbours" (Sun et al. 2022, Out-of-distribution detection with deep nearest neighbors, arXiv 2204.06507): the
distance to the k-th nearest of them, all features brought to length 1, against a threshold that examples like those of the
training exceed at a rate that is chosen.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from tl_core.analysis.neighbours import Matrix, Nearest, nearest, nearest_others
from tl_core.analysis.statistics import Interval, wilson
from tl_core.heads.head import normalised

FALSE_ALARMS = 0.05
"""The share of examples like those of the training that may be said to lie outside."""
FEWEST = ceil(1 / FALSE_ALARMS) - 1
"""Of fewer distances no threshold has that rate."""
MOST_NEIGHBOURS = 10


@dataclass(frozen=True)
class Threshold:
    """From more than which `distance` (0..2) to its `k`-th nearest training example on an example is said to lie outside.

    It was fitted to `fitted` examples of the split `fitted_on`, so that `FALSE_ALARMS` of their like exceed it. Of the `tested`
    examples of the run's own test, which chose nothing, `alarms` do.
    """

    k: int
    distance: float
    fitted_on: str
    fitted: int
    tested: int
    alarms: int

    @property
    def measured(self) -> float:
        """Return the share of false alarms on the test, 0..1."""
        return self.alarms / self.tested

    @property
    def interval(self) -> Interval:
        """Return its 95% Wilson interval."""
        return wilson(self.alarms, self.tested)


class Trained:
    """The training examples of a model, by their `features` (n, d), of so many `classes`; 1 where they are of none. At least two
    examples."""

    def __init__(self, features: Matrix, classes: int) -> None:
        self._points = _of_length_1(features)
        self.k = min(MOST_NEIGHBOURS, max(1, len(features) // (2 * classes)), len(features) - 1)
        """Half of the examples of a class: more would be of others."""

    def nearest(self, features: Matrix) -> Nearest:
        """Return the `k` training examples that are the nearest to each of the `features` (m, d)."""
        return nearest(_of_length_1(features), self._points, self.k)

    def threshold(self, validation: Matrix, test: Matrix) -> Threshold | None:
        """Return the threshold by the features of the validation examples (m, d), or, where these are fewer than `FEWEST`, by
        those of the training examples, each held against the others; measured on those of the `test` examples (at least one).
        None where these are too few, too."""
        distances: Mapping[str, NDArray[np.float64]] = {
            "validation": self.nearest(validation).distances[:, -1],
            "train": nearest_others(self._points, self.k).distances[:, -1],
        }
        split = next((name for name, found in distances.items() if len(found) >= FEWEST), None)
        if split is None:
            return None
        found, of_test = distances[split], self.nearest(test).distances[:, -1]
        limit = exceeded_at(FALSE_ALARMS, found)
        return Threshold(self.k, limit, split, len(found), len(of_test), int((of_test > limit).sum()))


def exceeded_at(rate: float, found: NDArray[np.float64]) -> float:
    """Return what another one like those `found` (n,), no fewer than 1 / `rate` - 1, exceeds at most at that rate: the quantile
    of split-conformal prediction."""
    return float(np.sort(found)[ceil((len(found) + 1) * (1 - rate)) - 1])


def _of_length_1(features: Matrix) -> Matrix:
    return normalised(features, None, (features.shape[1],))
