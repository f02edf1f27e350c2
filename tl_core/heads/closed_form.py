"""Heads that are computed rather than trained: ridge regression and nearest class means.

Their scores are no logits. One temperature, fitted to scores of images that were left out, makes probabilities of them
that mean what they say (Guo et al. 2017, arXiv 1706.04599).
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from tl_core.heads.head import ChosenBy, Head, Labels, Matrix
from tl_core.heads.ridge_path import PENALTIES, Ridge, multiply_adds
from tl_core.heads.ridge_regression import RidgeRegression
from tl_core.heads.solver import Problem
from tl_core.heads.space import Space, weights_of
from tl_core.heads.threads import one_thread

DEFAULT_PENALTY, DEFAULT_RIDGE_TEMPERATURE, DEFAULT_MEANS_TEMPERATURE = 1.0, 1 / 8, 1 / 3
"""Where no class has two images, so that leaving one out leaves nothing to compare it with. Measured with one image a
class on photo patches and on digits."""


@dataclass(frozen=True)
class RidgeClassifier:
    """`ridge`, which chooses its penalty by leaving each image out."""

    title: ClassVar[str] = "ridge regression"
    fits_labels: ClassVar[bool] = True

    def solve(self, given: Problem) -> Head:
        """Return `ridge`'s head. It needs no validation images."""
        return ridge(*given.train, given.classes, normalise=given.normalise, class_weights=given.class_weights)

    def multiply_adds(self, images: int, features: int, classes: int) -> float:
        """Return those of a ridge with any penalty."""
        return multiply_adds(images, features, classes)

    def for_numbers(self) -> RidgeRegression:
        """Return ridge regression of numbers."""
        return RidgeRegression()


@dataclass(frozen=True)
class NearestCentroid:
    """`class_means`."""

    title: ClassVar[str] = "class means"

    def solve(self, given: Problem) -> Head:
        """Return the head of `class_means`. It chooses nothing, and the mean of a class needs no weight."""
        return class_means(*given.train, given.classes, normalise=given.normalise)

    def multiply_adds(self, images: int, features: int, classes: int) -> float:
        """Return the multiply-adds of the distances to the means."""
        return 2.0 * images * features * classes


@one_thread
def ridge(
    features: ArrayLike,
    labels: ArrayLike,
    classes: int,
    *,
    normalise: bool = True,
    class_weights: ArrayLike | None = None,
) -> Head:
    """Fit ridge regression on targets of +1 for an image's class and -1 for the others, in closed form.

    The penalty is the one of `PENALTIES` with the least squared error when each image is left out (exact, from one
    eigendecomposition of the second moments: Rifkin & Lippert 2007, MIT-CSAIL-TR-2007-025), and the temperature is fitted to the
    scores of the left-out images. Neither needs validation images. The normalisation is not repeated without the image left out.
    Raises `DataError` without images or with features that are not finite, `SettingError` for weights that are not positive.

    Args:
        features: Of the training images (images, features).
        labels: Their classes (images,), 0..classes-1.
        classes: How many classes there are.
        normalise: Whether to fit to CL2N features.
        class_weights: (classes,), above 0; they multiply the errors of the images of their class, in the fit and in both choices.
    """
    space = Space.of((features, labels), classes, normalise=normalise)
    weights = np.ones(len(space.labels)) if class_weights is None else weights_of(class_weights, space)[space.labels]
    if len(space.present) == 1:
        return space.constant_head()
    repeated = has_company(space.labels)
    solved = Ridge.of(space.points, 2.0 * np.eye(len(space.present))[space.labels] - 1.0, weights)
    penalty, heat = DEFAULT_PENALTY, DEFAULT_RIDGE_TEMPERATURE
    if repeated.any():
        penalty = PENALTIES[int(np.argmin(solved.errors(PENALTIES)))]
        heat = temperature(solved.left_out(penalty)[repeated], space.labels[repeated], weights[repeated])
    kernel, bias = solved.coefficients(penalty)
    chosen = {"penalty": penalty * space.scale**2, "temperature": heat}
    by = ChosenBy.LEAVE_ONE_OUT if repeated.any() else ChosenBy.DEFAULT
    return space.head(kernel / heat, bias / heat, chosen=chosen, chosen_by=by)


@one_thread
def class_means(features: ArrayLike, labels: ArrayLike, classes: int, *, normalise: bool = True) -> Head:
    """Fit the nearest class mean: logits are -|x - mean|^2 / temperature, but for what all classes share.

    `features` (images, features) and `labels` (images,) within 0..classes-1; with CL2N features, if `normalise`, it is SimpleShot
    (Wang et al. 2019, arXiv 1911.04623). Multiplied out it is an affine map: 2 mean x - |mean|^2. The temperature is fitted to
    the training images, each of which is first taken out of the mean of its class; images alone in their class are left aside,
    and where all are, it is `DEFAULT_MEANS_TEMPERATURE` times the mean squared length of the points.

    There are no class weights: the mean of a class does not depend on how many images there are of it, so a rare class draws its
    borders as a frequent one does. Only the centre of CL2N is that of the images, whatever their classes.

    Raises `DataError` without images or with features that are not finite.
    """
    space = Space.of((features, labels), classes, normalise=normalise, turn=False)
    if len(space.present) == 1:
        return space.constant_head()
    points, counts = space.points, np.bincount(space.labels)
    means = np.eye(len(counts))[space.labels].T @ points / counts[:, None]
    distances = (points**2).sum(axis=1)[:, None] - 2 * points @ means.T + (means**2).sum(axis=1)
    repeated = has_company(space.labels)
    heat, by = DEFAULT_MEANS_TEMPERATURE, ChosenBy.DEFAULT
    if repeated.any():
        apart, own = distances[repeated], space.labels[repeated]
        # Without x the mean of its n images moves away from x, by a factor of n / (n - 1).
        apart[np.arange(len(own)), own] *= (counts[own] / (counts[own] - 1)) ** 2
        heat, by = temperature(-apart, own), ChosenBy.LEAVE_ONE_OUT
    chosen = {"temperature": heat * space.scale**2}
    return space.head(2 * means.T / heat, -(means**2).sum(axis=1) / heat, chosen=chosen, chosen_by=by)


def has_company(labels: Labels) -> np.ndarray:
    """Return whether each image, (images,), has another one in its class."""
    return np.asarray(np.bincount(labels)[labels] > 1)


def temperature(scores: Matrix, labels: Labels, weights: Matrix | None = None) -> float:
    """Return what to divide `scores` (images, classes) by, so that softmax has the least mean cross-entropy with `labels`, to
    which each image contributes by its weight in `weights` (images,), or alike.

    It is as if one more image had been seen that could be of any class: scores that get every image right would otherwise claim
    to be certain (after Platt 1999, Probabilistic outputs for support vector machines).
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    images, classes = scores.shape
    targets = (images * np.eye(classes)[labels] + 1 / classes) / (images + 1)
    spread = float(scores.std(axis=1).mean())
    if spread == 0:
        return 1.0

    def loss(log_temperature: float) -> float:
        losses = (targets * log_softmax(scores / np.exp(log_temperature), axis=1)).sum(axis=1)
        return -float(np.average(losses, weights=weights))

    reach = np.log(1e3)
    found = minimize_scalar(loss, bounds=(np.log(spread) - reach, np.log(spread) + reach), method="bounded")
    return float(np.exp(found.x))
