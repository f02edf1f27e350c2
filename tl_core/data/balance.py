"""What makes up for uneven classes in training: weights, draws, and the shares by which logits are adjusted."""

import numpy as np
from numpy.typing import NDArray

from tl_core.data.examples import Labels


def class_shares(labels: Labels, classes: int) -> NDArray[np.float64]:
    """Return the share of each class in `labels`, (classes,); 0 for an absent class."""
    return np.bincount(labels, minlength=classes) / len(labels)


def class_weights(labels: Labels, classes: int) -> NDArray[np.float32]:
    """Return the inverse share of each class in `labels`, so that all images' weights have the mean 1; 0 for an absent class."""
    counts = np.bincount(labels, minlength=classes)
    present = np.count_nonzero(counts)
    return np.divide(len(labels), present * counts, out=np.zeros(classes), where=counts > 0).astype(np.float32)


def drawn_evenly(labels: Labels, views: int, stream: tuple[int, int], epoch: int) -> NDArray[np.intp]:
    """Return as many indices as there are `labels`, with each class as often, to one image: those of a small class come again,
    and of a large one others in each epoch. They depend on nothing but the run's seed, the phase and the epoch.

    Args:
        labels: Those of the images, (n,).
        views: How many views each image has; all are of the one whose turn it is.
        stream: The run's seed and the phase's number.
        epoch: The epoch's number, from 0.
    """
    rng, count = np.random.default_rng([*stream, epoch]), len(labels)
    present = rng.permutation(np.unique(labels))
    wanted = np.diff(np.linspace(0, count, len(present) + 1).astype(int))
    parts = [_repeated(np.flatnonzero(labels == label), many, rng) for label, many in zip(present, wanted, strict=True)]
    return rng.permutation(np.concatenate(parts)) + count * (epoch % views)


def _repeated(images: NDArray[np.intp], many: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return so `many` of `images`, each as often as any other, to one."""
    rounds = -(-many // len(images))
    return np.concatenate([rng.permutation(images) for _ in range(max(1, rounds))])[:many]
