"""A head that is computed at once, from features, and put into its network."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tl_core.data.balance import class_shares, class_weights
from tl_core.features.inputs import CachedInputs
from tl_core.heads import Head, Problem
from tl_core.strategies import Classifier
from tl_core.tasks import Outputs
from tl_core.training.prepared import PreparedPhase
from tl_core.training.scoring import Judge


def solve_head(phase: PreparedPhase, classifier: Classifier) -> Head:
    """Compute the head from the features of `phase`, with balanced classes if it says so, and put it into `classifier`.

    Raises `ValueError` where the solver's head normalises features in another way than the network.
    """
    assert phase.solver
    train, validation, classes = phase.train, phase.validation, len(phase.outputs.names)
    assert isinstance(train, CachedInputs)  # its cut is at the features
    assert isinstance(validation, CachedInputs)
    problem = problem_of(phase.outputs, train, validation, phase.judge, normalise=classifier.normalises)
    weights = class_weights(train.labels, classes) if phase.learning.balanced else None
    head = phase.solver.solve(replace(problem, class_weights=weights))
    if phase.learning.adjusted:
        head = adjusted(head, class_shares(train.labels, classes))
    classifier.set_head(head.kernel, head.bias, centre=head.centre, groups=head.groups)
    return head


def problem_of(
    outputs: Outputs, train: CachedInputs, validation: CachedInputs, judge: Judge | None, *, normalise: bool
) -> Problem:
    """Return what a head is computed for.

    Args:
        outputs: Those of the model.
        train: Features to learn from.
        validation: Features of what is held out; there may be none.
        judge: What the metric that decides says of these, and whether it chooses.
        normalise: Whether the head normalises features.
    """
    return Problem(
        train=(train, outputs.solved(train.labels)),
        classes=len(outputs.names),
        normalise=normalise,
        validation=(validation, outputs.solved(validation.labels)) if len(validation) else None,
        score=judge.score_of_solved if judge and judge.chooses else None,
    )


def adjusted(head: Head, shares: NDArray[np.float64]) -> Head:
    """Return `head` without what it knows of the `shares` of the classes (classes,): their logarithm is taken off its biases. Of
    logistic regression, whose biases no penalty holds, that is the very head that the adjusted loss has. A class without images
    stays as it is."""
    logs = np.log(shares, out=np.zeros(len(shares)), where=shares > 0)
    return replace(head, bias=head.bias - logs)
