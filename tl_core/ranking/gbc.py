"""GBC: how far Gaussians of the classes overlap."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from tl_core.heads.threads import one_thread
from tl_core.ranking import Labels, Matrix, TransferabilityScore, register

LEAST_VARIANCE = 1e-4
"""The authors' own, so that a feature that does not vary within a class does not decide alone."""


@register("gbc")
class GBC(TransferabilityScore):
    """How far the classes overlap, each taken for a Gaussian: at most 0, where no two do.

    Minus the sum over pairs of classes of their Bhattacharyya coefficients, on at most 64 principal components (Pándy et al.
    2022, arXiv 2111.12780).
    """

    title: ClassVar[str] = "GBC"
    listing_order: ClassVar[int] = 50

    covariance: Literal["spherical", "diagonal"] = Field(
        "spherical", title="Covariance", description="One variance a class, or one for each of its components."
    )
    dimensions: int = Field(64, ge=1, le=4096, title="Components", description="Principal components of more features.")

    def value(self, features: Matrix, labels: Labels, source: Matrix | None = None) -> float:
        means, variances = _gaussians(_reduced(features, self.dimensions), labels)
        if self.covariance == "spherical":
            variances = variances.mean(axis=1, keepdims=True)
        return -float(_coefficients(means, variances).sum())


@one_thread
def _reduced(features: Matrix, dimensions: int) -> Matrix:
    """Return the principal components of the features, or the features where they are no more."""
    from sklearn.decomposition import PCA

    if features.shape[1] <= dimensions or len(features) == 1:
        return features
    return PCA(min(dimensions, len(features)), svd_solver="full").fit_transform(features)


def _gaussians(points: Matrix, labels: Labels) -> tuple[Matrix, Matrix]:
    """Return the means and variances (classes, d) of the classes that have examples."""
    groups = [points[labels == each] for each in np.unique(labels)]
    variances = np.stack([group.var(axis=0) for group in groups])
    return np.stack([group.mean(axis=0) for group in groups]), np.maximum(variances, LEAST_VARIANCE)


def _coefficients(means: Matrix, variances: Matrix) -> Matrix:
    """Return the Bhattacharyya coefficient of each pair of classes, in both orders; of one variance a class (classes, 1) as the
    authors' code has it, which counts its logarithm once, not once a dimension."""
    found = np.zeros((len(means), len(means)))
    for each, (mean, variance) in enumerate(zip(means, variances, strict=True)):
        common = (variances + variance) / 2
        apart = ((means - mean) ** 2 / common).sum(axis=1) / 8
        spread = (np.log(common) - (np.log(variances) + np.log(variance)) / 2).sum(axis=1) / 2
        found[each] = np.exp(-apart - spread)
    np.fill_diagonal(found, 0.0)
    return found
