"""Columns of a table that tell the label almost alone: another name of it, or where its examples come from."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tl_core.data.formats.columns import is_filled
from tl_core.data.formats.tables import plain
from tl_core.data.label_kinds import CLASSES, NUMBERS, LabelKind
from tl_core.errors import printable
from tl_core.notes import MOST_NAMED, Note, NoteKind

if TYPE_CHECKING:
    import pandas as pd

ALONE = 0.97
"""Balanced accuracy, or R squared of the ranks, from which on a column tells the label almost alone. Of the numbers themselves a
single one far away would hide it."""
MOST_ROWS, FEWEST_ROWS, MOST_COLUMNS = 5_000, 20, 200
RESTLESS = 0.2
"""A column of numbers promises nothing where, in its order, the label changes at more than this share of the rows, or by more
than this share of what chance gives (von Neumann 1941)."""
FOLDS, LEAVES = 5, 64
NAMES, DENSE = 0.9, 10
"""Words of which so large a share is different are names of the examples; whole numbers that are all different, so many times
fewer than their range at most, are their numbers."""


def leaking(columns: "pd.DataFrame", labels: NDArray[Any], kind: LabelKind) -> list[Note]:
    """Return a note on the one of `columns` (n rows, as text) that tells the `labels` (n, ...) best, where one does almost alone;
    those that do, too, are named.

    Each is judged by a model that sees it alone (a decision tree of numbers; naive Bayes or ridge regression of words), on rows
    that it was not fitted to: five folds of at most 5,000 rows. Columns that name or number the rows are not asked.
    """
    if kind not in (CLASSES, NUMBERS) or len(labels) < FEWEST_ROWS or not len(columns.columns):
        return []
    rows = np.linspace(0, len(labels) - 1, min(MOST_ROWS, len(labels))).astype(np.intp)
    codes = np.unique(labels[rows], return_inverse=True)[1]
    found = dict[str, float]()
    for name in columns.columns[:MOST_COLUMNS]:
        values = columns[name].iloc[rows]
        if _promises(values, codes, kind) and (score := _score(values, codes, kind)) >= ALONE:
            found[printable(str(name))] = score
    if not found:
        return []
    best, *others = sorted(found, key=lambda name: -found[name])
    told = NoteKind.COLUMN_TELLS_CLASS if kind == CLASSES else NoteKind.COLUMN_TELLS_NUMBER
    return [Note(told, (round(found[best], 4), len(rows)), tuple(others[:MOST_NAMED]), (best,))]


def _promises(values: "pd.Series[str]", codes: NDArray[np.intp], kind: LabelKind) -> bool:
    """Return whether the column may tell the labels, at a glance, which spares most tables two seconds for scikit-learn: what is
    told by looking a value up among these very rows, or, where most are different, by how smoothly labels change in its order."""
    distinct, places = np.unique(plain(values).to_numpy(str), return_inverse=True)
    numbers = _numbers(values)
    if numbers is None or len(distinct) <= len(values) / 2:
        if kind == NUMBERS:
            means = np.bincount(places, codes) / np.bincount(places)
            return bool(((codes - means[places]) ** 2).mean() <= (1 - ALONE) * codes.var())
        counts = np.zeros((len(distinct), codes.max() + 1), np.int64)
        np.add.at(counts, (places, codes), 1)
        right = counts.argmax(axis=1)[places] == codes
        return bool((np.bincount(codes, right) / np.bincount(codes)).mean() >= ALONE)
    changes = np.diff(codes[np.argsort(numbers, kind="stable")])
    if kind == NUMBERS:
        return bool((changes**2).mean() <= RESTLESS * 2 * codes.var())
    return bool(np.count_nonzero(changes) <= codes.max() + RESTLESS * len(codes))


def _numbers(values: "pd.Series[str]") -> NDArray[np.float64] | None:
    """Return the values as numbers (n,), NaN where one is missing; None where there are others."""
    import pandas as pd

    filled = is_filled(values)
    numbers = pd.to_numeric(plain(values).mask(~filled), errors="coerce").to_numpy(np.float64)
    return numbers if np.isfinite(numbers[filled]).all() else None


def _score(values: "pd.Series[str]", codes: NDArray[np.intp], kind: LabelKind) -> float:
    """Return the balanced accuracy, or R squared of the ranks, of the column alone; 0 where it says nothing, or names its
    rows."""
    from sklearn.metrics import balanced_accuracy_score, r2_score  # two seconds to import
    from sklearn.model_selection import KFold, cross_val_predict

    if codes.max() < 1 or (asked := _asked(values, kind, codes.max() + 1)) is None:
        return 0.0
    said = cross_val_predict(asked[0], asked[1], codes, cv=KFold(FOLDS, shuffle=True, random_state=0))
    return float(balanced_accuracy_score(codes, said) if kind == CLASSES else r2_score(codes, said))


def _asked(values: "pd.Series[str]", kind: LabelKind, different: int) -> tuple[Any, NDArray[Any]] | None:
    """Return a model for the column, and its values (n, 1); None for one of names or numbers of rows, or of one value."""
    from sklearn.linear_model import Ridge
    from sklearn.naive_bayes import MultinomialNB
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    words = plain(values)
    if (distinct := words.nunique()) < 2:
        return None
    if (numbers := _numbers(values)) is not None:
        known = numbers[np.isfinite(numbers)]
        if distinct == len(values) and not (known % 1).any() and np.ptp(known) < DENSE * len(known):
            return None
        tree = DecisionTreeClassifier if kind == CLASSES else DecisionTreeRegressor
        leaves = max(LEAVES, 4 * different) if kind == CLASSES else None
        return tree(max_leaf_nodes=leaves, random_state=0), numbers[:, np.newaxis]
    if distinct > NAMES * len(values):
        return None
    head = MultinomialNB(alpha=0.01) if kind == CLASSES else Ridge(alpha=0.01)
    return make_pipeline(OneHotEncoder(handle_unknown="ignore"), head), words.to_numpy(object)[:, np.newaxis]
