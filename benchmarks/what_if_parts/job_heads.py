"""Logistic regression on features that lie in a file: the product's and scikit-learn's, both with linear algebra on one thread.

Left to itself scikit-learn takes all cores for products that are too short to share, and on a busy machine waits for them:
a hundred times as long was seen.
"""

from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from threadpoolctl import threadpool_limits

from tl_core.heads import logistic
from tl_core.heads.logistic_regression import STRENGTHS


def ours(file: str) -> dict[str, Any]:
    """Compute the product's head, whose penalty is chosen on the validation images."""
    kept = np.load(file)
    labels = kept["train_labels"]
    held = kept["validation_features"], kept["validation_labels"]
    head = logistic(kept["train_features"], labels, int(labels.max()) + 1, validation=held if len(held[1]) else None)
    return _right(head.logits(kept["test_features"]).argmax(axis=1), kept["test_labels"]) | {"chosen": dict(head.chosen)}


def default(file: str) -> dict[str, Any]:
    """Compute scikit-learn's head with all its defaults: C = 1."""
    return _sklearn(LogisticRegression(), file)


def cross_validated(file: str) -> dict[str, Any]:
    """Compute scikit-learn's head that chooses among the product's strengths in its usual cross-validation."""
    return _sklearn(LogisticRegressionCV(Cs=list(STRENGTHS)), file)


def _sklearn(model: Any, file: str) -> dict[str, Any]:
    kept = np.load(file)
    with threadpool_limits(1, user_api="blas"):
        model.fit(kept["train_features"], kept["train_labels"])
        said = model.predict(kept["test_features"])
    return _right(said, kept["test_labels"]) | {"steps": np.max(model.n_iter_).item()}


def _right(said: Any, labels: Any) -> dict[str, Any]:
    return {"correct": int((said == labels).sum()), "tested": len(labels)}
