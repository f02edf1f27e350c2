"""N-LEEP: LEEP of clusters of the features."""

from typing import ClassVar

import numpy as np
from pydantic import Field

from tl_core.heads.threads import one_thread
from tl_core.ranking import Labels, Matrix, TransferabilityScore, register
from tl_core.ranking.leep import expected_log_probability

VARIANCE = 0.8
"""Share of the variance that the principal components keep."""


@register("n_leep")
class NLEEP(TransferabilityScore):
    """LEEP with clusters of the features in place of the classes that the network learned, so that it needs no classifier.

    Clusters are Gaussians with five components a class, on the principal components of 80 % of the variance (Li et al. 2021,
    arXiv 2011.11200). Their covariances are diagonal here: a component has too few examples for more.
    """

    title: ClassVar[str] = "N-LEEP"
    listing_order: ClassVar[int] = 60

    components: int = Field(5, ge=1, le=20, title="Components a class", description="Gaussians for each class that there is.")

    def value(self, features: Matrix, labels: Labels, source: Matrix | None = None) -> float:
        return expected_log_probability(_clusters(features, self.components * len(np.unique(labels))), labels)


@one_thread
def _clusters(features: Matrix, components: int) -> Matrix:
    """Return the probability of each cluster for each example, (n, clusters)."""
    from sklearn.decomposition import PCA
    from sklearn.mixture import GaussianMixture

    centred = features - features.mean(axis=0)
    spread = np.sqrt((centred**2).sum(axis=1).mean())
    if not spread > 0:
        return np.ones((len(features), 1))
    # The covariance gets a little added to it, which must mean the same whatever the scale of the features.
    points = PCA(VARIANCE, svd_solver="full").fit_transform(centred / spread)
    mixture = GaussianMixture(min(components, len(points)), covariance_type="diag", random_state=0)
    # Where clusters begin goes by the order of the points, which must not matter, and by no direction.
    return mixture.fit(points[np.argsort((points**2).sum(axis=1))]).predict_proba(points)
