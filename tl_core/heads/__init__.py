"""Heads of a linear probe, fitted at once instead of by epochs of gradient steps.

Logistic regression, ridge regression, nearest class means and Head2Toe, each on features that a frozen network gave. All give a
`Head`, are deterministic, and compute in float64 without Keras. A `Solver` is one of them with its settings; a new one is a file.
"""

from tl_core.heads.closed_form import NearestCentroid, RidgeClassifier, class_means, ridge
from tl_core.heads.head import ChosenBy, Head, normalised
from tl_core.heads.logistic_regression import LogisticRegression, logistic
from tl_core.heads.one_vs_rest import FitsLabels, OneVsRest
from tl_core.heads.ridge_regression import FitsNumbers, RidgeRegression, ridge_regression
from tl_core.heads.selection import SelectedFeatures, Selection, head2toe, select_features
from tl_core.heads.solver import FitsPath, Problem, Solver

__all__ = [
    "ChosenBy",
    "FitsLabels",
    "FitsNumbers",
    "FitsPath",
    "Head",
    "LogisticRegression",
    "NearestCentroid",
    "OneVsRest",
    "Problem",
    "RidgeClassifier",
    "RidgeRegression",
    "SelectedFeatures",
    "Selection",
    "Solver",
    "class_means",
    "head2toe",
    "logistic",
    "normalised",
    "ridge",
    "ridge_regression",
    "select_features",
]
