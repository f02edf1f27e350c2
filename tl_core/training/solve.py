"""A head that is computed at once, from features, and put into its network."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tl_core.data.balance import class_shares, class_weights
from tl_core.features.inputs import CachedInputs
from tl_core.heads import Head, Problem
from tl_core.strategies import Classifier
from tl_core.training.prepared import PreparedPhase


def solve_head(phase: PreparedPhase, classifier: Classifier) -> Head:
    """Compute the head from the features of `phase`, with balanced classes if it says so, and put it into `classifier`.

    Raises `ValueError` where the solver's head normalises features in another way than the network.
    """
    assert phase.solver
    train, validation, classes = phase.train, phase.validation, len(phase.outputs.names)
    assert isinstance(train, CachedInputs)  # its cut is at the features
    assert isinstance(validation, CachedInputs)
    problem = Problem(
        train=(train, phase.outputs.solved(train.labels)),
        classes=classes,
        normalise=classifier.normalises,
        validation=(validation, phase.outputs.solved(validation.labels)) if len(validation) else None,
        class_weights=class_weights(train.labels, classes) if phase.learning.balanced else None,
        score=phase.judge.score_of_solved if phase.judge and phase.judge.chooses else None,
    )
    head = phase.solver.solve(problem)
    if phase.learning.adjusted:
        head = adjusted(head, class_shares(train.labels, classes))
    classifier.set_head(head.kernel, head.bias, centre=head.centre, groups=head.groups)
    return head


def adjusted(head: Head, shares: NDArray[np.float64]) -> Head:
    """Return `head` without what it knows of the `shares` of the classes (classes,): their logarithm is taken off its biases. Of
    logistic regression, whose biases no penalty holds, that is the very head that the adjusted loss has. A class without images
    stays as it is."""
    logs = np.log(shares, out=np.zeros(len(shares)), where=shares > 0)
    return replace(head, bias=head.bias - logs)
