"""Labels and probabilities of many kinds: ties, certainty, classes without an example, two classes, one example."""

import numpy as np

from tl_core.metrics import Labels, Probabilities


def examples(n: int = 300, classes: int = 5, sharpness: float = 1.5, seed: int = 0) -> tuple[Labels, Probabilities]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, n)
    logits = sharpness * np.eye(classes)[labels] + rng.normal(size=(n, classes))
    exponents = np.exp(logits)
    return labels, (exponents / exponents.sum(axis=1, keepdims=True)).astype(np.float32)


def tied() -> tuple[Labels, Probabilities]:
    """Sixteenths, so that they sum to 1 exactly."""
    labels, probabilities = examples()
    parts = np.floor(16 * probabilities)
    parts[:, 0] += 16 - parts.sum(axis=1)
    return labels, (parts / 16).astype(np.float32)


def certain() -> tuple[Labels, Probabilities]:
    """Some right, some wrong, all sure."""
    labels, probabilities = examples()
    return labels, np.eye(5, dtype=np.float32)[probabilities.argmax(axis=1)]


def lacking_classes() -> tuple[Labels, Probabilities]:
    labels, probabilities = examples(classes=9)
    kept = ~np.isin(labels, (0, 4, 8))
    return labels[kept], probabilities[kept]


KINDS = {
    "plain": examples(),
    "ties": tied(),
    "certainty": certain(),
    "lacking classes": lacking_classes(),
    "two classes": examples(classes=2),
    "one class of three": (np.ones(20, np.int64), examples(20, 3)[1]),
    "one example": examples(1, 7),
    "as many classes as examples": examples(30, 30),
}
