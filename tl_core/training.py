"""The main path: a spec goes in, events come out while it runs, an outcome stays."""

import keras

from tl_core.checkpoints import Checkpoints
from tl_core.events import Reporter
from tl_core.execution import Decide, Training, in_float32
from tl_core.recipe import Recipe
from tl_core.result import Outcome
from tl_core.spec import RunSpec
from tl_core.strategies import Phase


def train(spec: RunSpec, report: Reporter, checkpoints: Checkpoints | None = None, *, decide: Decide = in_float32) -> Outcome:
    """Run `spec` from its dataset to its test accuracy, saying through `report` what happens.

    Where `checkpoints` hold one the run goes on from it, to the same result as if it had never been interrupted (bit for
    bit on a CPU). Raises a `TransferError` for what the user can mend, and whatever `report` raises (`Stopped`, and
    `Paused`, which leaves a checkpoint once training has begun).
    """
    run, phases = prepare(spec, report, checkpoints, decide=decide)
    with run.keeper.kept_when_paused():
        for phase in run.left_of(phases):
            run.train_phase(phase)
        return run.test()


def prepare(
    spec: RunSpec,
    report: Reporter,
    checkpoints: Checkpoints | None = None,
    *,
    decide: Decide = in_float32,
    at_most: int | None = None,
) -> "tuple[Training, tuple[Phase, ...]]":
    """A run that is ready for its first phase, and its phases. With `at_most` its data are cut to so many images."""
    keras.utils.set_random_seed(spec.seed)
    recipe = Recipe.of(spec)
    run = Training(recipe, report, checkpoints)
    with run.stage("Reading the dataset"):
        data = recipe.dataset.load(recipe.seed).cut_to(at_most)
    run.begin_arithmetic(data, decide)
    with run.stage("Loading the backbone"):
        network = recipe.backbone.load(recipe.image_size, pretrained=recipe.strategy.pretrained)
        classifier = recipe.strategy.join(network, data.class_names)
    return run, run.plan(data, network, classifier)
