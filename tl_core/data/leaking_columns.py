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
TRIED, PROMISING = 500, 0.8
"""A column is tried on so many rows first, and on all only where that promises as much."""
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
    from scipy.stats import rankdata  # a second to import

    if kind not in (CLASSES, NUMBERS) or len(labels) < FEWEST_ROWS or not len(columns.columns):
        return []
    labels = labels if kind == CLASSES else rankdata(labels)
    rows = np.linspace(0, len(labels) - 1, min(MOST_ROWS, len(labels))).astype(np.intp)
    few = rows[np.linspace(0, len(rows) - 1, min(TRIED, len(rows))).astype(np.intp)]
    found = dict[str, float]()
    for name in columns.columns[:MOST_COLUMNS]:
        if len(few) == len(rows) or _score(columns[name].iloc[few], labels[few], kind, folds=2) >= PROMISING:
            score = _score(columns[name].iloc[rows], labels[rows], kind)
            found |= {printable(str(name)): score} if score >= ALONE else {}
    if not found:
        return []
    best, *others = sorted(found, key=lambda name: -found[name])
    told = NoteKind.COLUMN_TELLS_CLASS if kind == CLASSES else NoteKind.COLUMN_TELLS_NUMBER
    return [Note(told, (round(found[best], 4), len(rows)), tuple(others[:MOST_NAMED]), (best,))]


def _score(values: "pd.Series[str]", labels: NDArray[Any], kind: LabelKind, folds: int = FOLDS) -> float:
    """Return the balanced accuracy, or R squared, of the column alone, in so many `folds`; 0 where it says nothing, or names its
    rows."""
    from sklearn.metrics import balanced_accuracy_score, r2_score  # two seconds to import
    from sklearn.model_selection import KFold, cross_val_predict

    if len(np.unique(labels)) < 2 or (asked := _asked(values, kind, len(np.unique(labels)))) is None:
        return 0.0
    said = cross_val_predict(asked[0], asked[1], labels, cv=KFold(folds, shuffle=True, random_state=0))
    return float(balanced_accuracy_score(labels, said) if kind == CLASSES else r2_score(labels, said))


def _asked(values: "pd.Series[str]", kind: LabelKind, different: int) -> tuple[Any, NDArray[Any]] | None:
    """Return a model for the column, and its values (n, 1); None for one of names or numbers of rows, or of one value."""
    import pandas as pd
    from sklearn.linear_model import Ridge
    from sklearn.naive_bayes import MultinomialNB
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    words, filled = plain(values), is_filled(values)
    distinct = words.nunique()
    if distinct < 2:
        return None
    numbers = pd.to_numeric(words.mask(~filled), errors="coerce").to_numpy(np.float64)
    if np.isfinite(numbers[filled]).all():
        known = numbers[filled]
        if distinct == len(values) and not (known % 1).any() and np.ptp(known) < DENSE * len(known):
            return None
        tree = DecisionTreeClassifier if kind == CLASSES else DecisionTreeRegressor
        leaves = max(LEAVES, 4 * different) if kind == CLASSES else None
        return tree(max_leaf_nodes=leaves, random_state=0), numbers[:, np.newaxis]
    if distinct > NAMES * len(values):
        return None
    head = MultinomialNB(alpha=0.01) if kind == CLASSES else Ridge(alpha=0.01)
    return make_pipeline(OneHotEncoder(handle_unknown="ignore"), head), words.to_numpy(object)[:, np.newaxis]
