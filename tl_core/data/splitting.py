"""How labelled examples are shared out: a hold-out that never changes, and a draw of a few labels a class.

Every class has a random stream of its own, seeded with plain integers, so that the same examples are drawn
on every machine and one class does not change what is drawn from another.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tl_core.data.images import Labels
from tl_core.errors import DataError

Indices = NDArray[np.intp]

SPLIT_STREAM, LABELS_STREAM = 1, 2
"""First seed of each use, so that no two uses share a stream."""


def hold_out(labels: Labels, share: float, class_names: Sequence[str], split: str) -> tuple[Indices, Indices]:
    """Return indices that stay and indices held out for `split`: `share` (0 to 1) of each class, and at least one image.

    The draw depends on nothing but the labels, so that every run has the same hold-out; a share of 0 holds out nothing. Both
    arrays are sorted. Raises `DataError` naming a class from which nothing would stay.
    """
    held = np.zeros(len(labels), dtype=bool)
    for label, count in _counts(labels, share, class_names, split).items():
        members = np.flatnonzero(labels == label)
        held[np.random.default_rng([SPLIT_STREAM, label]).permutation(members)[:count]] = True
    return np.flatnonzero(~held), np.flatnonzero(held)


def hold_out_groups(
    labels: Labels, groups: Sequence[bytes], share: float, class_names: Sequence[str], split: str, *, seed: int = 0
) -> tuple[Indices, Indices]:
    """Return indices as `hold_out` does, but of whole groups: of a group all examples stay, or all are held out.

    The draw depends on the names of the groups and on `seed`, not on the order or on where the data lie. Groups come in the order
    of a digest of their names, and each is held out if the classes then come nearer to their shares: exactly to them where each
    example is a group of its own. No class is left without an example; one of few groups may get none held out.

    Args:
        labels: The class of each example (n,).
        groups: The name of the group of each example (n,).
        share: Of each class to hold out, 0..1.
        class_names: The names of the classes, for the `DataError` of a class from which nothing would stay.
        split: What the examples are held out for, for the same error.
        seed: Of the draw.
    """
    lacking, left = _counts(labels, share, class_names, split), Counter(labels.tolist())
    held = np.zeros(len(labels), dtype=bool)
    members: dict[bytes, list[int]] = {}
    for index, group in enumerate(groups if lacking else ()):
        members.setdefault(group, []).append(index)
    salt = f"{SPLIT_STREAM} {seed} ".encode()
    for group in sorted(members, key=lambda name: hashlib.sha256(salt + name).digest()):
        counts = Counter(labels[members[group]].tolist())
        nearer = sum(count * (count - 2 * lacking[label]) for label, count in counts.items()) < 0
        if nearer and all(left[label] > count for label, count in counts.items()):
            held[members[group]] = True
            left -= counts
            for label, count in counts.items():
                lacking[label] -= count
    return np.flatnonzero(~held), np.flatnonzero(held)


def joined(groups: Sequence[bytes], ids: Sequence[bytes]) -> list[bytes]:
    """Return the names in `groups` (n,), but one name for groups that share an example by its content in `ids` (n,), directly or
    through others: the first of them in alphabetical order, which does not depend on the order or on where the data lie."""
    above: dict[bytes, bytes] = {}

    def top(group: bytes) -> bytes:
        while (higher := above.setdefault(group, group)) != group:
            above[group] = group = above.setdefault(higher, higher)  # half the way for whoever asks next
        return group

    owner: dict[bytes, bytes] = {}
    for group, content in zip(groups, ids, strict=True):
        first, second = sorted((top(owner.setdefault(content, group)), top(group)))
        above[second] = first
    return [top(group) for group in groups]


def _counts(labels: Labels, share: float, class_names: Sequence[str], split: str) -> dict[int, int]:
    """Return how many of each class are to be held out; of none where the share is 0."""
    counts: dict[int, int] = {}
    for label, members in enumerate(np.bincount(labels).tolist()) if share > 0 else ():
        counts[label] = max(1, round(share * members)) if members else 0
        if members and counts[label] >= members:
            raise DataError(
                f"The class {class_names[label]} has too few examples to set aside a share of {share:g} for {split}.",
                "Add examples of this class, take the class out of the dataset, or choose a smaller share.",
                received=f"{members} left to share out",
            )
    return counts


def sample_per_class(labels: Labels, count: int | None, seed: int) -> Indices:
    """Return sorted indices of `count` images of each class, drawn by `seed`; all of them for `None` or a smaller class.

    Draws are nested: what a seed draws for 10 is among what it draws for 20.
    """
    if count is None:
        return np.arange(len(labels))
    drawn = [
        np.random.default_rng([LABELS_STREAM, seed, int(label)]).permutation(np.flatnonzero(labels == label))[:count]
        for label in np.unique(labels)
    ]
    return np.sort(np.concatenate(drawn)) if drawn else np.arange(0)
