"""What a metric that decides a run says of the validation images."""

from typing import Any

import numpy as np

from tl_core.features.inputs import Inputs
from tl_core.features.predict import predict
from tl_core.features.prefetch import in_batches
from tl_core.heads.head import Head
from tl_core.metrics import Metric

FEATURE_BATCH = 4096
"""Features of so many images are no burden."""


def score_of(model: Any, source: Inputs, metric: Metric | None) -> float | None:
    """Return the `score` of a metric over what `model` says of `source`; None where no metric decides, or that is empty."""
    if metric is None or not len(source):
        return None
    return metric.score(source.labels, predict(model, source, lambda _: None))


def score_of_head(head: Head, source: Inputs, metric: Metric | None) -> float | None:
    """Return what `score_of` does, of a `head` over features."""
    if metric is None or not len(source):
        return None
    parts = [head.probabilities(source.batch(part)) for part in in_batches(np.arange(len(source)), FEATURE_BATCH)]
    return metric.score(source.labels, np.concatenate(parts).astype(np.float32))
