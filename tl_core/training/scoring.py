"""What the metric that decides a run says of the validation images."""

from dataclasses import dataclass
from math import isnan
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tl_core.analysis.thresholds import threshold_values
from tl_core.features.inputs import Inputs
from tl_core.features.predict import predict
from tl_core.features.prefetch import in_batches
from tl_core.heads.head import Head
from tl_core.metrics import Metric
from tl_core.metrics.accuracy import Accuracy
from tl_core.recipe import Recipe
from tl_core.result import thresholded
from tl_core.tasks import Outputs, Task

FEATURE_BATCH = 4096
"""Features of so many images are no burden."""


@dataclass(frozen=True)
class Judge:
    """Measures a model on held-out examples as it will be measured on the test: by the `metric` that decides its run.

    Args:
        metric: Which.
        task: Where it fits thresholds, it does so to the examples that are held out.
        outputs: What the model gives.
        chooses: Whether epochs, trials and penalties are chosen by it, and not by the loss.
    """

    metric: Metric
    task: Task
    outputs: Outputs
    chooses: bool

    @classmethod
    def of(cls, recipe: Recipe, outputs: Outputs) -> "Judge | None":
        """Return that of a run; None where accuracy decides, which each epoch tells anyway."""
        metric = recipe.deciding_metric
        return None if metric == Accuracy() else cls(metric, recipe.task, outputs, recipe.metric_chooses)

    def value(self, labels: NDArray[Any], given: NDArray[Any]) -> float:
        """Return the value for `labels` (n, ...) and what the model in training gives, (n, outputs); NaN where there is none."""
        said = self.outputs.predicted(given)
        if self.task.fits_thresholds:
            said = thresholded(said, threshold_values(self.task.thresholds(labels, said)))
        return self.metric.measured_value(labels, said)

    def score_of_solved(self, labels: NDArray[Any], given: NDArray[Any]) -> float:
        """Return what chooses the settings of a computed head, the lower the better; `labels` are as the head is computed for
        them (`Outputs.solved`)."""
        return self.metric.score(self.value(self.outputs.predicted(labels), given))

    def judged(self, labels: NDArray[Any], given: NDArray[Any]) -> "Judged":
        """Return the value, and the score where that chooses."""
        value = self.value(labels, given)
        return Judged(None if isnan(value) else value, self.metric.score(value) if self.chooses else None)


class Judged(NamedTuple):
    """The value of the metric that decides, and the score by which it chooses, the lower the better; each None where there is
    none."""

    value: float | None = None
    score: float | None = None


def judged(model: Any, source: Inputs, judge: Judge | None) -> Judged:
    """Return what `judge` says of a `model` on `source`, of which there may be none."""
    if judge is None or not len(source):
        return Judged()
    return judge.judged(source.labels, predict(model, source, lambda _: None))


def judged_head(head: Head, source: Inputs, judge: Judge | None) -> Judged:
    """Return what `judged` does, of a `head` over features."""
    if judge is None or not len(source):
        return Judged()
    parts = [head.logits(source.batch(part)) for part in in_batches(np.arange(len(source)), FEATURE_BATCH)]
    return judge.judged(source.labels, judge.outputs.of_logits(np.concatenate(parts)).astype(np.float32))
