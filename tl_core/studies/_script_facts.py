"""What a script needs to know of a run: that of its phases, and which of them no script can say yet."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from tl_core.errors import DataError, SettingError
from tl_core.events import Reporter
from tl_core.features.cache import ActivationCache
from tl_core.features.inputs import CachedInputs
from tl_core.heads import LogisticRegression, OneVsRest, Solver
from tl_core.metrics.accuracy import Accuracy
from tl_core.networks.identity import is_all_of_keras
from tl_core.phases.penalty import Scripted
from tl_core.phases.phase import Moves
from tl_core.precision import Precision
from tl_core.recipe import Recipe
from tl_core.result import PhaseRecord, Result
from tl_core.runs.evaluations import Testable
from tl_core.strategies import Phase
from tl_core.studies._script_tasks import OF_OUTPUTS, SOLVED, TaskCode
from tl_core.training.run import Training
from tl_core.training.scoring import Judge
from tl_core.training.solve import problem_of
from tl_core.training.train import set_up


@dataclass(frozen=True)
class PhaseFacts:
    """A phase and what was recorded of it; its `number` counts from 0."""

    number: int
    phase: Phase
    record: PhaseRecord


@dataclass(frozen=True)
class ScriptFacts:
    """A run as a script repeats it: the run `found`, its `recipe`, what it is at its start (`training`: data, network, head), its
    phases, and with which `strengths` (C) the head of each label was computed, if an example may have several."""

    found: Testable
    recipe: Recipe
    training: Training
    phases: tuple[PhaseFacts, ...]
    strengths: tuple[float, ...] = ()

    @property
    def result(self) -> Result:
        """Return the result of the run."""
        return self.found.result

    @property
    def task(self) -> TaskCode:
        """Return what a script says of its task."""
        return OF_OUTPUTS[type(self.training.outputs)]

    @property
    def solved(self) -> PhaseFacts | None:
        """Return the phase that computes the head, with which a run begins, if it has one."""
        return self.phases[0] if self.phases[0].phase.solver else None

    @property
    def trained(self) -> tuple[PhaseFacts, ...]:
        """Return the phases that train by gradient."""
        return tuple(each for each in self.phases if not each.phase.solver)


def facts_of(found: Testable, report: Reporter, cache: ActivationCache) -> ScriptFacts:
    """Return the facts of a finished run, which is set up again as it began. Raises `SettingError` for one that no script can say
    yet, and `DataError` where its data are not there as they were."""
    spec, result = found.run.spec, found.result
    recipe = Recipe.of(spec.model_copy(update={"precision": Precision.FLOAT32}))
    require_sayable(recipe, result)
    training = set_up(recipe, report, cache=cache)
    if training.classifier.features is not training.network.model.output:
        raise _unsayable(recipe, "its head stands on more than the network's features")
    phases = training.cuts.phases
    if reason := next((reason for phase in phases for reason in _odd(phase, training)), None):
        raise _unsayable(recipe, reason)
    if training.data.digest() != result.data_digest:
        where = recipe.dataset.location()
        raise DataError("The data of this run are not there as they were.", "Put them back.", received=where)
    strengths = _strengths(phases[0], training) if isinstance(phases[0].solver, OneVsRest) else ()
    return ScriptFacts(found, training.recipe, training, tuple(map(PhaseFacts, count(), phases, result.phases)), strengths)


def require_sayable(recipe: Recipe, result: Result) -> None:
    """Raise the `SettingError` of a run that no script can say yet, as far as that can be known without Keras."""
    if not all(result.train_sizes):
        raise _unsayable(recipe, "a class has no training images")


def _odd(phase: Phase, training: Training) -> Iterator[str]:
    """Yield why a phase cannot be said."""
    learning, several = phase.learning, sum(not each.solver for each in training.cuts.phases) > 1
    composite = any(layer._layers for layer in training.network.model.layers)
    clipped, recipe = learning.clip_norm is not None, training.recipe
    by_metric = recipe.metric_chooses and recipe.deciding_metric != Accuracy()
    reasons = {
        "its network has layers that are not Keras' own": not is_all_of_keras(training.network.model.get_config()),
        "its task has outputs of its own": type(training.outputs) not in OF_OUTPUTS,
        "it computes its head in a way of its own": phase.solver is not None and not _computes(phase.solver),
        "it adds a penalty of its own to the loss": phase.penalty is not None and not isinstance(phase.penalty, Scripted),
        "it adds a penalty in one phase of several": phase.penalty is not None and several,
        "another run teaches it": learning.teacher is not None,
        "it measures its learning rates": bool(phase.measured_rates),
        "it tries several learning rates": phase.trial,
        f"{recipe.deciding_metric.title} chose its epochs": by_metric and learning.keeps_best,
        "it shortens gradients over several learning rates": clipped and phase.rates is not None,
        "the network has layers within layers": composite and phase.moves is not Moves.EVERYTHING,
    }
    yield from (reason for reason, is_so in reasons.items() if is_so)


def _computes(solver: Solver) -> bool:
    """Return whether a script knows how to compute this head."""
    each = solver.solver if isinstance(solver, OneVsRest) else solver
    return type(solver) in SOLVED and (each is solver or isinstance(each, LogisticRegression))


def _strengths(phase: Phase, training: Training) -> tuple[float, ...]:
    """Return the inverse penalty C of each label's head, of which a run keeps the ends. Raises `SettingError` where a label
    has none, since all training examples have it, or none does."""
    assert isinstance(phase.solver, OneVsRest)
    _, train, validation, _ = training.inputs.inputs_for(phase, 0)
    assert isinstance(train, CachedInputs)  # the cut of a computed head is at the features
    assert isinstance(validation, CachedInputs)
    judge, outputs = Judge.of(training.recipe, training.outputs), training.outputs
    given = problem_of(outputs, train, validation, judge, normalise=training.classifier.normalises)
    chosen = [head.chosen.get("C") for head in phase.solver.solved(given)]
    if None in chosen:
        raise _unsayable(training.recipe, "there is a label that all training examples have, or none has")
    return tuple(strength for strength in chosen if strength is not None)


def _unsayable(recipe: Recipe, reason: str) -> SettingError:
    return SettingError(
        f"{recipe.strategy.title} cannot be written as a script yet: {reason}.",
        "Train it again with: python -m tl_core rerun",
        received=recipe.strategy.name,
    )
