"""A phase made ready: what trains is set, and the model is compiled for it."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tl_core.backbones import BlockOutline
from tl_core.features.inputs import Inputs
from tl_core.networks.classifier import compiling
from tl_core.networks.outline import Network
from tl_core.notes import Note, NoteKind
from tl_core.strategies import HEAD, Classifier, Phase
from tl_core.tasks import Outputs
from tl_core.training.freezing import Freezer, Frozen, require_exact
from tl_core.training.loop import batches
from tl_core.training.optimizers import GradientNorms, optimizer
from tl_core.training.prepared import PreparedPhase
from tl_core.training.values import get_values, set_values

LearningRates = Mapping[str, float]


class PhasePreparer:
    """Makes one classifier ready for its `phases`, one after the other. The values with which it starts are kept where a phase
    needs them: to begin anew, or to stay near them.

    Args:
        classifier: The network with a head on it.
        network: The backbone, loaded.
        blocks: Its blocks in plain values, from the pixels upward.
        phases: All phases of the run, in order.
        outputs: What the classifier gives, and the loss that fits it to labels.
        xla: Whether TensorFlow compiles with XLA.
    """

    def __init__(
        self,
        classifier: Classifier,
        network: Network,
        blocks: Sequence[BlockOutline],
        phases: Sequence[Phase],
        outputs: Outputs,
        *,
        xla: bool = False,
    ) -> None:
        self._classifier, self._model, self._network = classifier, classifier.model, network
        self._xla = compiling(xla)
        self._blocks, self._outputs = blocks, outputs
        self._freezer = Freezer(classifier.model, network)
        variables = classifier.model.variables if any(phase.trial or phase.penalty for phase in phases) else []
        self._start = dict(zip(paths(variables), get_values(variables), strict=True))

    def freeze(self, phase: Phase) -> Frozen:
        """Set what trains in `phase`."""
        return self._freezer.freeze(phase, phase.trained_blocks(self._blocks))

    def reset_weights(self) -> None:
        """Restore the values that the model had before any phase."""
        for variable in self._model.variables:
            variable.assign(self._start[variable.path])

    def inference_model(self) -> Any:
        """Return the trained model with nothing on it that belongs to a phase: what is tested and saved."""
        self._freezer.reset()
        return self._compiling(keras.Model(self._model.input, self._model.output, name=self._model.name))

    def divide(self, tensor: Any) -> tuple[Any, Any]:
        """Return what lies below `tensor`, for a forward pass, and what lies above it."""
        return self._compiling(self._classifier.below(tensor)), self._compiling(self._classifier.above(tensor))

    def _compiling(self, model: Any) -> Any:
        if self._xla != "auto":
            model.jit_compile = self._xla
        return model

    def compile(self, model: Any, phase: Phase, frozen: Frozen, rates: LearningRates, steps: int) -> None:
        """Compile `model` for a phase.

        Args:
            model: The classifier, or what lies above a cut.
            phase: What to compile it for.
            frozen: What `freeze` gave for the phase.
            rates: The learning rate of each variable by its path.
            steps: How many steps the learning rate's schedule has.
        """
        if phase.penalty:
            phase.penalty.put_on(model, self._network, self._start)
        chosen = optimizer(model.trainable_variables, rates, phase.learning, steps)
        losses = {"loss": self._outputs.loss(phase.learning), "metrics": self._outputs.metrics(phase.learning)}
        model.compile(optimizer=chosen, **losses, jit_compile=self._xla)
        require_exact(model, frozen)

    def rates(self, phase: Phase, model: Any) -> LearningRates:
        """Return the learning rate of each variable that trains, by its path: that of its block."""
        factors = phase.factors([block.name for block in self._blocks])
        return {path: phase.learning_rate * factors[self._group(path)] for path in paths(model.trainable_variables)}

    def measured_rates(self, phase: Phase, model: Any, train: Inputs, order: NDArray[np.intp]) -> LearningRates:
        """Return rates in proportion to tensors' relative gradients over the first batches of `order`; the head keeps its own.

        Auto-RGN: Lee et al. 2023, arXiv 2210.11466. No weight moves, and no statistic stays moved.
        """
        statistics = [weight for weight in model.weights if not weight.trainable]
        before = get_values(statistics)
        measuring = GradientNorms()
        model.compile(optimizer=measuring, loss=self._outputs.loss(phase.learning), jit_compile=self._xla)
        first = order[: phase.measured_rates * phase.batch_size]
        for inputs, labels in batches(train, first, phase.batch_size):
            model.train_on_batch(inputs, self._outputs.targets(labels, phase.learning))
        set_values(statistics, before)
        relative = dict(zip(paths(model.trainable_variables), measuring.norms(), strict=True))
        largest = max((norm for path, norm in relative.items() if self._group(path) != HEAD and isfinite(norm)), default=1.0)
        # A tensor of zeros has no relative gradient. It takes the whole rate, as the head does.
        whole = {path for path, norm in relative.items() if self._group(path) == HEAD or not isfinite(norm)}
        shares = {path: 1.0 if path in whole else norm / (largest or 1.0) for path, norm in relative.items()}
        return {path: phase.learning_rate * share for path, share in shares.items()}

    def remarks(self, phase: PreparedPhase) -> tuple[Note, ...]:
        """Return what one should know of what trains in `phase`, and of what it learns from."""
        head_alone = all(self._group(path) == HEAD for path in phase.frozen.trained)
        notes = (Note(NoteKind.NOTHING_IN_BLOCKS),) if phase.blocks and head_alone else ()
        if phase.taught is None:
            return notes
        right = int((phase.taught.argmax(axis=1) == phase.train.labels[: len(phase.taught)]).sum())
        kind = NoteKind.TAUGHT_UNCHANGED if phase.learning.augments else NoteKind.TAUGHT
        return (*notes, Note(kind, (right, len(phase.taught))))

    def _group(self, path: str) -> str:
        return self._freezer.block_of(path) or HEAD


def paths(variables: Sequence[Any]) -> list[str]:
    """Return the path of each."""
    return [variable.path for variable in variables]
