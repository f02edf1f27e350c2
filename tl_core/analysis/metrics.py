"""Numbers per class, from what a model said of the test images."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tl_core.analysis.statistics import wilson


def confusion_matrix(labels: NDArray[np.int64], predicted: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """How many images of each true class (rows) were taken for each class (columns), (classes, classes).

    `labels` and `predicted` (n,) are in 0..classes-1.
    """
    matrix = np.zeros((classes, classes), np.int64)
    np.add.at(matrix, (labels, predicted), 1)
    return matrix


def per_class(labels: NDArray[np.int64], probabilities: NDArray[np.float32], class_names: Sequence[str]) -> pd.DataFrame:
    """A row for each class, in the order of `class_names`, from `labels` (n,) and `probabilities` (n, classes).

    Columns: class, images, precision, recall, f1, recall_low, recall_high (95% Wilson interval) and "most often taken for"
    (the commonest mistake, with its images; empty where there was none). Shares are in 0..1 and NaN where nothing was there to
    take a share of: no image of the class, or no image taken for it.
    """
    matrix = confusion_matrix(labels, probabilities.argmax(axis=1), len(class_names))
    right, images, said = matrix.diagonal(), matrix.sum(axis=1), matrix.sum(axis=0)
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
            "most often taken for": [_commonest_mistake(matrix, row, class_names) for row in range(len(class_names))],
        }
    )


def _share(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)


def _commonest_mistake(matrix: NDArray[np.int64], row: int, class_names: Sequence[str]) -> str:
    wrong = matrix[row].copy()
    wrong[row] = 0
    column = int(wrong.argmax()) if len(wrong) else 0
    return f"{class_names[column]} ({wrong[column]})" if wrong[column] else ""
