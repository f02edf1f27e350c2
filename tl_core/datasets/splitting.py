"""How labelled images are shared out: a hold-out that never changes, and a draw of a few labels a class.

Every class has a random stream of its own, seeded with plain integers, so that the same images are drawn
on every machine and one class does not change what is drawn from another.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tl_core.datasets.images import Labels
from tl_core.errors import DataError

Indices = NDArray[np.intp]

SPLIT_STREAM, LABELS_STREAM = 1, 2
"""First seed of each use, so that no two uses share a stream."""


def hold_out(labels: Labels, share: float, class_names: Sequence[str], split: str) -> tuple[Indices, Indices]:
    """Indices that stay and indices held out for `split`: `share` (0 to 1) of each class, and at least one image.

    The draw depends on nothing but the labels, so that every run has the same hold-out; a share of 0 holds
    out nothing. Both arrays are sorted. Raises `DataError` naming a class from which nothing would stay.
    """
    held = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels) if share > 0 else ():
        members = np.flatnonzero(labels == label)
        count = max(1, round(share * len(members)))
        if count >= len(members):
            raise DataError(
                f"The class {class_names[label]} has too few images to set aside a share of {share:g} for {split}.",
                "Add images of this class, take the class out of the dataset, or choose a smaller share.",
                received=f"{len(members)} left to share out",
            )
        held[np.random.default_rng([SPLIT_STREAM, int(label)]).permutation(members)[:count]] = True
    return np.flatnonzero(~held), np.flatnonzero(held)


def first_per_class(labels: Labels, count: int | None, seed: int) -> Indices:
    """Sorted indices of `count` images of each class, drawn by `seed`; all of them for `None` or a smaller class.

    Draws are nested: what a seed draws for 10 is among what it draws for 20.
    """
    if count is None:
        return np.arange(len(labels))
    drawn = [
        np.random.default_rng([LABELS_STREAM, seed, int(label)]).permutation(np.flatnonzero(labels == label))[:count]
        for label in np.unique(labels)
    ]
    return np.sort(np.concatenate(drawn)) if drawn else np.arange(0)
