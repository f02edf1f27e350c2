"""What a script needs to know of a run: that of its phases, and which of them no script can say yet."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from tl_core.data.examples import Modality
from tl_core.data.label_kinds import CLASSES
from tl_core.errors import DataError, SettingError
from tl_core.events import Reporter
from tl_core.features.cache import ActivationCache
from tl_core.heads import LogisticRegression, NearestCentroid, RidgeClassifier
from tl_core.metrics.accuracy import Accuracy
from tl_core.phases.phase import Moves
from tl_core.precision import Precision
from tl_core.recipe import Recipe
from tl_core.result import PhaseRecord, Result
from tl_core.runs.evaluations import Testable
from tl_core.strategies import Phase
from tl_core.training.run import Training
from tl_core.training.train import set_up

SOLVERS = (LogisticRegression, RidgeClassifier, NearestCentroid)
"""The heads that a script knows how to compute."""


@dataclass(frozen=True)
class PhaseFacts:
    """A phase and what was recorded of it; its `number` counts from 0."""

    number: int
    phase: Phase
    record: PhaseRecord


@dataclass(frozen=True)
class ScriptFacts:
    """A run as a script repeats it: the run `found`, its `recipe`, what it is at its start (`training`: data, network, head), and
    its phases."""

    found: Testable
    recipe: Recipe
    training: Training
    phases: tuple[PhaseFacts, ...]

    @property
    def result(self) -> Result:
        """Return the result of the run."""
        return self.found.result

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
    if reason := next((reason for phase in training.cuts.phases for reason in _odd(phase, training)), None):
        raise _unsayable(recipe, reason)
    if training.data.digest() != result.data_digest:
        where = recipe.dataset.location()
        raise DataError("The data of this run are not there as they were.", "Put them back.", received=where)
    return ScriptFacts(found, recipe, training, tuple(map(PhaseFacts, count(), training.cuts.phases, result.phases)))


def require_sayable(recipe: Recipe, result: Result) -> None:
    """Raise the `SettingError` of a run that no script can say yet, as far as that can be known without Keras."""
    if recipe.dataset.modality is not Modality.IMAGES or recipe.task.label_kind != CLASSES:
        asked = f"{recipe.task.title.lower()} of {recipe.dataset.modality}"
        raise _unsayable(recipe, f"it knows classification of images, and this run is {asked}")
    if not all(result.train_sizes):
        raise _unsayable(recipe, "a class has no training images")


def _odd(phase: Phase, training: Training) -> Iterator[str]:
    """Yield why a phase cannot be said."""
    learning = phase.learning
    composite = any(layer._layers for layer in training.network.model.layers)
    clipped, recipe = learning.clip_norm is not None, training.recipe
    by_metric = recipe.metric_chooses and recipe.deciding_metric != Accuracy()
    reasons = {
        "it computes its head in a way of its own": phase.solver is not None and not isinstance(phase.solver, SOLVERS),
        "it adds a penalty to the loss": phase.penalty is not None,
        "it trains adapters": phase.moves is Moves.ADAPTERS,
        "it measures its learning rates": bool(phase.measured_rates),
        "it tries several learning rates": phase.trial,
        f"{recipe.deciding_metric.title} chose its epochs": by_metric and learning.keeps_best,
        "it mixes images": bool(learning.mixup or learning.cutmix),
        "it changes images in fixed ways": learning.augments and learning.views is not None,
        "it makes up for uneven classes otherwise than by weights": learning.sampled or learning.adjusted,
        "it shortens gradients over several learning rates": clipped and phase.rates is not None,
        "the network has layers within layers": composite and phase.moves is not Moves.EVERYTHING,
    }
    yield from (reason for reason, is_so in reasons.items() if is_so)


def _unsayable(recipe: Recipe, reason: str) -> SettingError:
    return SettingError(
        f"{recipe.strategy.title} cannot be written as a script yet: {reason}.",
        "Train it again with: python -m tl_core rerun",
        received=recipe.strategy.name,
    )
