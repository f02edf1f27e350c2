"""What a linear head is: a normalisation of the features, one affine map, softmax.

Every head is this, however it was found, so that all go into the same layers of a model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tl_core.notes import Note

Matrix = NDArray[np.float64]
Labels = NDArray[np.intp]


class ChosenBy(StrEnum):
    """What chose the hyperparameters of a head."""

    GIVEN = "given"
    VALIDATION = "validation images"
    CROSS_VALIDATION = "cross-validation"
    LEAVE_ONE_OUT = "leave-one-out"
    DEFAULT = "default"


@dataclass(frozen=True, eq=False)
class Head:
    """A linear classifier: logits = normalised features @ kernel + bias.

    `kernel` is (features, classes) and `bias` (classes,), both float64. `centre` (features,) is subtracted from the
    features first, where there is one. `groups` are the sizes of consecutive groups of features, each of which is then
    divided by its L2 norm: no group for no division, one of all features for CL2N (SimpleShot, Wang et al. 2019,
    arXiv 1911.04623).

    `chosen` holds the hyperparameters by name and `chosen_by` says what chose them. `iterations` is 0 for a closed form;
    `remarks` are what one should know of this fit.
    """

    kernel: Matrix
    bias: Matrix
    centre: Matrix | None = None
    groups: tuple[int, ...] = ()
    chosen: Mapping[str, float] = field(default_factory=dict)
    chosen_by: ChosenBy | None = None
    iterations: int = 0
    converged: bool = True
    remarks: tuple[Note, ...] = ()

    @property
    def unit(self) -> bool:
        """Return whether features are divided by a norm."""
        return bool(self.groups)

    def logits(self, features: ArrayLike) -> Matrix:
        """Return the logits (images, classes) of `features` (images, features)."""
        return normalised(np.asarray(features, np.float64), self.centre, self.groups) @ self.kernel + self.bias

    def probabilities(self, features: ArrayLike) -> Matrix:
        """Return the probabilities (images, classes) of `features` (images, features); each row sums to 1."""
        from scipy.special import softmax  # a fifth of a second to import, and pages never fit a head

        return np.asarray(softmax(self.logits(features), axis=1))


def normalised(features: Matrix, centre: Matrix | None, groups: Sequence[int]) -> Matrix:
    """Return `features` (images, features) less `centre` (features,), each of the `groups` divided by its L2 norm.

    A norm counts as no less than what float32, in which networks compute, can tell from the centre: an image that lies there
    stays at 0, and does not become a random direction of length 1.
    """
    return normalise_in_place(features.copy(), centre, groups)


def normalise_in_place(features: Matrix, centre: Matrix | None, groups: Sequence[int]) -> Matrix:
    """Do as `normalised` does, but in place, for features of which there may be gigabytes."""
    if centre is not None:
        features -= centre
    end = 0
    for size in groups:
        start, end = end, end + size
        part = features[:, start:end]
        blur = 0.0 if centre is None else np.finfo(np.float32).eps * np.linalg.norm(centre[start:end])
        norms = np.sqrt(np.einsum("ij,ij->i", part, part))[:, None]
        part /= np.maximum(norms, max(float(blur), np.finfo(np.float64).tiny))
    return features


def cross_entropy(logits: Matrix, labels: Labels, weights: Matrix | None = None) -> float:
    """Return the mean cross-entropy, in nats, of `logits` (images, classes); images weigh 1, or as their class in `weights`."""
    from scipy.special import log_softmax

    losses = -log_softmax(logits, axis=1)[np.arange(len(labels)), labels]
    return float(np.average(losses, weights=None if weights is None else weights[labels]))
