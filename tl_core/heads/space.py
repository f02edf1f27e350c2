"""The coordinates in which heads are solved, and what is required of features and settings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tl_core.errors import DataError, SettingError
from tl_core.heads.head import Head, Labels, Matrix, normalise_in_place, normalised
from tl_core.notes import Note, NoteKind

ABSENT = 30.0
"""How far the logit of a class without training images lies below the mean of the others. The largest logit is never
below that mean, so such a class never gets more than exp(-30), or 1e-13."""

MANY_NUMBERS = 1 << 24
"""Training features of more numbers than this that come in 32 bits are not copied into 64: 13,000 images of 1280."""

Labelled = tuple[ArrayLike, ArrayLike]
"""Features (images, features), and labels (images,) within 0..classes-1."""


@dataclass(frozen=True, eq=False)
class Space:
    """Training images as `points` (images, coordinates), with `labels` (images,) that count the classes `present`.

    Points are normalised features, centred and divided by `scale`. Where there are more features than images they are
    turned into the space that the images span (`basis`): there lies the solution of any linear model with an L2 penalty
    (the representer theorem), and turning changes no length and no angle, so it stays the same. They are float64, and float32
    where there are `MANY_NUMBERS`: what a head loses by that is far less than it owes to the choice of the images.
    """

    points: Matrix
    labels: Labels
    present: Labels
    classes: int
    centre: Matrix | None
    groups: tuple[int, ...]
    shift: Matrix
    scale: float
    basis: Matrix | None

    @classmethod
    def of(
        cls, images: Labelled, classes: int, *, normalise: bool, groups: Sequence[int] | None = None, turn: bool = True
    ) -> "Space":
        """Return the space of training `images`. Raises `DataError` without images or with features that are not finite.

        Args:
            images: Features (images, features) and labels (images,), 0..classes-1.
            classes: How many classes there are.
            normalise: CL2N, or, where there are `groups`, each of them divided by its norm and nothing centred. Otherwise `scale`
                is the root of the mean squared distance from the mean, so that penalties do not depend on the unit of the
                features.
            groups: The sizes of the groups of features, in order; one group if empty.
            turn: Whether a `basis` is allowed.
        """
        features, labels = usable(images, classes)
        if isinstance(images[0], np.ndarray) and np.may_share_memory(features, images[0]):
            features = features.copy()  # the caller's stay as they are
        width = features.shape[1]
        centre = features.mean(axis=0, dtype=np.float64) if normalise and groups is None else None
        groups = tuple(groups or (width,)) if normalise else ()
        if groups and sum(groups) != width:
            raise ValueError(f"groups {groups} of {width} features")
        offsets = normalise_in_place(features, centre, groups)
        shift = offsets.mean(axis=0, dtype=np.float64)
        offsets -= shift
        scale = 1.0 if normalise else float(np.sqrt(np.einsum("ij,ij->i", offsets, offsets).mean())) or 1.0
        offsets /= scale
        basis = None
        if turn and len(offsets) < width:
            basis, triangle = np.linalg.qr(offsets.T)
            offsets = np.ascontiguousarray(triangle.T)
        present, positions = np.unique(labels, return_inverse=True)
        return cls(offsets, positions, present, classes, centre, groups, shift, scale, basis)

    def coordinates(self, features: Matrix) -> Matrix:
        """Return other images (images, features) as points. What lies outside the spanned space is lost; no head looks there."""
        offsets = normalised(features.astype(self.points.dtype, copy=False), self.centre, self.groups)
        offsets -= self.shift
        offsets /= self.scale
        return offsets if self.basis is None else offsets @ self.basis

    def known(self, images: Labelled | None) -> tuple[Matrix, Labels] | None:
        """Return those of `images` whose class is present, as points and labels; None where there are none.

        On the others all heads are equally wrong, so they choose nothing.
        """
        if images is None or not len(np.asarray(images[1])):
            return None
        features, labels = usable(images, self.classes)
        known = np.isin(labels, self.present)
        return (self.coordinates(features[known]), np.searchsorted(self.present, labels[known])) if known.any() else None

    def head(self, kernel: Matrix, bias: Matrix, **described: Any) -> Head:
        """Return the head with the logits points @ `kernel` (coordinates, present) + `bias` (present,) for the present classes.

        The other classes get the mean of the kernels and that of the biases less `ABSENT`. `described` are the further fields of
        `Head`.
        """
        spread, offset = self._spread(kernel, bias)
        full = np.repeat(spread.mean(axis=1, keepdims=True), self.classes, axis=1)
        full[:, self.present] = spread
        biases = np.full(self.classes, offset.mean() - ABSENT)
        biases[self.present] = offset
        return Head(full, biases, self.centre, self.groups, **described)

    def affine(self, kernel: Matrix, bias: Matrix, **described: Any) -> Head:
        """Return the head that gives points @ `kernel` (coordinates, outputs) + `bias` (outputs,), whatever the labels were."""
        return Head(*self._spread(kernel, bias), self.centre, self.groups, **described)

    def _spread(self, kernel: Matrix, bias: Matrix) -> tuple[Matrix, Matrix]:
        """Return kernel and bias for features that are normalised, in place of those for points."""
        spread = (kernel if self.basis is None else self.basis @ kernel) / self.scale
        return spread, bias - self.shift @ spread

    def constant_head(self) -> Head:
        """Return the head for images that are all of one class: it always says so."""
        return self.head(np.zeros((self.points.shape[1], 1)), np.zeros(1), remarks=(Note(NoteKind.ONE_CLASS),))


def usable(images: Labelled, classes: int) -> tuple[Matrix, Labels]:
    """Return `images` as floats, of 64 bits unless they are `MANY_NUMBERS` of 32, and integers. Raises `DataError` where there is
    none, or a feature is not a finite number."""
    features, labels = np.asarray(images[0]), np.asarray(images[1], np.intp)
    if features.dtype != np.float32 or features.size <= MANY_NUMBERS:
        features = features.astype(np.float64, copy=False)
    if features.ndim != 2 or labels.shape != features.shape[:1] or not ((labels >= 0) & (labels < classes)).all():
        raise ValueError(f"features {features.shape}, labels {labels.shape} within 0..{classes - 1}")
    if not len(features):
        raise DataError("There is no training image, so no head can be fitted.", "Choose a dataset or a split that has some.")
    broken = np.flatnonzero(~np.isfinite(features).all(axis=1))
    if len(broken):
        raise DataError(
            "The network gives features that are not finite numbers, so no head can be fitted to them: its weights are "
            "damaged, or do not suit these images.",
            "Choose another backbone, or replace its weights.",
            received=f"{len(broken)} of {len(features)} images, first the one at position {broken[0]}",
        )
    return features, labels


def positive(name: str, value: float) -> float:
    """Return `value` of the setting `name`. Raises `SettingError` unless it is a number above 0."""
    if not (np.isfinite(value) and value > 0):
        raise SettingError(f"The {name} must be a number above 0.", "Give one, or none to have it chosen.", received=value)
    return float(value)


def weights_of(class_weights: ArrayLike | None, space: Space) -> Matrix:
    """Return weights of the present classes: ones where none are given. Those of other classes weigh nothing and may be anything.

    Raises `SettingError` for what cannot weigh a loss.
    """
    if class_weights is None:
        return np.ones(len(space.present))
    weights = np.asarray(class_weights, np.float64)
    known = weights[space.present] if weights.shape == (space.classes,) else np.zeros(1)
    if not (np.isfinite(known) & (known > 0)).all():
        raise SettingError(
            "Class weights multiply the loss of each class, so there is one for each, and all are above 0.",
            f"Give {space.classes} positive numbers, or none.",
            received=class_weights,
        )
    return known
