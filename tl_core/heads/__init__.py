"""Heads of a linear probe, fitted at once instead of by epochs of gradient steps.

Logistic regression, ridge regression, nearest class means and Head2Toe, each on features that a frozen network gave.
All give a `Head`, are deterministic, and compute in float64 without Keras.
"""

from tl_core.heads.closed_form import class_means, ridge
from tl_core.heads.head import Head, normalised
from tl_core.heads.logistic_regression import logistic, logistic_path
from tl_core.heads.selection import Selection, head2toe, select_features

__all__ = ["Head", "Selection", "class_means", "head2toe", "logistic", "logistic_path", "normalised", "ridge", "select_features"]
