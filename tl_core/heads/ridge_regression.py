"""A head that predicts a number: ridge regression in closed form."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

from tl_core.heads.head import ChosenBy, Head
from tl_core.heads.ridge_path import PENALTIES, Ridge, multiply_adds
from tl_core.heads.solver import Problem, Score
from tl_core.heads.space import Space, positive
from tl_core.heads.threads import one_thread


@runtime_checkable
class FitsNumbers(Protocol):
    """A solver of heads for classes that has a counterpart for numbers."""

    def for_numbers(self) -> "RidgeRegression":
        """Return the solver that fits a head to numbers in the same way."""


@dataclass(frozen=True)
class RidgeRegression:
    """`ridge_regression` with this `strength`, the inverse penalty C; None chooses it by leaving each image out."""

    title: ClassVar[str] = "ridge regression"
    strength: float | None = None

    def solve(self, given: Problem) -> Head:
        """Return `ridge_regression`'s head. It needs no validation images."""
        return ridge_regression(*given.train, strength=self.strength, normalise=given.normalise, score=given.score)

    @one_thread
    def path(self, given: Problem, strengths: Sequence[float]) -> Sequence[Head]:
        """Return the heads of all `strengths`, of which each but the first costs a product."""
        fit = _Fit.of(*given.train, normalise=given.normalise)
        return [fit.with_strength(strength) for strength in strengths]

    def multiply_adds(self, images: int, features: int, classes: int) -> float:
        """Return those of a ridge with any penalty."""
        return multiply_adds(images, features, classes)


class _Fit(NamedTuple):
    """Training images with their numbers (images, outputs), for which only the penalty is left to be said."""

    space: Space
    solved: Ridge

    @classmethod
    def of(cls, features: ArrayLike, targets: ArrayLike, *, normalise: bool) -> Self:
        """Return that of images (images, features) with numbers (images,) or (images, outputs). Raises `DataError`."""
        wanted = np.asarray(targets, np.float64)
        wanted = wanted.reshape(len(wanted), -1)
        space = Space.of((features, np.zeros(len(wanted), np.intp)), 1, normalise=normalise)
        return cls(space, Ridge.of(space.points, wanted, np.ones(len(wanted))))

    def with_strength(self, strength: float) -> Head:
        """Return the head with this inverse penalty C. Raises `SettingError` for one that is not positive."""
        return self.with_penalty(1 / positive("inverse penalty C", strength) / self.space.scale**2, ChosenBy.GIVEN)

    def with_penalty(self, relative: float, by: ChosenBy) -> Head:
        """Return the head with a penalty that is `relative` to points whose mean squared length is 1."""
        kernel, bias = self.solved.coefficients(relative)
        return self.space.affine(kernel, bias, chosen={"penalty": relative * self.space.scale**2}, chosen_by=by)


@one_thread
def ridge_regression(
    features: ArrayLike,
    targets: ArrayLike,
    *,
    strength: float | None = None,
    normalise: bool = True,
    score: Score | None = None,
) -> Head:
    """Fit ridge regression in closed form: scikit-learn's Ridge with an intercept, on CL2N features if `normalise`.

    The penalty (alpha) is 1 / `strength`; where that is None it is the one of `PENALTIES`, for points whose mean squared length
    is 1, with the least squared error when each image is left out (Rifkin & Lippert 2007, MIT-CSAIL-TR-2007-025), as
    scikit-learn's RidgeCV chooses it. Raises `DataError` without images or with features that are not finite, `SettingError` for
    a strength that is not positive.

    Args:
        features, targets: The training images (images, features), and their numbers (images,) or (images, outputs).
        strength: The inverse of the penalty; None chooses it.
        normalise: Whether to fit to CL2N features.
        score: What is to be least instead of the squared error, of what is said of the images left out; the error decides
            between equal ones.
    """
    fit = _Fit.of(features, targets, normalise=normalise)
    if strength is not None:
        return fit.with_strength(strength)
    solved = fit.solved
    said = solved.left_out_by(PENALTIES) if score else ()
    scores = np.array([score(solved.targets, each) for each in said] if score else [0.0] * len(PENALTIES))
    best = np.lexsort((solved.errors(PENALTIES), scores))[0]
    return fit.with_penalty(PENALTIES[best], ChosenBy.LEAVE_ONE_OUT)
