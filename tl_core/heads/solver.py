"""What computes a head from features, instead of training it in epochs: a value that carries its own code."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tl_core.heads.head import Head, Labels, Matrix
from tl_core.heads.space import Labelled

Score = Callable[[NDArray[Any], NDArray[Any]], float]
"""From labels (images,) and probabilities (images, classes), or labels and what else is said of them, to a number that is the
lower the better they are."""


@dataclass(frozen=True, eq=False)
class Problem:
    """What a head is computed for.

    Args:
        train: The images that it is fitted to: features (images, features) and labels (images,) within 0..classes-1, or the
            numbers that are to be predicted (images, outputs).
        classes: How many classes, or outputs, there are.
        normalise: Whether the head centres the features and brings them to length 1 first.
        validation: Such a pair, for a solver that chooses a setting by it.
        class_weights: What the loss of each class is multiplied by, (classes,), for a solver that sums up a loss.
        score: What chooses a setting by what is said of held-out images; None is their cross-entropy.
    """

    train: Labelled
    classes: int
    normalise: bool = True
    validation: Labelled | None = None
    class_weights: ArrayLike | None = None
    score: Score | None = None


def mean_score(said: Sequence[tuple[Matrix, Labels]], score: Score) -> float:
    """Return the mean `score` of logits (images, classes) and labels (images,) of several sets of held-out images."""
    from scipy.special import softmax

    return float(np.mean([score(labels, softmax(logits, axis=1).astype(np.float32)) for logits, labels in said]))


class Solver(Protocol):
    """A way to compute a head. A frozen dataclass beside the function that it calls; its fields are the settings.

    `title` says what it does, in pages and in plans.
    """

    title: ClassVar[str]

    def solve(self, given: Problem) -> Head:
        """Return the head, which normalises features if, and only if, `given.normalise`: so does the network that it goes into.

        Raises `DataError` without images or with features that are not finite, and `SettingError` for settings or weights that
        do not fit.
        """

    def multiply_adds(self, images: int, features: int, classes: int) -> float:
        """Return about how many multiply-adds `solve` takes for so many training images. Linear algebra is on one thread."""


@runtime_checkable
class FitsPath(Solver, Protocol):
    """A solver with an inverse penalty C that fits a head with each of several at once, which is quicker than one by one."""

    def path(self, given: Problem, strengths: Sequence[float]) -> Sequence[Head]:
        """Return a head for each of the `strengths`, ascending, whatever the solver's own is. Raises as `Solver.solve`."""
