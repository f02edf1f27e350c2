"""Whether the test images are like the training images, by a classifier that tries to tell them apart."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike

FOLDS, MOST, FEWEST = 5, 2_000, 10
STRENGTH = 0.01
"""Inverse penalty on standardised features: a weak classifier, which finds a shift of many features, not the chance of a few."""


@dataclass(frozen=True)
class Shift:
    """The area under the ROC curve of a classifier of training against test images, 0..1, with its 95 % interval: 0.5 where they
    cannot be told apart. `images` were used, of both."""

    auc: float
    low: float
    high: float
    images: int


def domain_auc(train: ArrayLike, test: ArrayLike) -> Shift | None:
    """The shift from `train` (n, d) to `test` (m, d), features of images drawn with the same mix of classes; None with fewer than
    ten of either.

    Each image is judged by a logistic regression that was fitted without it (five folds). The interval is that of Hanley and
    McNeil (1982, The meaning and use of the area under a ROC curve), as if one classifier had judged them all.
    """
    from sklearn.linear_model import LogisticRegression  # a second to import
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    sides = [np.asarray(side)[:: -(-len(np.asarray(side)) // MOST) or 1] for side in (train, test)]
    if min(map(len, sides)) < FEWEST:
        return None
    features, is_test = np.concatenate(sides), np.repeat([0, 1], [len(side) for side in sides])
    model = make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=500))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    scores = cross_val_predict(model, features, is_test, cv=folds, method="decision_function")
    area = float(roc_auc_score(is_test, scores))
    error = _standard_error(area, len(sides[1]), len(sides[0]))
    return Shift(area, max(0.0, area - 1.96 * error), min(1.0, area + 1.96 * error), len(features))


def _standard_error(area: float, positives: int, negatives: int) -> float:
    one, two = area / (2 - area), 2 * area**2 / (1 + area)
    spread = area * (1 - area) + (positives - 1) * (one - area**2) + (negatives - 1) * (two - area**2)
    return sqrt(spread / (positives * negatives))


def told(shift: Shift) -> str:
    """The shift in a sentence."""
    measured = f"area under the ROC curve {shift.auc:.2f} ({shift.low:.2f}-{shift.high:.2f}), {shift.images:,} images"
    if shift.low <= 0.5:
        return f"A classifier cannot tell test images from training images ({measured}): they are of one kind."
    if shift.auc < 0.7:
        return f"Test images differ a little from training images ({measured}). The test is a bit harder than the training."
    return (
        f"Test images differ from training images: a classifier tells them apart ({measured}). The accuracy says how well the "
        "network does on images like those of the test set, not like those it learned from; find out where the two come from."
    )
