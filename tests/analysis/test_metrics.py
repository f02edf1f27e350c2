"""Numbers per class, held to counts made by hand and to scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from tl_core.analysis.metrics import confusion_matrix, per_class

NAMES = ("cat", "dog", "owl", "newt")
# cat: 2 right, 1 taken for a dog, 2 for an owl; dog: all right; owl: never said right; newt: no images at all.
LABELS = np.array([0, 0, 0, 0, 0, 1, 1, 2])
PREDICTED = np.array([0, 0, 1, 2, 2, 1, 1, 0])


def said(predicted: np.ndarray, classes: int) -> np.ndarray:
    return np.eye(classes, dtype=np.float32)[predicted]


def test_confusion_by_hand() -> None:
    expected = [[2, 1, 2, 0], [0, 2, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]
    assert confusion_matrix(LABELS, PREDICTED, np.arange(4)).tolist() == expected


def test_per_class_by_hand() -> None:
    table = per_class(LABELS, said(PREDICTED, 4), NAMES).set_index("class")
    assert list(table["images"]) == [5, 2, 1, 0]
    assert table.loc["cat", "recall"] == pytest.approx(2 / 5)
    assert table.loc["cat", "precision"] == pytest.approx(2 / 3)
    assert table.loc["dog", "f1"] == pytest.approx(0.8)
    assert table.loc["cat", "most often taken for"] == "owl (2)"
    assert table.loc["dog", "most often taken for"] == ""
    assert table.loc["dog", "recall_low"] == pytest.approx(0.3424, abs=1e-4)  # 2 of 2: 1 / (1 + 1.96^2 / 2)
    assert table.loc["dog", "recall_high"] == 1.0


def test_nothing_to_take_a_share_of_is_not_a_number() -> None:
    newt = per_class(LABELS, said(PREDICTED, 4), NAMES).set_index("class").loc["newt"]
    assert np.isnan([newt["recall"], newt["precision"], newt["f1"], newt["recall_low"], newt["recall_high"]]).all()


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 6).flatmap(lambda k: st.tuples(st.just(k), st.lists(st.tuples(*[st.integers(0, k - 1)] * 2), min_size=1))))
def test_agrees_with_scikit_learn(case: tuple[int, list[tuple[int, int]]]) -> None:
    classes, pairs = case
    labels, predicted = np.array(pairs).T
    named = list(range(classes))
    assert np.array_equal(
        confusion_matrix(labels, predicted, np.arange(classes)), reference.confusion_matrix(labels, predicted, labels=named)
    )
    table = per_class(labels, said(predicted, classes), [str(name) for name in named])
    precision, recall, f1, images = reference.precision_recall_fscore_support(
        labels, predicted, labels=named, zero_division=np.nan
    )
    np.testing.assert_allclose(table[["precision", "recall", "f1"]], np.stack([precision, recall, f1], axis=1))
    assert list(table["images"]) == list(images)
    assert (table["recall_low"].dropna() <= table["recall"].dropna()).all()
