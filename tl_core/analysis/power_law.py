"""How the error falls with the number of labels: a power law (Hestness 2017), what more labels would bring by it, and silence
where it does not fit."""

from dataclasses import dataclass
from enum import StrEnum
from math import exp, log

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tl_core.analysis.statistics import Interval

FEWEST_COUNTS, FEWEST_RUNS = 3, 4
LEAST_EXPLAINED = 0.8
"""Share of the variance of the log error (its means at each number of labels) that the law explains at least."""
FARTHEST = 2.0
"""Up to so many times the most labels that were tried it foretells anything."""
DOUBTFUL = 0.05
FLOORS, STEPS = 25, 12
"""So many floors are tried, each in so many steps."""


class Silence(StrEnum):
    """Why a power law foretells nothing."""

    TOO_FEW = "too few"
    """Fewer than three numbers of labels, or than four runs."""
    NO_ERROR = "no error"
    """Some run makes no error, or the metric is no error."""
    FLAT = "flat"
    """The error is not shown to fall."""
    POOR_FIT = "poor fit"
    """It explains less than `LEAST_EXPLAINED`, or misses the means by more than the seeds scatter."""
    TOO_FAR = "too far"
    """More than `FARTHEST` times the most labels are asked about."""


@dataclass(frozen=True)
class Branch:
    """The least squares of the log error for one `floor`: the log of the scale and the exponent, their covariance, and the sum of
    squares."""

    floor: float
    parameters: NDArray[np.float64]
    covariance: NDArray[np.float64]
    squares: float


@dataclass(frozen=True)
class PowerLaw:
    """The error is `scale` * labels^-`exponent` + `floor`; the `floor` is 0 unless the data tell it from 0. `branches` are the
    fits with all floors that the data leave possible, each with `free` degrees of freedom; `most` labels were tried."""

    scale: float
    exponent: float
    floor: float
    branches: tuple[Branch, ...]
    free: int
    most: float

    def error(self, labels: ArrayLike) -> NDArray[np.float64]:
        """Return the typical (median) error with so many labels."""
        return np.asarray(self.scale * np.asarray(labels, float) ** -self.exponent + self.floor)

    def interval(self, labels: float) -> Interval:
        """Return the 95% interval of the typical error with so many labels: from the lowest to the highest end of those that the
        possible floors give, since a floor that does not show yet decides what is beyond the data."""
        from scipy.stats import t  # takes a second to import, and few pages need it

        quantile, at = float(t.ppf(0.975, self.free)), np.array([log(labels)])
        logs = []
        for branch in self.branches:
            slope = _slopes(branch.parameters, branch.floor, at)[0]
            half = quantile * float(np.sqrt(slope @ branch.covariance @ slope))
            middle = float(_log_error(branch.parameters, branch.floor, at)[0])
            logs += [middle - half, middle + half]
        return Interval(exp(min(logs)), exp(max(logs)))

    def foretold(self, labels: float) -> Interval | Silence:
        """Return `interval`, unless that is too far from what was tried."""
        return Silence.TOO_FAR if labels > FARTHEST * self.most else self.interval(labels)


def fitted(labels: ArrayLike, errors: ArrayLike) -> PowerLaw | Silence:
    """Return the power law through the errors (n,) of runs with so many labels (n,) each, by least squares of the log error, or
    why there is none.

    Floors from 0 to the least error are tried, and are possible where an F test does not tell them from the best one. The law is
    kept where the exponent's 95% interval is above 0, where it explains `LEAST_EXPLAINED` of the means, and where these lie no
    farther from it than the runs scatter about them (an F test of the lack of fit).
    """
    counts, error = np.asarray(labels, float), np.asarray(errors, float)
    different = len(np.unique(counts))
    if different < FEWEST_COUNTS or len(counts) < FEWEST_RUNS:
        return Silence.TOO_FEW
    if not (np.isfinite(error).all() and (error > 0).all()):
        return Silence.NO_ERROR
    x, y = np.log(counts), np.log(error)
    branches = [_least_squares(x, y, float(floor)) for floor in np.linspace(0.0, error.min(), FLOORS)]
    best = min(branches, key=lambda branch: branch.squares)
    free = len(x) - 3
    possible = [each for each in branches if _is_chance(each.squares - best.squares, 1, best.squares, free) >= DOUBTFUL]
    found = branches[0] if possible[0] is branches[0] else best
    if (why := _doubt(found, x, y)) is not None:
        return why
    level, exponent = found.parameters.tolist()
    return PowerLaw(exp(level), exponent, found.floor, tuple(possible), len(x) - 2, float(counts.max()))


def _least_squares(x: NDArray[np.float64], y: NDArray[np.float64], floor: float) -> Branch:
    """Return the fit with this floor, by Gauss and Newton's steps from the straight line through what is above it."""
    above = np.log(np.maximum(np.exp(y) - floor, 0.05 * np.exp(y)))
    slope, level = np.polyfit(x, above, 1)
    parameters = np.array([level, -slope])
    for _ in range(STEPS if floor else 0):
        rest = y - _log_error(parameters, floor, x)
        parameters = parameters + np.linalg.lstsq(_slopes(parameters, floor, x), rest, rcond=None)[0]
    slopes, rest = _slopes(parameters, floor, x), y - _log_error(parameters, floor, x)
    squares = float(rest @ rest)
    return Branch(floor, parameters, np.linalg.pinv(slopes.T @ slopes) * squares / (len(x) - 2), squares)


def _log_error(parameters: NDArray[np.float64], floor: float, x: NDArray[np.float64]) -> NDArray[np.float64]:
    law = parameters[0] - parameters[1] * x
    return np.asarray(np.logaddexp(law, log(floor)) if floor else law)


def _slopes(parameters: NDArray[np.float64], floor: float, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the derivatives (n, 2) of the log error by both parameters."""
    share = np.exp(parameters[0] - parameters[1] * x - _log_error(parameters, floor, x))[:, None]
    return np.asarray(share * np.stack([np.ones_like(x), -x], axis=1))


def _doubt(found: Branch, x: NDArray[np.float64], y: NDArray[np.float64]) -> Silence | None:
    from scipy.stats import t  # as above

    error = float(np.sqrt(found.covariance[1, 1]))
    if found.parameters[1] - float(t.ppf(0.975, len(x) - 2)) * error <= 0:
        return Silence.FLAT
    different = np.unique(x)
    means = np.array([y[x == each].mean() for each in different])
    weights = np.array([(x == each).sum() for each in different])
    missed = float(weights @ (means - _log_error(found.parameters, found.floor, different)) ** 2)
    if 1 - missed / float(weights @ (means - y.mean()) ** 2) < LEAST_EXPLAINED:
        return Silence.POOR_FIT
    between, within = len(different) - 2 - (found.floor > 0), len(x) - len(different)
    return Silence.POOR_FIT if _is_chance(missed, between, found.squares - missed, within) < DOUBTFUL else None


def _is_chance(extra: float, more: int, rest: float, free: int) -> float:
    """Return the p-value of the F test that so many `more` parameters save `extra` squares by chance; 1 where there is none."""
    from scipy.stats import f  # as above

    if more < 1 or free < 1 or rest <= 0:
        return 1.0
    return float(f.sf(extra / more / (rest / free), more, free))
