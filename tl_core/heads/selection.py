"""Head2Toe: a head on the most useful features of all blocks (Evci et al. 2022, arXiv 2201.03529).

Features of all blocks are pooled, divided by their L2 norm block by block, and joined. A group lasso ranks them, the best
share is kept, and a new head is fitted to those. Two things differ from the paper: the lasso is solved to its optimum, at
which useless features have a row of zeros, where gradient steps leave small numbers; and both it and the head see
standardised features, which served better (photo patches, EfficientNet-Lite0, 2 to 94 labels a class).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from tl_core.errors import SettingError
from tl_core.heads.group_lasso import GroupLasso, group_lasso
from tl_core.heads.head import ChosenBy, Head, Labels, Matrix
from tl_core.heads.logistic_regression import (
    DEFAULT_STRENGTH,
    Fold,
    LogisticRegression,
    LogisticSolver,
    choose_strength,
    chosen_on_some,
    trials_of,
)
from tl_core.heads.solver import Problem, Score
from tl_core.heads.space import Labelled, Space, weights_of
from tl_core.heads.threads import one_thread
from tl_core.notes import Note, NoteKind

KEEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 1.0)
"""Shares of the features that are tried."""
DEFAULT_KEEP = 1.0
"""Where nothing can choose the share. With one image a class a selection has little to go by, and keeping all was better."""


@dataclass(frozen=True, eq=False)
class Selection:
    """Indices of the features that are `kept`, ascending; the `scores` of all features (features,), the L2 norms of their
    rows in the group lasso; and the share `keep`, with what it was `chosen_by`."""

    kept: Labels
    scores: Matrix
    keep: float
    chosen_by: ChosenBy


@dataclass(frozen=True, eq=False)
class Ranked:
    """Features in order of use, with what standardises them. The `deviation` of one that does not vary is infinite."""

    mean: Matrix
    deviation: Matrix
    lasso: GroupLasso
    order: Labels

    @classmethod
    def of(cls, points: Matrix, labels: Labels, weights: Matrix) -> "Ranked":
        """Rank by a group lasso on `points` (images, features)."""
        mean, deviation = points.mean(axis=0), points.std(axis=0)
        varies = deviation > np.finfo(np.float32).eps * deviation.max()
        deviation = np.where(varies, deviation, np.inf)
        lasso = group_lasso((points - mean) / deviation, labels, weights)
        return cls(mean, deviation, lasso, lasso.ranking())

    @property
    def remarks(self) -> tuple[Note, ...]:
        """Return what one should know of the ranking."""
        return () if self.lasso.converged else (Note(NoteKind.APPROXIMATE_RANKING),)

    def kept(self, keep: float) -> Labels:
        """Return the share `keep` of the features, at least one: indices, ascending."""
        return np.sort(self.order[: max(1, round(keep * len(self.order)))])

    def narrowed(self, points: Matrix, kept: Labels) -> Matrix:
        """Return the features `kept` of other points, standardised."""
        return (points[:, kept] - self.mean[kept]) / self.deviation[kept]


@dataclass(frozen=True)
class SelectedFeatures:
    """`head2toe` with this share of the features to `keep`; None chooses it."""

    title: ClassVar[str] = "logistic regression on selected features"
    keep: float | None = None

    def solve(self, given: Problem) -> Head:
        """Return the head of `head2toe`."""
        settings: dict[str, Any] = {"normalise": given.normalise, "class_weights": given.class_weights, "score": given.score}
        return head2toe(*given.train, given.classes, keep=self.keep, validation=given.validation, **settings)

    def multiply_adds(self, images: int, features: int, classes: int) -> float:
        """Return the multiply-adds of logistic regression that chooses its penalty."""
        return LogisticRegression().multiply_adds(images, features, classes)


@one_thread
def select_features(
    features: ArrayLike,
    labels: ArrayLike,
    classes: int,
    *,
    keep: float | None = None,
    validation: Labelled | None = None,
    normalise: bool = True,
    groups: Sequence[int] = (),
    class_weights: ArrayLike | None = None,
) -> Selection:
    """Return the features that a group lasso uses most. Raises as `head2toe` does.

    Args:
        features, labels, classes, keep, validation, normalise, groups, class_weights: As in `head2toe`.
    """
    space = Space.of((features, labels), classes, normalise=normalise, groups=groups, turn=False)
    weights = weights_of(class_weights, space)
    share, by = require_share(keep), ChosenBy.GIVEN
    if share is None:
        share, _, by = choose(space, weights, space.known(validation), KEEPS)
    ranked = Ranked.of(space.points, space.labels, weights)
    return Selection(ranked.kept(share), ranked.lasso.scores, share, by)


@one_thread
def head2toe(
    features: ArrayLike,
    labels: ArrayLike,
    classes: int,
    *,
    keep: float | None = None,
    validation: Labelled | None = None,
    normalise: bool = True,
    groups: Sequence[int] = (),
    class_weights: ArrayLike | None = None,
    score: Score | None = None,
) -> Head:
    """Fit logistic regression to the share `keep` of the features that a group lasso finds most useful.

    The head has a row for every feature, with zeros for those that are not kept. Raises `DataError` without images or with
    features that are not finite, `SettingError` for a share outside 0..1 or weights that are not positive.

    Args:
        features, labels, classes: The training images (images, features), and their classes (images,), 0..classes-1.
        keep: Above 0, at most 1. None chooses it, as the penalty is chosen, by the least mean cross-entropy.
        validation: Features and labels for that; without them, cross-validation, each fold with a selection of its own.
        normalise: Whether the head divides each of `groups` by its norm; otherwise the model must, before it joins them.
        groups: The sizes of the blocks' features, in order; all one block if empty.
        class_weights, score: As in `logistic`.
    """
    space = Space.of((features, labels), classes, normalise=normalise, groups=groups, turn=False)
    weights, share = weights_of(class_weights, space), require_share(keep)
    if len(space.present) == 1:
        return space.constant_head()
    share, strength, by = choose(space, weights, space.known(validation), KEEPS if share is None else (share,), score)
    ranked = Ranked.of(space.points, space.labels, weights)
    kept = ranked.kept(share)
    narrow = narrow_space(ranked, space.points, space.labels, kept)
    kernel, bias, described = LogisticSolver(narrow.points, narrow.labels, weights).described(strength)
    inner = narrow.head(kernel, bias, **described)
    full = np.zeros((space.points.shape[1], len(weights)))
    full[kept] = inner.kernel / ranked.deviation[kept, None]
    chosen = {"keep": share, "kept": float(len(kept)), "C": strength / narrow.scale**2}
    described["remarks"] += ranked.remarks + chosen_on_some(by, space.labels)
    return space.head(full, inner.bias - ranked.mean @ full, chosen=chosen, chosen_by=by, **described)


def require_share(keep: float | None) -> float | None:
    """Return `keep` as it is. Raises `SettingError` unless it is None or within 0..1, 0 excluded."""
    if keep is not None and not 0 < keep <= 1:
        raise SettingError("The share of features to keep must be above 0 and at most 1.", "Give 0.1, say.", received=keep)
    return keep


def choose(
    space: Space,
    weights: Matrix,
    others: tuple[Matrix, Labels] | None,
    keeps: Sequence[float],
    score: Score | None = None,
) -> tuple[float, float, ChosenBy]:
    """Return the share and the inverse penalty with the least cross-entropy on what is held out, and what that was.

    Args:
        space: That of the training images.
        weights: Those of the classes.
        others: Validation images, as points, with their labels.
        keeps: The shares that are tried.
        score: As in `logistic`.
    """
    trials, by = trials_of(space.points, space.labels, others)
    if not trials or len(weights) == 1:
        return (keeps[0] if len(keeps) == 1 else DEFAULT_KEEP), DEFAULT_STRENGTH, by
    rankings = [Ranked.of(trial.points, trial.labels, weights) for trial in trials]
    found: list[tuple[tuple[float, ...], float, float]] = []
    for keep in keeps:
        strength, loss, _ = choose_strength([_narrow(*pair, keep) for pair in zip(trials, rankings, strict=True)], weights, score)
        found.append((loss, keep, strength))
    _, keep, strength = min(found)
    return keep, strength, by


def narrow_space(ranked: Ranked, points: Matrix, labels: Labels, kept: Labels) -> Space:
    """Return the space of the features `kept`, standardised."""
    return Space.of((ranked.narrowed(points, kept), labels), int(labels.max()) + 1, normalise=False)


def _narrow(trial: Fold, ranked: Ranked, keep: float) -> Fold:
    kept = ranked.kept(keep)
    space = narrow_space(ranked, trial.points, trial.labels, kept)
    held = space.coordinates(ranked.narrowed(trial.held, kept))
    return Fold(space.points, trial.labels, held, trial.held_labels)
