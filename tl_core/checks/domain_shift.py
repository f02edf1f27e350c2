"""Whether the test images are like the training images, by a classifier that tries to tell them apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Groups = Sequence[bytes] | None

FOLDS, MOST, FEWEST = 5, 2_000, 10
CLEAR = 0.7
"""An area from which on the two are different without a doubt."""
STRENGTH = 0.01
"""Inverse penalty on standardised features: a weak classifier, which finds a shift of many features, not the chance of a few."""


class Verdict(StrEnum):
    """What can be said of a shift. `UNKNOWN` is one that was not measured; `TOO_FEW` images leave open whether there is any."""

    UNKNOWN = "unknown"
    TOO_FEW = "too_few"
    NONE = "none"
    LITTLE = "little"
    CLEAR = "clear"


@dataclass(frozen=True)
class Shift:
    """The area under the ROC curve of a classifier of training against test images, 0..1, with its 95 % interval: 0.5 where they
    cannot be told apart. `images` were used, of both."""

    auc: float
    low: float
    high: float
    images: int


def domain_auc(train: ArrayLike, test: ArrayLike, groups: tuple[Groups, Groups] = (None, None)) -> Shift | None:
    """Return the shift from `train` (n, d) to `test` (m, d), features of images drawn with the same mix of classes.

    It is None with fewer than ten images of either, or fewer than five of the `groups` (n,) and (m,) to which they belong, where
    these are known. Each image is judged by a logistic regression that was fitted without it and without its group (five folds):
    by its patient it would be told apart from those of others wherever a patient is on one side. The interval is that of Hanley
    and McNeil (1982, The meaning and use of the area under a ROC curve), as if one classifier had judged them all, with as many
    images as there are groups: those of one group say the same.
    """
    from sklearn.metrics import roc_auc_score

    sides = [np.asarray(side) for side in (train, test)]
    steps = [-(-len(side) // MOST) or 1 for side in sides]
    sides = [side[::step] for side, step in zip(sides, steps, strict=True)]
    known = [np.asarray(side)[::step] for side, step in zip(groups, steps, strict=True) if side is not None]
    counts = [len(np.unique(side)) for side in known] if len(known) == len(sides) else [len(side) for side in sides]
    if min(map(len, sides)) < FEWEST or min(counts) < FOLDS:
        return None
    features, is_test = np.concatenate(sides), np.repeat([0, 1], [len(side) for side in sides])
    scores = _judged(features, is_test, np.concatenate(known) if len(known) == len(sides) else None)
    area = float(roc_auc_score(is_test, scores))
    error = _standard_error(area, counts[1], counts[0])
    return Shift(area, max(0.0, area - 1.96 * error), min(1.0, area + 1.96 * error), len(features))


def _judged(features: NDArray[Any], is_test: NDArray[Any], groups: NDArray[Any] | None) -> NDArray[np.float64]:
    """Return how much each image (n,) looks like one of the test, to a classifier that never saw it, nor any of its group."""
    from sklearn.linear_model import LogisticRegression  # a second to import
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=500))
    kind = StratifiedKFold if groups is None else StratifiedGroupKFold
    folds = kind(FOLDS, shuffle=True, random_state=0)
    scores = cross_val_predict(model, features, is_test, groups=groups, cv=folds, method="decision_function")
    return np.asarray(scores, np.float64)


def _standard_error(area: float, positives: int, negatives: int) -> float:
    one, two = area / (2 - area), 2 * area**2 / (1 + area)
    spread = area * (1 - area) + (positives - 1) * (one - area**2) + (negatives - 1) * (two - area**2)
    return sqrt(spread / (positives * negatives))


def verdict(shift: Shift | None) -> Verdict:
    """Return what can be said of the shift."""
    if shift is None:
        return Verdict.UNKNOWN
    if shift.low <= 0.5:
        return Verdict.NONE if shift.high < CLEAR else Verdict.TOO_FEW
    return Verdict.LITTLE if shift.auc < CLEAR else Verdict.CLEAR


def sentence(shift: Shift | None, things: str = "images") -> str:
    """Return the shift of examples, which are called `things`, in a sentence, or that there is none to tell."""
    said = verdict(shift)
    if shift is None:
        return (
            f"Whether test {things} are like training {things} cannot be told from so few: it takes ten of each, of five groups "
            "at least where a table names groups."
        )
    measured = f"area under the ROC curve {shift.auc:.2f} ({shift.low:.2f}-{shift.high:.2f}), {shift.images:,} {things}"
    if said is Verdict.NONE:
        return f"A classifier cannot tell test {things} from training {things} ({measured}): they are of one kind."
    if said is Verdict.TOO_FEW:
        return (
            f"There are too few {things}, or groups of them, to say whether test {things} differ from training {things} "
            f"({measured})."
        )
    if said is Verdict.LITTLE:
        return (
            f"Test {things} differ a little from training {things} ({measured}). A test says how good a model is on {things} "
            "like those of the test set, and it may be better or worse on those like what it learned from."
        )
    return (
        f"Test {things} differ from training {things}: a classifier tells them apart ({measured}). A test says how good a model "
        f"is on {things} like those of the test set, not like those it learned from; find out where the two come from."
    )
