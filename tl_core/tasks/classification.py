"""Classification: which class an example is of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tl_core.data.balance import class_shares
from tl_core.data.label_kinds import CLASSES, LabelKind
from tl_core.heads import Head
from tl_core.heads.head import cross_entropy
from tl_core.metrics import Metric
from tl_core.metrics.accuracy import Accuracy
from tl_core.phases.phase import Learning, Phase
from tl_core.tasks import Means, Outputs, Panel, Task, register

if TYPE_CHECKING:
    from tl_core.networks.classifier import Classifier


@dataclass(frozen=True)
class ClassOutputs(Outputs):
    """A probability of each class: softmax, and cross-entropy in nats.

    `shares` (classes,) are those of the classes among the training examples, by which logits are adjusted where a phase says so.
    """

    shares: NDArray[np.float64]

    def joined(self, classifier: "Classifier") -> "Classifier":
        return classifier

    def of_logits(self, logits: NDArray[np.float64]) -> NDArray[np.float64]:
        from scipy.special import softmax

        return np.asarray(softmax(logits, axis=1))

    def targets(self, labels: NDArray[Any], learning: Learning) -> NDArray[Any]:
        """Return class indices (n,), or shares of classes (n, classes) float32 where labels are softened or a teacher adds to
        them."""
        return np.eye(len(self.names), dtype=np.float32)[labels] if learning.soft else labels

    def loss(self, learning: Learning) -> Any:
        """Return the cross-entropy (nats) of class indices, or of shares where labels are softened; with logits that are adjusted
        by the shares of the classes if `learning` says so, and mixed with what a teacher says if there is one."""
        import keras

        plain: Any = keras.losses.SparseCategoricalCrossentropy()
        if learning.soft:
            plain = keras.losses.CategoricalCrossentropy(label_smoothing=learning.label_smoothing)
        if learning.adjusted:
            from tl_core.tasks._logit_adjusted import LogitAdjusted

            plain = LogitAdjusted(plain, self.shares)
        if learning.teacher:
            from tl_core.tasks._distilled import Distilled

            return Distilled(plain, learning.teacher)
        return plain

    def metrics(self, learning: Learning) -> list[Any]:
        """Return the accuracy, and the cross-entropy without weights, penalties and smoothing."""
        from keras import metrics

        if learning.teacher:
            from tl_core.tasks._distilled import of_labels

            return of_labels()
        if learning.soft:
            return [metrics.CategoricalAccuracy("accuracy"), metrics.CategoricalCrossentropy("cross_entropy")]
        return [metrics.SparseCategoricalAccuracy("accuracy"), metrics.SparseCategoricalCrossentropy("cross_entropy")]

    def told(self, logs: Mapping[str, Any]) -> Means:
        """Return the plain cross-entropy (nats) and the accuracy."""
        return float(logs["cross_entropy"]), float(logs["accuracy"])

    def sums_of_head(self, head: Head, features: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.float64]:
        logits = head.logits(features)
        return np.array([cross_entropy(logits, labels) * len(labels), (logits.argmax(axis=1) == labels).sum()])


@register("classification")
class Classification(Task):
    """Tell which one of several classes an example is of."""

    title: ClassVar[str] = "Classification"
    listing_order: ClassVar[int] = 10
    label_kind: ClassVar[LabelKind] = CLASSES
    primary: ClassVar[type[Metric]] = Accuracy
    panels: ClassVar[tuple[Panel, ...]] = (Panel.CONFUSION, Panel.HARDEST, Panel.CLASSES)

    def outputs(self, names: Sequence[str], labels: NDArray[Any]) -> Outputs:
        return ClassOutputs(tuple(names), class_shares(labels, len(names)))

    def phase(self, phase: Phase) -> Phase:
        return phase

    def badness(self, labels: NDArray[Any], predicted: NDArray[Any]) -> NDArray[np.float64]:
        """Return less the probability of the true class (n,)."""
        return -predicted[np.arange(len(labels)), labels].astype(np.float64)

    def right(self, labels: NDArray[Any], predicted: NDArray[Any]) -> NDArray[np.bool_] | None:
        return np.asarray(predicted.argmax(axis=1) == labels)
