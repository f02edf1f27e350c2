"""A phase that is ready to train. It is unpacked once: who trains, proves and records it asks nobody else."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_core.features.inputs import Inputs
from tl_core.heads import Solver
from tl_core.strategies import Learning
from tl_core.tasks import Outputs
from tl_core.training.freezing import Frozen
from tl_core.training.scoring import Judge

Order = Callable[[int], NDArray[np.intp]]
"""From the number of an epoch, from 0, to the order of the training images in it: it depends on nothing but the run's seed."""
Augment = Callable[[Any, Any, Sequence[int]], tuple[Any, Any]]
"""From inputs, labels (n, classes) and the batch's number to both as they are to be learned."""


@dataclass(frozen=True)
class PreparedPhase:
    """A phase with its model set, compiled and fed.

    Args:
        name: What it is called on the pages.
        model: What trains: the whole classifier, or what lies above the phase's cut.
        train: The training inputs of `model`.
        validation: Its validation inputs, of which there may be none.
        frozen: What it leaves alone, as it was before.
        learning: The way of learning, apart from how fast.
        outputs: What the model gives, and the loss that fits it to labels.
        epochs: How often it goes through the training inputs at most.
        batch_size: Inputs of a step.
        order: In which order they come.
        passes_per_epoch: What one epoch costs, in passes (`planning.cost_model`).
        augment: What changes each batch anew, if anything does.
        solver: What computes the head at once, instead of epochs.
        learning_rate: The head's; None where a solver computes it.
        blocks: The names of the blocks that train.
        trial: Whether it is one of several, of which the best is kept.
        taught: What a teacher says of each training example (n, classes), if one does.
        judge: What the metric that decides says of the validation images; None where accuracy decides.
    """

    name: str
    model: Any
    train: Inputs
    validation: Inputs
    frozen: Frozen
    learning: Learning
    outputs: Outputs
    epochs: int
    batch_size: int
    order: Order
    passes_per_epoch: float
    augment: Augment | None = None
    solver: Solver | None = None
    learning_rate: float | None = None
    blocks: tuple[str, ...] = ()
    trial: bool = False
    taught: NDArray[np.float32] | None = None
    judge: Judge | None = None


def shuffled(count: int, views: int, stream: tuple[int, int], epoch: int) -> NDArray[np.intp]:
    """Return the order of `count` images in an epoch, of the view whose turn it is: it depends on nothing but the run's seed, the
    phase's number and the epoch's."""
    return np.random.default_rng([*stream, epoch]).permutation(count) + count * (epoch % views)
