"""The range test of learning rates: a few dozen steps in which the rate rises from far too low to far too high.

Smith 2017, "Cyclical learning rates", arXiv 1506.01186.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tl_core.data.images import Labels
from tl_core.events import Reporter
from tl_core.features.cache import ActivationCache
from tl_core.features.inputs import Features
from tl_core.phases.schedules import rising
from tl_core.recipe import Recipe
from tl_core.spec import RunSpec
from tl_core.strategies import Phase
from tl_core.training.inputs import InputPipeline
from tl_core.training.loop import Progress, fit
from tl_core.training.run import Training
from tl_core.training.train import cache_or_temporary, set_up

SETTING = "strategy.learning_rate"
LOWEST, HIGHEST = 1e-6, 1.0
"""Values of the setting between which the rate rises; what the phase makes of them may be a multiple."""


MOST_IMAGES = 2000
"""More images would only be read and never learned from."""


def rate_at(step: int, steps: int) -> float:
    """Return the learning rate at the step `step` (from 1) of `steps`."""
    return HIGHEST * rising(LOWEST / HIGHEST).factor((step - 0.5) / steps)


def sweep(spec: RunSpec, steps: int, report: Reporter, cache: ActivationCache | None = None) -> str:
    """Train for `steps` batches of the training images with a rate that rises from `LOWEST` to `HIGHEST` by the same ratio in
    each, report every `Step`, whose loss (nats) is that of its batch before the step, and return the name of the phase.

    It is the first phase that trains blocks by gradient, or else the first that trains the head so. Where heads are computed
    before it, they are computed from one half of the training images, and the rates are tried on the other one: on images that
    its head was fitted to the loss is nothing from the start, and so is the gradient, so that no rate can break it. No test image
    is looked at. Raises what `train` does, and `SettingError` for a strategy without a rate.
    """
    recipe = Recipe.of(spec.with_settings({SETTING: HIGHEST}))
    with cache_or_temporary(cache) as features:
        run = set_up(recipe, report, cache=features, change=lambda data: data.cut_to(MOST_IMAGES))
        phases = run.cuts.phases
        swept = _swept(run, phases)
        if computed := [phase for phase in phases[: phases.index(swept)] if phase.solver]:
            inputs, (first, second) = run.inputs, halves(run.data.label_kind.drawn_within(run.data.train.labels))
            run.inputs = _fed(inputs, first)
            for phase in computed:
                run.train_phase(phase)
            run.inputs = _fed(inputs, second)
        _rise(run, swept, steps, report)
        return swept.name


def halves(labels: Labels) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the positions of every other image of each class, from the first one on, and those of the others, both ascending;
    all of them twice where no class has two."""
    order = np.argsort(labels, kind="stable")
    _, starts, counts = np.unique(labels[order], return_index=True, return_counts=True)
    place = np.arange(len(labels)) - np.repeat(starts, counts)
    first, second = np.sort(order[place % 2 == 0]), np.sort(order[place % 2 == 1])
    return (first, second) if len(second) else (first, first)


def _fed(inputs: InputPipeline, rows: NDArray[np.intp]) -> InputPipeline:
    """Return the same inputs with `rows` of the training images alone."""
    return replace(inputs, data=replace(inputs.data, train=inputs.data.train.take(rows)))


def _swept(run: Training, phases: tuple[Phase, ...]) -> Phase:
    by_gradient = [phase for phase in phases if not phase.solver]
    return next((phase for phase in by_gradient if phase.trained_blocks(run.blocks)), by_gradient[0])


def _rise(run: Training, swept: Phase, steps: int, report: Reporter) -> None:
    learning = replace(swept.learning, schedule=rising(LOWEST / HIGHEST), patience=None)
    ready = run.prepare_phase(replace(swept, learning=learning, epochs=steps), steps)  # an epoch has a step at least
    nobody = Features(np.zeros((0, 1), np.float32), np.zeros(0, np.int64))
    progress = Progress(total=steps)
    in_steps = replace(ready, validation=nobody, passes_per_epoch=len(ready.train) / ready.batch_size)
    for _ in fit(in_steps, progress, report):
        if progress.steps >= steps:
            return
