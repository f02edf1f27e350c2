"""How examples with several labels are shared out, so that each label keeps its share."""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tl_core.data.splitting import SPLIT_STREAM, Indices


def hold_out_labels(
    labels: NDArray[np.bool_], groups: Sequence[bytes], share: float, *, seed: int = 0
) -> tuple[Indices, Indices]:
    """Return sorted indices that stay and indices held out, `share` (0..1) of each of the `labels` (n, labels), of whole `groups`
    (n,): of a group all examples stay, or all are held out.

    It is iterative stratification (Sechidis, Tsoumakas and Vlahavas 2011, On the stratification of multi-label data): the label
    that the fewest remaining examples have comes first, and each of these goes to the side that lacks the most of it; of equals
    to the one that lacks more examples. What has no label comes last. A group counts as all its examples do. Where the paper
    draws by chance, groups come in the order of a digest of their names and of `seed`, so that the draw depends neither on the
    order nor on where the data lie.
    """
    salt = f"{SPLIT_STREAM} {seed} ".encode()
    names = sorted(set(groups), key=lambda name: hashlib.sha256(salt + name).digest()) if share else []
    place = {name: number for number, name in enumerate(names)}
    if not names:
        return np.arange(len(labels)), np.arange(0)
    of_group = np.array([place[name] for name in groups])
    sizes, counts = np.bincount(of_group), np.zeros((len(names), labels.shape[1]), np.int64)
    np.add.at(counts, of_group, labels)
    held = _sides(counts, sizes, share)[of_group]
    return np.flatnonzero(~held), np.flatnonzero(held)


def _sides(counts: NDArray[np.int64], sizes: NDArray[np.int64], share: float) -> NDArray[np.bool_]:
    """Return which groups are held out, by how many of their `sizes` examples have each label, `counts` (groups, labels)."""
    shares = np.array([1 - share, share])
    lacking, room = np.outer(shares, counts.sum(axis=0)), shares * sizes.sum()
    held, left = np.zeros(len(sizes), bool), np.ones(len(sizes), bool)
    while left.any():
        remaining = counts[left].sum(axis=0)
        rarest = int(np.argmin(np.where(remaining > 0, remaining, np.inf))) if remaining.any() else None
        for group in np.flatnonzero(left if rarest is None else left & (counts[:, rarest] > 0)).tolist():
            kept_lacks, held_lacks = room if rarest is None or lacking[0, rarest] == lacking[1, rarest] else lacking[:, rarest]
            held[group] = held_lacks > kept_lacks
            lacking[int(held[group])] -= counts[group]
            room[int(held[group])] -= sizes[group]
            left[group] = False
    return held
