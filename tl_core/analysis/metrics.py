"""Numbers per class, from what a model said of the test images."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tl_core.analysis.statistics import wilson

Labels = NDArray[np.int64]


def confusions(labels: Labels, predicted: Labels) -> tuple[Labels, Labels, Labels]:
    """Return what was taken for what, each pair once: true classes, predicted classes and numbers of images, the most first.

    `labels` and `predicted` (n,) are class indices from 0 on. There are at most n pairs, however many classes there are.
    """
    pairs, counts = np.unique(np.stack([labels, predicted]), axis=1, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return pairs[0][order], pairs[1][order], counts[order]


def most_confused(labels: Labels, predicted: Labels, classes: int, most: int) -> Labels:
    """Return the indices of the `most` classes out of `classes` that have the most frequent mistakes, ascending; classes without
    a mistake fill up what room there is."""
    true, taken, _ = confusions(labels, predicted)
    wrong = true != taken
    ranked = np.concatenate([np.stack([true, taken], axis=1)[wrong].ravel(), np.arange(classes)])
    first = np.sort(np.unique(ranked, return_index=True)[1])
    return np.sort(ranked[first[:most]])


def confusion_matrix(labels: Labels, predicted: Labels, shown: Labels) -> Labels:
    """Return how many images of each true class (rows) were taken for each class (columns), (k, k), of the k classes `shown`.

    `labels` and `predicted` (n,) are class indices from 0 on, `shown` (k,) some of them, ascending.
    """
    known = np.isin(labels, shown) & np.isin(predicted, shown)
    matrix = np.zeros((len(shown), len(shown)), np.int64)
    np.add.at(matrix, (np.searchsorted(shown, labels[known]), np.searchsorted(shown, predicted[known])), 1)
    return matrix


def confusion_table(labels: Labels, predicted: Labels, class_names: Sequence[str]) -> pd.DataFrame:
    """Return every cell of the confusion matrix that is not 0 as a row, the most frequent first.

    Columns: True class, Taken for, Images, Images of the true class. Arguments as in `confusions`; `class_names` by index.
    """
    true, taken, images = confusions(labels, predicted)
    names = np.array([str(name) for name in class_names], object)
    columns = {"True class": names[true], "Taken for": names[taken], "Images": images}
    return pd.DataFrame(columns | {"Images of the true class": np.bincount(labels)[true]})


def per_class(labels: Labels, probabilities: NDArray[np.float32], class_names: Sequence[str]) -> pd.DataFrame:
    """Return a row for each class, in the order of `class_names`, from `labels` (n,) and `probabilities` (n, classes).

    Columns: class, images, precision, recall, f1, recall_low, recall_high (95% Wilson interval) and "most often taken for" (the
    commonest mistake, with its images; empty where there was none). Shares are in 0..1 and NaN where nothing was there to take a
    share of: no image of the class, or no image taken for it.
    """
    predicted, classes = probabilities.argmax(axis=1), len(class_names)
    right, images, said = (np.bincount(each, minlength=classes) for each in (labels[labels == predicted], labels, predicted))
    intervals = [wilson(int(r), int(n)) if n else None for r, n in zip(right, images, strict=True)]
    return pd.DataFrame(
        {
            "class": [str(name) for name in class_names],
            "images": images,
            "precision": _share(right, said),
            "recall": _share(right, images),
            "f1": _share(2 * right, images + said),
            "recall_low": [interval.low if interval else np.nan for interval in intervals],
            "recall_high": [interval.high if interval else np.nan for interval in intervals],
            "most often taken for": _commonest_mistakes(labels, predicted, class_names),
        }
    )


def per_label(
    labels: NDArray[np.bool_], probabilities: NDArray[np.float32], thresholds: NDArray[np.float64], names: Sequence[str]
) -> pd.DataFrame:
    """Return a row for each of several labels, in the order of `names`, from `labels` and `probabilities` (n, labels), where a
    label is predicted from its threshold on, of `thresholds` (labels,).

    Columns: label, images (that have it), ap (average precision), threshold, predicted (images), precision and recall, each with
    the ends of its 95% Wilson interval in columns with _low and _high, and f1. Shares are in 0..1 and NaN where nothing was there
    to take a share of.
    """
    from sklearn.metrics import average_precision_score  # a second to import

    found = probabilities >= thresholds
    right, images, said = (each.sum(axis=0) for each in (labels & found, labels, found))
    ranked = [
        average_precision_score(true, of_label) if true.any() and np.isfinite(of_label).all() else np.nan
        for true, of_label in zip(labels.T, probabilities.T, strict=True)
    ]
    columns = {"label": list(map(str, names)), "images": images, "ap": ranked, "threshold": thresholds}
    columns["predicted"] = said
    for name, whole in (("precision", said), ("recall", images)):
        intervals = [wilson(int(r), int(n)) if n else None for r, n in zip(right, whole, strict=True)]
        columns[name] = _share(right, whole)
        columns[f"{name}_low"] = [interval.low if interval else np.nan for interval in intervals]
        columns[f"{name}_high"] = [interval.high if interval else np.nan for interval in intervals]
    return pd.DataFrame(columns | {"f1": _share(2 * right, images + said)})


def _share(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)


def _commonest_mistakes(labels: Labels, predicted: Labels, class_names: Sequence[str]) -> list[str]:
    found: dict[int, str] = {}
    for true, taken, images in zip(*confusions(labels, predicted), strict=True):
        if true != taken:
            found.setdefault(int(true), f"{class_names[taken]} ({images})")
    return [found.get(row, "") for row in range(len(class_names))]
