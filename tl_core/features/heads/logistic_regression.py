"""A head by logistic regression, its penalty chosen on images that it was not fitted to."""

import warnings
from collections.abc import Sequence
from math import ceil, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from tl_core.features.heads.head import Head, Labels, Matrix, cross_entropy
from tl_core.features.heads.newton import Minimum, Objective, newton
from tl_core.features.heads.space import Labelled, Space, positive, weights_of
from tl_core.features.heads.threads import one_thread

STRENGTHS = tuple(10.0**power for power in range(-2, 6))
"""Values of C that are tried, for points whose mean squared length is 1. Decades will do: on features of EfficientNet-Lite0
being half a decade off the best costs less than 0.01 nats."""
FIRST = 1e2
"""The one that is tried first: mostly it, or the next, is the best, and whoever starts at the smallest has spent half of the time
before getting here."""
DEFAULT_STRENGTH = 1e3
"""C where nothing can choose it. With one image a class it was the best decade on photo patches and on digits."""
FOLDS = 5
ENOUGH = 500
"""So many images, held out, choose well enough; of a large training set not every fold is needed."""
GIVEN, VALIDATION, CROSS, DEFAULT = "given", "validation images", "cross-validation", "default"
ITERATIONS, NEARLY = 1000, 3e-5
"""Steps of L-BFGS, and the largest entry of the gradient of the mean loss at their end.

In 32 bits, and by L-BFGS, are the fits that are compared, and any of very many images: at 3e-5 their mean cross-entropy was off
by at most 0.002 nats (the probe and Head2Toe, photo patches and sign digits); 1e-4 was off by up to 0.015, and then chose another
share of the features for Head2Toe. The head that counts is found by Newton's method, in 64 bits."""
UNFINISHED = "Logistic regression had not settled after {} steps; the head can be used, and a smaller C settles sooner."


class Trial(NamedTuple):
    """`points` to fit and points `held` out to test on, each with its labels."""

    points: Matrix
    labels: Labels
    held: Matrix
    held_labels: Labels


@one_thread
def logistic(
    features: ArrayLike,
    labels: ArrayLike,
    classes: int,
    *,
    validation: Labelled | None = None,
    strength: float | None = None,
    normalise: bool = True,
    class_weights: ArrayLike | None = None,
) -> Head:
    """Multinomial logistic regression with an L2 penalty, on CL2N features if `normalise`.

    `features` (images, features) and `labels` (images,) within 0..classes-1 are the training images, and the only ones
    that the head is fitted to; `validation` is such a pair. `strength` is scikit-learn's C: it multiplies the sum of the
    losses, as `class_weights` (classes,) do those of their class. None chooses the power of ten with the least mean
    cross-entropy on the validation images, in cross-validation where there are none, and `DEFAULT_STRENGTH` where no class
    has two images. A class without training images gets a probability below 1e-13.

    Raises `DataError` without images or with features that are not finite, `SettingError` for a strength or weights that
    are not positive.
    """
    space = Space.of((features, labels), classes, normalise=normalise)
    weights = weights_of(class_weights, space)
    others = space.known(validation)
    if len(space.present) == 1:
        return space.constant_head()
    solver = Solver(space.points, space.labels, weights)
    relative, by = DEFAULT_STRENGTH, GIVEN
    if strength is not None:
        relative = positive("inverse penalty C", strength) * space.scale**2
    else:
        trials, by = trials_of(space.points, space.labels, others)
        relative, _, fits = choose_strength(trials, weights)
        solver.begin_at(fits)
    kernel, bias, described = solver.described(relative)
    return space.head(kernel, bias, chosen={"C": relative / space.scale**2}, chosen_by=by, **described)


@one_thread
def logistic_path(
    features: ArrayLike, labels: ArrayLike, classes: int, strengths: Sequence[float], *, normalise: bool = True
) -> tuple[Head, ...]:
    """`logistic` with each of the given `strengths`. From the second on each begins where the one before it ended, which is
    quicker the nearer they are; they settle as far as comparing them takes. Raises as `logistic` does."""
    space = Space.of((features, labels), classes, normalise=normalise)
    if len(space.present) == 1:
        return (space.constant_head(),) * len(strengths)
    solver = Solver.nearly(space.points, space.labels, weights_of(None, space))
    fits = ((each, solver.described(positive("inverse penalty C", each) * space.scale**2)) for each in strengths)
    return tuple(space.head(kernel, bias, chosen={"C": each}, chosen_by=GIVEN, **said) for each, (kernel, bias, said) in fits)


class Solver:
    """Logistic regression on `points` (images, coordinates) with weights (classes,); each fit starts at the last one's end."""

    def __init__(self, points: Matrix, labels: Labels, weights: Matrix) -> None:
        self._points, self._labels, self._weights = points, labels, weights[labels]
        self._start = np.zeros((points.shape[1] + 1, len(weights)), points.dtype)

    @classmethod
    def nearly(cls, points: Matrix, labels: Labels, weights: Matrix) -> "Solver":
        """One for fits that are compared with each other: in 32 bits, half the work, and settled as far as that takes."""
        return cls(points.astype(np.float32, copy=False), labels, weights)

    def fit(self, strength: float) -> Minimum:
        """The least strength * sum(losses) + |kernel|^2 / 2.

        For two classes the penalty is on the difference of the two columns, so that softmax is the usual sigmoid.
        """
        wide = self._points.dtype == np.float64
        found = self._exactly(strength) if wide else self._nearly(strength)
        self._start = found.coefficients
        return found

    def begin_at(self, fits: Sequence[Minimum]) -> None:
        """Let the next fit begin at the mean of others of the same classes; from 0 where there are none."""
        if fits:
            self._start = np.asarray(np.mean([fit.coefficients for fit in fits], axis=0, dtype=self._points.dtype))

    def described(self, strength: float) -> tuple[Matrix, Matrix, dict[str, object]]:
        """What `fit` gives, and the fields of `Head` that say how it went."""
        found = self.fit(strength)
        notes = () if found.settled else (UNFINISHED.format(found.steps),)
        return found.kernel, found.bias, {"iterations": found.steps, "converged": found.settled, "notes": notes}

    def _exactly(self, strength: float) -> Minimum:
        columns = 2 if self._start.shape[1] == 2 else 1  # of two that are opposite, each has a quarter of the difference's square
        penalty = columns / (strength * self._weights.sum())
        unit = max(1.0, sqrt(penalty))  # of the kernel: 32 bits hold no penalty that is beyond all measure
        points = self._points if unit == 1 else self._points / unit
        units = np.append(np.full(points.shape[1], unit), 1.0)[:, None]
        found = newton(Objective(points, self._labels, self._weights, penalty / unit**2), self._start * units)
        return found._replace(coefficients=found.coefficients / units)

    def _nearly(self, strength: float) -> Minimum:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression  # a second to import

        model = LogisticRegression(C=strength, tol=NEARLY, max_iter=ITERATIONS, warm_start=True)
        two = self._start.shape[1] == 2
        start = self._start[:, 1:] - self._start[:, :1] if two else self._start
        model.coef_, model.intercept_, model.classes_ = start[:-1].T, start[-1], np.unique(self._labels)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", ConvergenceWarning)
            model.fit(self._points, self._labels, self._weights.astype(self._points.dtype))
        settled = not any(issubclass(warning.category, ConvergenceWarning) for warning in caught)
        halves = np.array([-0.5, 0.5] if two else [1.0], self._points.dtype)
        return Minimum(np.vstack([model.coef_.T, model.intercept_]) * halves, int(model.n_iter_[0]), settled)


def trials_of(points: Matrix, labels: Labels, others: tuple[Matrix, Labels] | None) -> tuple[list[Trial], str]:
    """What is to choose hyperparameters, and its name: `others` (validation images as points) if any, otherwise folds."""
    if others is not None:
        return [Trial(points, labels, *others)], VALIDATION
    parts = [(fold, ~fold) for fold in folds(labels)]
    return [Trial(points[fit], labels[fit], points[held], labels[held]) for held, fit in parts], CROSS if parts else DEFAULT


def folds(labels: Labels) -> list[np.ndarray]:
    """Masks (images,) of what is held out in each stratified fold; none where no class has two images.

    An image that is alone in its class is never held out. Neighbours in a class go to different folds, so that every class
    is in every training part. There are as many folds as it takes to hold out `ENOUGH` images, at most `FOLDS`.
    """
    repeated = np.flatnonzero(np.bincount(labels)[labels] > 1)
    fold = np.full(len(labels), -1)
    fold[repeated[np.argsort(labels[repeated], kind="stable")]] = np.arange(len(repeated)) % FOLDS
    used = min(FOLDS, len(repeated), ceil(ENOUGH * FOLDS / len(labels)))
    return [fold == index for index in range(used)]


def choose_strength(trials: Sequence[Trial], weights: Matrix) -> tuple[float, float, list[Minimum]]:
    """The one of `STRENGTHS` with the least cross-entropy on what is held out, that loss, averaged over `trials`, and the fits.

    It ascends from `FIRST` as long as that helps, or descends where it does not, and ends when two values in a row are no better
    than the best: the loss has one valley, with too stiff a head on one side and overfitting on the other.
    """
    if not trials:
        return DEFAULT_STRENGTH, np.inf, []
    solvers = [Solver.nearly(trial.points, trial.labels, weights) for trial in trials]

    def tried(strength: float) -> tuple[float, float, list[Minimum]]:
        fits = [solver.fit(strength) for solver in solvers]
        losses = [
            cross_entropy(trial.held @ fit.kernel + fit.bias, trial.held_labels, weights)
            for fit, trial in zip(fits, trials, strict=True)
        ]
        return strength, float(np.mean(losses)), fits

    first = best = tried(FIRST)
    for way in (STRENGTHS[STRENGTHS.index(FIRST) + 1 :], STRENGTHS[: STRENGTHS.index(FIRST)][::-1]):
        worse = 0
        for found in map(tried, way):
            best, worse = (found, 0) if found[1] < best[1] else (best, worse + 1)
            if worse == 2:
                break
        if best is not first:
            break
    return best
