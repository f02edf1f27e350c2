"""The main path: a spec goes in, events come out while it runs, an outcome stays."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import keras

from tl_core.checks.first_look import with_note_on_ends, with_notes
from tl_core.datasets import Data
from tl_core.events import Activity, Placement, Reporter
from tl_core.features.cache import ActivationCache
from tl_core.machine import backends
from tl_core.planning.cuts import SplitSizes
from tl_core.precision import Precision
from tl_core.recipe import Recipe
from tl_core.result import Outcome
from tl_core.spec import RunSpec
from tl_core.system import settings
from tl_core.training.checkpoints import Checkpoints
from tl_core.training.evaluation import outcome_of
from tl_core.training.resume import CheckpointManager
from tl_core.training.run import Training
from tl_core.training.stages import Stages

Decide = Callable[[Recipe, SplitSizes], Precision]
"""What a run computes in whose spec leaves it open."""


def in_float32(recipe: Recipe, images: SplitSizes) -> Precision:
    """Return what to compute in where nothing was measured."""
    return Precision.FLOAT32


def train(
    spec: RunSpec,
    report: Reporter,
    checkpoints: Checkpoints | None = None,
    *,
    decide: Decide = in_float32,
    cache: ActivationCache | None = None,
) -> Outcome:
    """Run `spec` from its dataset to its test. Raises a `TransferError` for what the user can mend, and whatever
    `report` raises (`Stopped`, and `Paused`, which leaves a checkpoint once training has begun).

    Args:
        spec: The run.
        report: Is told what happens.
        checkpoints: Where they hold one the run goes on from it, to the same result as if it had never been interrupted (bit for
            bit on a CPU).
        decide: Says in which precision to compute where the spec leaves that open.
        cache: Where what a frozen network makes of the images is taken from and kept; without one it is kept for this run alone.
    """
    with cache_or_temporary(cache) as features:
        run = set_up(Recipe.of(spec), report, checkpoints, decide=decide, cache=features)
        with run.manager.checkpoint_on_pause():
            for phase in run.remaining_phases():
                run.train_phase(phase)
            return outcome_of(run)


@contextmanager
def cache_or_temporary(cache: ActivationCache | None) -> Iterator[ActivationCache]:
    """Yield `cache`, or where there is none one that is gone in the end."""
    if cache is not None:
        yield cache
        return
    with TemporaryDirectory(prefix="transfer_lab_", ignore_cleanup_errors=True) as folder:
        yield ActivationCache(Path(folder), settings.cache_limit(Path(folder)))


def set_up(
    recipe: Recipe,
    report: Reporter,
    checkpoints: Checkpoints | None = None,
    *,
    decide: Decide = in_float32,
    cache: ActivationCache,
    change: Callable[[Data], Data] = lambda data: data,
) -> Training:
    """Return a run of `recipe` that is ready for its first phase.

    Args:
        recipe: What runs.
        report: Is told what happens.
        checkpoints: Where an interrupted run is found, and this one is kept.
        decide: Chooses the precision where the recipe leaves it open.
        cache: Where what a frozen network makes of the images is kept.
        change: Makes of the data those that are used, such as fewer of them.

    Raises:
        TransferError: For what the user can mend.
    """
    backends.compute_in(Precision.FLOAT32, fixed_order=recipe.deterministic)  # in float32 until it is decided
    keras.utils.set_random_seed(recipe.seed)
    report(Placement(keras.backend.backend(), backends.device()))
    recipe.require_accepted()
    recipe.require_task()
    manager = CheckpointManager(checkpoints, report)
    stages = Stages(manager.state, report)
    data = change(_read(recipe, stages))
    backends.compute_in(manager.fixed_precision(lambda: decide(recipe, SplitSizes.of(data)), recipe.precision))
    with stages.stage(Activity.LOADING_BACKBONE):
        recipe = recipe.adapted_to(data.train)
        data = with_note_on_ends(data, recipe.preprocessor())
        network = recipe.backbone.load(recipe.input_size, pretrained=recipe.strategy.pretrained)
        outputs = recipe.task.outputs(data.class_names, data.train.labels)
        classifier = outputs.joined(recipe.strategy.join(network, data.class_names))
    run = Training(recipe, data, network, classifier, outputs, manager=manager, stages=stages, cache=cache)
    report(run.plan())
    return run


def _read(recipe: Recipe, stages: Stages) -> Data:
    dataset, seed = recipe.dataset, recipe.seed
    if not dataset.fetches:
        with stages.stage(Activity.READING_DATASET):
            return with_notes(dataset.load(seed))
    with stages.followed(Activity.FETCHING_DATASET, dataset.fetched_share):
        return with_notes(dataset.load(seed))
