"""Images that are one and the same, or nearly: the same photograph saved again, smaller or brighter."""

import numpy as np
from numpy.typing import NDArray

from tl_core.checks.image_checks import grey, hashes
from tl_core.features.prefetch import in_batches

RADIUS, ALIKE = 10, 0.97
"""Bits of 64 in which the hashes of twins may differ at most, and the correlation of their small grey pictures, at least. Of
2,062 photographs of hands and 320 crops of photographs, saved again as a JPEG of quality 50 or 20, halved, or 15 % brighter,
99 % are found so; and of the 2.2 million pairs of different ones, two are."""
FINE = 32
"""Pixels of the shorter side below which images have too little to compare: of 1,000 digits of 8 pixels, 23 pairs by different
hands would be twins."""
FLAT = 3.0
"""Standard deviation, of 255, of a picture's brightness below which it has nothing to compare: such ones are twins only where
their content is the same."""
THUMBNAIL_SIDE = 16
BLOCK, COMPARED = 2048, 1 << 16
"""Hashes, and pairs of pictures, that are compared at a time."""


def near_pairs(looks: NDArray[np.uint8], labels: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return pairs (m, 2) of positions of looks (n, 32, 32, 3) that are nearly the same, none of flat ones.

    The pairs are as many as it takes to connect those of one class (`labels`, n) that all such pairs connect, and those of
    several: fewer than 2 n. The hashes of all pairs are compared, a block at a time (those of 50,000 images in about eight
    seconds), and then the pictures of those that are near, unless they are connected by then: of n images that are all alike
    there are n (n - 1) / 2 pairs.
    """
    forest = _Forest(labels)
    if len(looks) < 2:
        return forest.pairs()
    parts = [(hashes(part), *_pictures(part)) for part in np.split(looks, range(BLOCK, len(looks), BLOCK))]
    codes, pictures, rich = (np.concatenate(of_all) for of_all in zip(*parts, strict=True))
    for begin in range(0, len(codes), BLOCK):
        rows = codes[begin : begin + BLOCK, None]
        for other in range(begin, len(codes), BLOCK):
            near = np.bitwise_count(rows ^ codes[None, other : other + BLOCK]) <= RADIUS
            one, two = np.nonzero(near)
            one, two = one + begin, two + other
            chosen = (one < two) & rich[one] & rich[two]
            one, two = one[chosen], two[chosen]
            for few in in_batches(np.arange(len(one)), COMPARED):
                pair = forest.apart(np.stack([one[few], two[few]], axis=1))
                forest.join(pair[np.einsum("ij,ij->i", pictures[pair[:, 0]], pictures[pair[:, 1]]) >= ALIKE])
    return forest.pairs()


class _Forest:
    """Pairs that connect, and none that connects what is connected already: within classes, and across them, apart."""

    def __init__(self, labels: NDArray[np.int64]) -> None:
        self._labels = labels
        self._trees = np.tile(np.arange(len(labels)), (2, 1))
        self._pairs = [np.empty((0, 2), np.intp)]

    def _kind(self, pairs: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return 0 for each pair (m, 2) of one class, 1 for one of two."""
        return (self._labels[pairs[:, 0]] != self._labels[pairs[:, 1]]).astype(np.intp)

    def apart(self, pairs: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return those of the `pairs` (m, 2) that are not connected yet."""
        kind = self._kind(pairs)
        return pairs[self._trees[kind, pairs[:, 0]] != self._trees[kind, pairs[:, 1]]]

    def join(self, pairs: NDArray[np.intp]) -> None:
        """Connect `pairs` (m, 2), of which none is connected yet, and keep those that this takes."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

        kind, count = self._kind(pairs), len(self._labels)
        for number, trees in enumerate(self._trees):
            of_kind = pairs[kind == number]
            if not len(of_kind):
                continue
            ends, which = np.unique(np.sort(trees[of_kind], axis=1), axis=0, return_index=True)
            graph = coo_array((which + 1.0, (ends[:, 0], ends[:, 1])), shape=(count, count))  # a weight names its pair
            needed = minimum_spanning_tree(graph.tocsr())
            self._pairs.append(of_kind[needed.data.astype(np.intp) - 1])
            self._trees[number] = connected_components(needed, directed=False)[1][trees]

    def pairs(self) -> NDArray[np.intp]:
        """Return all pairs that were kept (m, 2)."""
        return np.concatenate(self._pairs)


def _pictures(looks: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return grey pictures (n, 256) with a mean of 0 and a length of 1, and whether each has anything on it (n,)."""
    step = looks.shape[1] // THUMBNAIL_SIDE
    small = grey(looks).reshape(len(looks), THUMBNAIL_SIDE, step, THUMBNAIL_SIDE, step).mean(axis=(2, 4)).reshape(len(looks), -1)
    small -= small.mean(axis=1, keepdims=True)
    rich = small.std(axis=1) >= FLAT
    return small / np.maximum(np.linalg.norm(small, axis=1, keepdims=True), 1e-6), rich


def groups(pairs: NDArray[np.intp], count: int) -> list[list[int]]:
    """Return groups of positions that `pairs` (m, 2) connect, ascending in each; of `count` positions only those with company."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not len(pairs):
        return []
    graph = coo_array((np.ones(len(pairs), np.int8), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    _, of_each = connected_components(graph, directed=False)
    members: dict[int, list[int]] = {}
    for position in np.unique(pairs).tolist():
        members.setdefault(int(of_each[position]), []).append(position)
    return sorted(members.values())
