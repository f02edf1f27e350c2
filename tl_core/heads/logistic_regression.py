"""A head by logistic regression, its penalty chosen on images that it was not fitted to."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from tl_core.heads.curvature import Preconditioner
from tl_core.heads.head import ChosenBy, Head, Labels, Matrix, cross_entropy
from tl_core.heads.newton import Minimum, Objective, newton
from tl_core.heads.ridge_regression import RidgeRegression
from tl_core.heads.solver import Problem, Score, mean_score
from tl_core.heads.space import Labelled, Space, positive, weights_of
from tl_core.heads.threads import one_thread
from tl_core.notes import Note, NoteKind

STRENGTHS = tuple(10.0**power for power in range(-2, 6))
"""Values of C that are tried, for points whose mean squared length is 1. Decades will do: on features of EfficientNet-Lite0
being half a decade off the best costs less than 0.01 nats."""
FIRST_STRENGTH = 1e2
"""The one that is tried first: mostly it, or the next, is the best, and whoever starts at the smallest has spent half of the time
before getting here."""
DEFAULT_STRENGTH = 1e3
"""C where nothing can choose it. With one image a class it was the best decade on photo patches and on digits."""
FOLDS = 5
MAX_HELD_OUT = 500
"""So many images, held out, choose well enough; of a large training set not every fold is needed."""
ENOUGH_TO_FIT = 5_000
"""Of so many training images the penalty is chosen, where there are more: the head that counts is fitted to all of them. On
Fashion-MNIST the same C was the best for 10,000 and for 45,000 images."""
FIT_PRODUCTS, CHOICE_PRODUCTS = 50, 200
"""Products with the images and back that a fit takes, and choosing the penalty. Measured: 52 and 320 for Fashion-MNIST (45,000
images, 1,280 features), and 60 for the choice with 1,200 classes of one image each."""
READING_CLASSES = 30
"""To how many classes it comes that a product reads the images."""


class Fold(NamedTuple):
    """`points` to fit and points `held` out to test on, each with its labels."""

    points: Matrix
    labels: Labels
    held: Matrix
    held_labels: Labels


@dataclass(frozen=True)
class LogisticRegression:
    """`logistic` with this `strength`, the inverse penalty C; None chooses it."""

    title: ClassVar[str] = "logistic regression"
    fits_labels: ClassVar[bool] = True
    strength: float | None = None

    def solve(self, given: Problem) -> Head:
        """Return `logistic`'s head."""
        settings: dict[str, Any] = {"normalise": given.normalise, "class_weights": given.class_weights, "score": given.score}
        return logistic(*given.train, given.classes, strength=self.strength, validation=given.validation, **settings)

    @one_thread
    def path(self, given: Problem, strengths: Sequence[float]) -> Sequence[Head]:
        """Return the heads, each settled as far as comparing them takes: a fit begins where the one before it ended."""
        space = Space.of(given.train, given.classes, normalise=given.normalise)
        if len(space.present) == 1:
            return (space.constant_head(),) * len(strengths)
        solver = LogisticSolver.nearly(space.points, space.labels, weights_of(given.class_weights, space))
        fits = ((each, solver.described(positive("inverse penalty C", each) * space.scale**2)) for each in strengths)
        by = ChosenBy.GIVEN
        return [space.head(kernel, bias, chosen={"C": each}, chosen_by=by, **said) for each, (kernel, bias, said) in fits]

    def for_numbers(self) -> RidgeRegression:
        """Return ridge regression with the same penalty: both are linear models with a penalty on the squared weights."""
        return RidgeRegression(self.strength)

    def multiply_adds(self, images: int, features: int, classes: int) -> float:
        """Return the multiply-adds of a fit, and of choosing the penalty where it is not given."""
        product = 2.0 * min(images, features) * (classes + READING_CLASSES)
        choice = CHOICE_PRODUCTS * min(images, ENOUGH_TO_FIT) if self.strength is None else 0
        return product * (FIT_PRODUCTS * images + choice)


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
    score: Score | None = None,
) -> Head:
    """Fit multinomial logistic regression with an L2 penalty. Raises `DataError` without images or with features that are not
    finite, `SettingError` for a strength or weights that are not positive. A class without images gets a probability below 1e-13.

    Args:
        features, labels, classes: The training images (images, features), and their classes (images,), 0..classes-1.
        validation: Features and labels of images that help to choose the strength; the head is not fitted to them.
        strength: scikit-learn's C, which multiplies the sum of the losses. None: the power of ten with the least mean
            cross-entropy on the validation images, or in cross-validation; `DEFAULT_STRENGTH` where no class has two images.
        normalise: Whether to fit to CL2N features.
        class_weights: (classes,), above 0; they multiply the losses of the images of their class.
        score: What is to be least instead of the cross-entropy; that decides between equal ones.
    """
    space = Space.of((features, labels), classes, normalise=normalise)
    weights = weights_of(class_weights, space)
    if len(space.present) == 1:
        return space.constant_head()
    solver = LogisticSolver(space.points, space.labels, weights)
    relative, by = DEFAULT_STRENGTH, ChosenBy.GIVEN
    if strength is not None:
        relative = positive("inverse penalty C", strength) * space.scale**2
        nearly = LogisticSolver.nearly(space.points, space.labels, weights)  # from 0 a weak penalty leads astray
        solver.begin_at([nearly.fit(each) for each in STRENGTHS if FIRST_STRENGTH <= each < relative][-1:])
    else:
        trials, by = trials_of(space.points, space.labels, space.known(validation))
        relative, _, fits = choose_strength(trials, weights, score)
        solver.begin_at(fits)
    kernel, bias, described = solver.described(relative)
    remarks = described.pop("remarks") + chosen_on_some(by, space.labels)
    return space.head(kernel, bias, chosen={"C": relative / space.scale**2}, chosen_by=by, remarks=remarks, **described)


class LogisticSolver:
    """Logistic regression on `points` (images, coordinates) with weights (classes,); each fit starts at the last one's end."""

    def __init__(self, points: Matrix, labels: Labels, weights: Matrix) -> None:
        self._points, self._labels, self._weights = points, labels, weights[labels]
        self._start = np.zeros((points.shape[1] + 1, len(weights)), points.dtype)
        self._preconditioner: Preconditioner | None = None

    @classmethod
    def nearly(cls, points: Matrix, labels: Labels, weights: Matrix) -> "LogisticSolver":
        """Return a solver for fits that are compared: in 32 bits, half the work, and settled as far as comparing takes."""
        return cls(points.astype(np.float32, copy=False), labels, weights)

    def fit(self, strength: float) -> Minimum:
        """Minimise strength * sum(losses) + |kernel|^2 / 2.

        For two classes the penalty is on the difference of the two columns, so that softmax is the usual sigmoid.
        """
        columns = 2 if self._start.shape[1] == 2 else 1  # of two that are opposite, each has a quarter of the difference's square
        penalty = columns / (strength * self._weights.sum())
        unit = max(1.0, sqrt(penalty))  # of the kernel: 32 bits hold no penalty that is beyond all measure
        points = self._points if unit == 1 else self._points / self._points.dtype.type(unit)
        units = np.append(np.full(points.shape[1], unit), 1.0)[:, None]
        found = newton(
            Objective(points, self._labels, self._weights, penalty / unit**2, self._preconditioner), self._start * units
        )
        self._start = (found.coefficients / units).astype(points.dtype, copy=False)
        self._preconditioner = found.preconditioner
        return found._replace(coefficients=self._start)

    def begin_at(self, fits: Sequence[Minimum]) -> None:
        """Let the next fit begin at the mean of others of the same classes; from 0 where there are none."""
        if fits:
            mean = np.mean([fit.coefficients for fit in fits], axis=0, dtype=self._points.dtype)
            self._start = mean - mean.mean(axis=1, keepdims=True)  # what all classes share says nothing
            self._preconditioner = fits[-1].preconditioner

    def described(self, strength: float) -> tuple[Matrix, Matrix, dict[str, Any]]:
        """Return what `fit` gives, and the fields of `Head` that say how it went."""
        found = self.fit(strength)
        remarks = () if found.settled else (Note(NoteKind.NOT_CONVERGED, (found.steps,)),)
        return found.kernel, found.bias, {"iterations": found.steps, "converged": found.settled, "remarks": remarks}


def trials_of(points: Matrix, labels: Labels, others: tuple[Matrix, Labels] | None) -> tuple[list[Fold], ChosenBy]:
    """Return what is to choose hyperparameters, and its name: `others` (validation images as points) if any, otherwise folds.
    Each is fitted to about `ENOUGH_TO_FIT` images at most."""
    if others is not None:
        fit = some(labels, ENOUGH_TO_FIT)
        return [Fold(points[fit], labels[fit], *others)], ChosenBy.VALIDATION
    trials = list[Fold]()
    for held in folds(labels):
        kept = np.flatnonzero(~held)
        fit = kept[some(labels[kept], ENOUGH_TO_FIT)]
        trials.append(Fold(points[fit], labels[fit], points[held], labels[held]))
    return trials, ChosenBy.CROSS_VALIDATION if trials else ChosenBy.DEFAULT


def some(labels: Labels, most: int) -> Labels:
    """Return the indices of about `most` images, ascending, or of all if there are no more: of every class its share, and one."""
    if len(labels) <= most:
        return np.arange(len(labels))
    ordered = np.argsort(labels, kind="stable")
    spread = ordered[np.linspace(0, len(labels) - 1, most).astype(np.intp)]
    return np.union1d(spread, np.unique(labels, return_index=True)[1])


def chosen_on_some(by: ChosenBy, labels: Labels) -> tuple[Note, ...]:
    """Return the remark on a penalty that was chosen `by` fits to some of many images with these `labels`."""
    fewer = by in (ChosenBy.VALIDATION, ChosenBy.CROSS_VALIDATION) and len(labels) > ENOUGH_TO_FIT
    return (Note(NoteKind.CHOSEN_ON_FEWER, (ENOUGH_TO_FIT, len(labels))),) if fewer else ()


def folds(labels: Labels, enough: int = MAX_HELD_OUT) -> list[np.ndarray]:
    """Return masks (images,) of what is held out in each stratified fold; none where no class has two images.

    An image that is alone in its class is never held out. Neighbours in a class go to different folds, so that every class is in
    every training part. There are as many folds as it takes to hold out `enough` images, at most `FOLDS`.
    """
    repeated = np.flatnonzero(np.bincount(labels)[labels] > 1)
    fold = np.full(len(labels), -1)
    fold[repeated[np.argsort(labels[repeated], kind="stable")]] = np.arange(len(repeated)) % FOLDS
    used = min(FOLDS, len(repeated), ceil(enough * FOLDS / len(labels)))
    return [fold == index for index in range(used)]


def choose_strength(
    trials: Sequence[Fold], weights: Matrix, score: Score | None = None
) -> tuple[float, tuple[float, ...], list[Minimum]]:
    """Return which of `STRENGTHS` has the least cross-entropy on what is held out, that loss (mean of `trials`), and the fits.
    Where there is a `score`, it comes before the loss, and all strengths are tried: it may have several valleys.

    It ascends from `FIRST_STRENGTH` as long as that helps, or descends where it does not, and ends when two values in a row are
    no better than the best: the loss has one valley, with too stiff a head on one side and overfitting on the other.
    """
    if not trials:
        return DEFAULT_STRENGTH, (np.inf,), []
    solvers = [LogisticSolver.nearly(trial.points, trial.labels, weights) for trial in trials]

    def tried(strength: float) -> tuple[float, tuple[float, ...], list[Minimum]]:
        fits = [solver.fit(strength) for solver in solvers]
        said = [(trial.held @ fit.kernel + fit.bias, trial.held_labels) for fit, trial in zip(fits, trials, strict=True)]
        loss = float(np.mean([cross_entropy(*each, weights) for each in said]))
        return strength, (loss,) if score is None else (mean_score(said, score), loss), fits

    first = best = tried(FIRST_STRENGTH)
    for way in (STRENGTHS[STRENGTHS.index(FIRST_STRENGTH) + 1 :], STRENGTHS[: STRENGTHS.index(FIRST_STRENGTH)][::-1]):
        worse = 0
        for found in map(tried, way):
            best, worse = (found, 0) if found[1] < best[1] else (best, worse + 1)
            if worse == 2 and score is None:
                break
        if best is not first and score is None:
            break
    return best
