"""How many floating-point operations a run takes: two a multiply-add, by the rule of the cost model.

Training takes three times what a pass forward takes, from the lowest trained block upward; what lies above the cut and stays
as it is takes one, and what lies under it takes one for each picture, whatever the number of epochs and whoever kept it, so
that runs are told alike in whichever order they came. The head takes three for each training example and epoch, or what
computing it takes, and one for each validation example. Not counted are the measuring of gradients, adapters, augmentation, and
what attention multiplies with each other.
"""

from collections.abc import Sequence

from tl_core.backbones import Outline
from tl_core.planning.cost_model import Costs, Work, head_work

OF_MULTIPLY_ADD = 2
TRAINED = 3
"""A pass that trains, in passes forward: gradients of the weights and of the inputs take one each."""


def of(costs: Costs, outline: Outline, features: int, outputs: int, epochs: Sequence[int]) -> float | None:
    """Return the FLOPs of a run, from its images to its test; None where a teacher, whose size is not known here, had its part.

    Args:
        costs: The plan of the run.
        outline: Its network.
        features, outputs: How many numbers its head stands on, and how many it gives.
        epochs: Those that each phase has had, in order.
    """
    cuts, work = costs.cuts, costs.test
    if any(phase.learning.teacher for phase in cuts.phases):
        return None
    train, validation, head = cuts.images.train, cuts.images.validation, features * outputs
    heads = float(head * cuts.images.test)
    for index, (phase, done) in enumerate(zip(cuts.phases, epochs, strict=True)):
        work += costs.frozen(index)
        if phase.solver:
            heads += head_work(phase, train, features, outputs) + head * (train + validation)
            continue
        above = 1 - cuts.share_under(cuts.cut(phase))
        passes = train * costs.step_passes(phase) + validation * above
        work += Work(trained=done * passes)
        heads += head * done * (TRAINED * train + validation)
    return OF_MULTIPLY_ADD * (outline.multiply_adds * (work.frozen + work.trained) + heads)
