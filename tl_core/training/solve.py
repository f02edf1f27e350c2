"""A head that is computed at once, from features, and put into its network."""

from tl_core.features.inputs import CachedInputs
from tl_core.heads import Head, Problem
from tl_core.strategies import Classifier
from tl_core.training.loop import class_weights
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
    )
    head = phase.solver.solve(problem)
    classifier.set_head(head.kernel, head.bias, centre=head.centre, groups=head.groups)
    return head
