"""How a run goes on where it was interrupted: what is living goes into its checkpoint, and comes back to life.

Weights, optimizer, random generators and progress are what decides the next step. Keras' Python objects (compiled
model, traced functions) are made again by the same code that made them first.
"""

import hashlib
import math
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from typing import Any

import keras
import numpy as np
from keras.src.backend.common import global_state
from keras.src.random import seed_generator

from tl_core.backbones import BlockOutline
from tl_core.datasets import Data
from tl_core.errors import Paused
from tl_core.events import Checkpoint, Reporter
from tl_core.precision import Precision
from tl_core.result import BestTrial
from tl_core.strategies import Phase
from tl_core.training.checkpoints import Checkpoints, Snapshot, TrainingState, TrialResult, unusable
from tl_core.training.freezing import Frozen
from tl_core.training.loop import Progress, warm_up
from tl_core.training.prepared import PreparedPhase
from tl_core.training.values import Arrays, get_values, set_values


class CheckpointManager:
    """Saves all that decides how a run goes on, and puts it back. Without `checkpoints` it does neither.

    Nothing is saved while nothing has happened since the last checkpoint; so what has not been put back yet is never
    written over.
    """

    def __init__(self, checkpoints: Checkpoints | None, report: Reporter) -> None:
        self._checkpoints, self._report = checkpoints, report
        self._found = checkpoints.load() if checkpoints else None
        self.state = self._found.state if self._found else TrainingState(Progress(total=0))
        self._saved = deepcopy(self.state.progress)
        """How far the run had come when its last checkpoint was taken."""
        self._model: Any = None
        self._identity: dict[str, Any] = {}
        self._optimizer: Any = None
        self._best: Arrays = ()
        self._winner: Arrays = self._found.winner if self._found else ()
        self._frozen: Frozen | None = None

    @property
    def place(self) -> str:
        """Return where checkpoints are kept, which is no other run's; empty where none are."""
        return str(self._checkpoints.folder) if self._checkpoints else ""

    def fixed_precision(self, decide: Callable[[], Precision], wanted: Precision) -> Precision:
        """Return what the run computes in: as `wanted`, or where that leaves it open, as `decide` says. An interrupted run stays
        with what it began in."""
        if self.state.precision is Precision.AUTO:
            self.state.precision = decide() if wanted is Precision.AUTO else wanted
        return self.state.precision

    def put_back(self, model: Any, identity: dict[str, Any]) -> bool:
        """Restore `model` to where the checkpoint was taken; return False where there is none.

        Raises `RunError` for the checkpoint of another run: one with another `identity`.
        """
        self._model, self._identity = model, identity
        self._saved = deepcopy(self.state.progress)
        if self._checkpoints is None or self._found is None:
            return False
        if name := self._found.difference(identity):
            raise unusable(f"it belongs to a run with another {name}", self._checkpoints.folder)
        restore(model.variables, self._found.variables)
        restore_random(self._found.random)
        self.state.resumed += 1
        return True

    def restore_phase(self, phase: PreparedPhase) -> PreparedPhase:
        """Begin `phase`, or let it go on where it was. Return it with what was frozen when it first began."""
        frozen = phase.frozen
        if self._found and self.state.progress.within_phase:
            warm_up(phase)
            restore(self._model.variables, self._found.variables)
            restore(phase.model.optimizer.variables, self._found.optimizer)
            restore_random(self._found.random)
            frozen, self._best = replace(frozen, before=self._found.before), self._found.best
        elif phase.learning.restore_best and not phase.trial:  # a trial begins with what nobody measured
            self._keep_start()
        self._found = None
        self._optimizer, self._frozen = phase.model.optimizer, frozen
        return replace(phase, frozen=frozen)

    def _keep_start(self) -> None:
        """Keep what a phase begins with as its best so far, if its validation loss is known from the phase before."""
        progress = self.state.progress
        known = progress.validation_loss if progress.validation_score is None else progress.validation_score
        if finite(known) < math.inf:
            progress.best_loss, progress.best_accuracy = progress.validation_loss, progress.validation_accuracy
            progress.best_score = progress.validation_score
            self.keep_best()

    def keep_best(self) -> None:
        """Keep the present values: no epoch of this phase was better on the validation images."""
        self._best = get_values(self._model.variables)

    def restore_best(self) -> int | None:
        """Take the model back to its best epoch where that is kept, at the end of a phase; return that epoch, or None."""
        progress = self.state.progress
        if not self._best:
            return None
        if progress.best_epoch < progress.epoch:
            self._go_back(self._best, progress.best_loss, progress.best_accuracy, progress.best_score)
        self._best = ()
        return progress.best_epoch

    def _go_back(self, values: Arrays, validation_loss: float | None, accuracy: float | None, score: float | None) -> None:
        """Restore the model to what it was when these were measured."""
        restore(self._model.variables, values)
        progress = self.state.progress
        progress.loss = progress.accuracy = None
        progress.validation_loss, progress.validation_accuracy, progress.validation_score = validation_loss, accuracy, score

    def select_trial(self, phase: PreparedPhase, *, last: bool) -> BestTrial | None:
        """Keep what the ended trial `phase` left, unless an earlier one was as good. After the `last` one let the model be the
        best of them, and return which that is; None while others follow."""
        progress, best = self.state.progress, self.state.best_trial
        loss, score = finite(progress.validation_loss), progress.validation_score
        if best is None or (loss < best.loss if score is None or best.score is None else score < best.score):
            best = self.state.best_trial = TrialResult(phase.name, loss, progress.validation_accuracy, score)
            self._winner = get_values(self._model.variables)
        if not last:
            return None
        self._go_back(self._winner, best.loss, best.accuracy, best.score)
        self._winner, self.state.best_trial = (), None
        known = phase.judge is not None and best.score is not None and best.score < math.inf
        value = -phase.judge.metric.better.sign * best.score if known else None  # type: ignore[union-attr, operator]  # known
        return BestTrial(name=best.name, loss=best.loss if best.loss < math.inf else None, value=value)

    def due(self) -> bool:
        """Return whether it is time for a checkpoint."""
        return self._checkpoints is not None and self._checkpoints.due()

    def save(self) -> None:
        """Save a checkpoint of this moment, unless nothing has happened since the last one."""
        if self._checkpoints and self.state.progress != self._saved:
            self._report(Checkpoint(self.state.progress.steps))
            self._checkpoints.save(self._snapshot)
            self._saved = deepcopy(self.state.progress)

    @contextmanager
    def checkpoint_on_pause(self) -> Iterator[None]:
        """Save a checkpoint of the moment at which `Paused` comes out of the `with` block."""
        try:
            yield
        except Paused:
            self.save()
            raise

    def _snapshot(self) -> Snapshot:
        within = self.state.progress.within_phase
        return Snapshot(
            identity=self._identity,
            state=self.state,
            before=self._frozen.before if self._frozen and within else {},
            random=random_state(),
            variables=get_values(self._model.variables),
            optimizer=get_values(self._optimizer.variables) if within else (),
            best=self._best,
            winner=self._winner,
        )


def finite(loss: float | None) -> float:
    """Return `loss`; infinity where a training has diverged and there is none."""
    return loss if loss is not None and math.isfinite(loss) else math.inf


def identity_of(model: Any, data: Data, phases: Sequence[Phase], blocks: Sequence[BlockOutline], seed: int) -> dict[str, Any]:
    """Return what a run and its continuation must agree in, as plain JSON values, by the names under which a user is told of it.

    Args:
        model: The classifier, of which the paths and shapes of the weights count.
        data: Of which the names of the classes and the labels of each split count.
        phases, blocks: The plan, and the network's blocks for which it is written out.
        seed: The run's.
    """
    splits = [data.train.labels, data.validation.labels, data.test.labels]
    return {
        "network": {weight.path: list(weight.shape) for weight in model.weights},
        "dataset": [list(data.class_names), [[len(labels), hashlib.sha256(labels.tobytes()).hexdigest()] for labels in splits]],
        "plan": [phase.described(blocks) for phase in phases],
        "seed": seed,
    }


def restore(variables: Sequence[Any], values: Arrays) -> None:
    """Set `variables` to the `values` of a checkpoint. Raises `RunError` unless each has its shape."""
    expected, found = ([tuple(each.shape) for each in group] for group in (variables, values))
    if expected != found:
        raise unusable("it holds variables of other shapes", f"{len(found)} variables where there are {len(expected)}")
    set_values(variables, values)


def random_state() -> dict[str, Any]:
    """Return where Python's, NumPy's, Keras' and the backend's global random generators stand, as plain JSON values.

    Keras has a global one from the first call that asks for it; layers have their own, which are variables of the model.
    """
    of_keras = global_state.get_global_attribute(seed_generator.GLOBAL_SEED_GENERATOR)
    of_numpy: Any = np.random.get_state(legacy=False)
    return {
        "python": random.getstate(),
        "numpy": of_numpy | {"state": {name: np.asarray(value).tolist() for name, value in of_numpy["state"].items()}},
        "keras": None if of_keras is None else keras.ops.convert_to_numpy(of_keras.state).tolist(),
        "backend": [bytes(state.tolist()).hex() for state in _torch_states()],
    }


def restore_random(state: dict[str, Any]) -> None:
    """Make the generators go on from where `random_state` found them."""
    if state["keras"] is not None:  # first: where there is none yet, making it draws from Python's
        seed_generator.global_seed_generator().state.assign(np.array(state["keras"]))
    version, numbers, gauss = state["python"]
    random.setstate((version, tuple(numbers), gauss))
    np.random.set_state(state["numpy"])
    _put_back_torch([bytes.fromhex(text) for text in state.get("backend", ())])


def _torch_states() -> list[Any]:
    """Return the states of torch's own generators where torch is the backend: the processor's, then each device's. There, and
    nowhere else, Keras draws the masks of Dropout from them, and not from the layer's own generator."""
    if keras.backend.backend() != "torch":
        return []
    import torch

    return [torch.get_rng_state(), *(torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else ())]


def _put_back_torch(states: Sequence[bytes]) -> None:
    if states:
        import torch

        of_processor, *of_devices = (torch.tensor(list(state), dtype=torch.uint8) for state in states)
        torch.set_rng_state(of_processor)
        torch.cuda.set_rng_state_all(of_devices)
