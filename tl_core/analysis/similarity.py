"""How alike networks see the same examples: linear CKA (Kornblith et al. 2019, Similarity of neural network representations
revisited), without the bias that it has where features are many and examples few."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tl_core.analysis import ranking
from tl_core.analysis.ranking import Candidate

Matrix = NDArray[np.float64]
Rows = Sequence[Sequence[float | None]]
"""Of each network the similarities to those before it; None where one of the two tells no examples apart."""
SEEN = 1000
"""By at most so many examples networks are held against each other."""


def products(features: Matrix) -> Matrix:
    """Return what `cka` takes of a network: the centred products (m, m) of its features (n, d) of m of the examples, drawn
    evenly, divided by their norm; zeros where it tells no examples apart, or there are fewer than four.

    Centring leaves out each example's product with itself (Szekely and Rizzo 2014, Partial distance correlation): with it noise
    would be taken for likeness, 0.56 of two independent sets of 1,280 features of 1,000 examples.
    """
    seen = features[np.linspace(0, len(features) - 1, min(len(features), SEEN)).astype(np.intp)]
    seen, n = seen - seen.mean(axis=0), len(seen)
    if n < 4:
        return np.zeros((n, n))
    made = seen @ seen.T
    size = np.trace(made)
    np.fill_diagonal(made, 0.0)
    of_row = made.sum(axis=1) / (n - 2)
    made += made.sum() / ((n - 1) * (n - 2)) - of_row[:, None] - of_row
    np.fill_diagonal(made, 0.0)
    norm = float(np.linalg.norm(made))
    return made / norm if norm > 1e-12 * size else np.zeros((n, n))


def cka(one: Matrix, other: Matrix) -> float | None:
    """Return the linear CKA of two networks by the `products` of each: 1 where their features are the same but for direction and
    scale, about 0 (and as often below as above) where they have nothing in common; None where it is not defined."""
    return float(np.vdot(one, other)) if one.any() and other.any() else None


def between(rows: Rows, one: int, other: int) -> float | None:
    """Return the similarity of two networks by their places."""
    return 1.0 if one == other else rows[max(one, other)][min(one, other)]


def told(candidates: Sequence[Candidate], rows: Rows, score: str) -> str:
    """Return which of the pretrained networks see the examples most alike, which least, and whether their ranks by `score` tell
    the former apart; an empty text where there are no two."""
    places = [place for place, each in enumerate(candidates) if score in each.scores and not each.control]
    pairs = [(rows[one][other], candidates[one], candidates[other]) for one in places for other in places if other < one]
    known = sorted(((value, one, other) for value, one, other in pairs if value is not None), key=lambda pair: pair[0])
    if not known:
        return ""
    (least, *apart), (most, *alike) = known[0], known[-1]
    gap = ranking.lead(*(each.scores[score] for each in alike))
    ranks = "their ranks are told apart all the same" if gap.low > 0 or gap.high < 0 else "their ranks cannot be told apart"
    said = f"{_both(alike)} see these examples most alike (CKA {most:z.2f}); {ranks}."
    return said if len(known) == 1 else f"{said} Least alike are {_both(apart)} ({least:z.2f})."


def _both(pair: Sequence[Candidate]) -> str:
    return " and ".join(sorted(each.title for each in pair))
