"""What a linear probe would reach with other labels, other penalties and other draws: many answers after one pass.

The frozen network sees each image once, whatever the number of questions; an answer then costs the fit of a head.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from tl_core.analysis.thresholds import threshold_values
from tl_core.analysis.what_if import Answer, Question
from tl_core.datasets import Data
from tl_core.errors import SettingError
from tl_core.events import Activity, Reporter
from tl_core.features.cache import ActivationCache
from tl_core.features.inputs import CachedInputs, Features
from tl_core.heads import FitsPath, Head, LogisticRegression
from tl_core.heads.threads import single_thread
from tl_core.recipe import Recipe
from tl_core.result import MetricValue, thresholded
from tl_core.spec import RunSpec
from tl_core.strategies._by_gradient import solved
from tl_core.studies._frozen_backbone import FrozenBackbone
from tl_core.tasks import Outputs
from tl_core.training.scoring import Judge
from tl_core.training.solve import problem_of


@dataclass(frozen=True)
class Draw:
    """What one draw of the labels gives: the outputs of a model, and features with their labels to learn, to choose from and to
    test with. `labels` and `seed` as in `Answer`; it is `alone` where the same labels are drawn by no other seed."""

    labels: int | None
    seed: int
    alone: bool
    outputs: Outputs
    train: CachedInputs
    validation: CachedInputs
    test: Features


def answers(spec: RunSpec, question: Question, report: Reporter, cache: ActivationCache) -> Iterator[Answer]:
    """Yield the answers to `question` about the dataset, task, metric, backbone and image size of `spec`.

    Features are taken from `cache`, and kept there; those of the most labels are computed first, in one long pass, and in float32
    where the precision is left open. Heads are computed side by side, each on one thread. Raises a `TransferError` for what the
    user can mend, and whatever `report` raises.
    """
    recipe = Recipe.of(spec)
    solver = _solver_for(recipe)
    whole = recipe.dataset.whole(recipe.seed)
    recipe.deciding_metric.require(len(whole.class_names))
    shared = None if recipe.backbone.adapts else _Pass.of(recipe, whole, report, cache)
    draws = list[Draw]()
    for labels, seed in question.draws:
        data = recipe_with(spec, labels).dataset.load(seed, whole)
        network, test = shared or _Pass.of(recipe.adapted_to(data.train), whole, report, cache)
        outputs = recipe.task.outputs(data.class_names, data.train.labels)
        kept = network.features(data.train), network.features(data.validation)
        draws.append(Draw(labels, seed, labels is None or question.seeds == 1, outputs, *kept, test))
    network.stages.say(Activity.COMPUTING_HEADS)
    solve = partial(_solve, recipe=recipe, solver=solver, strengths=question.strengths)
    with single_thread(), ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="heads") as pool:
        for found in pool.map(solve, draws):
            yield from found


class _Pass(NamedTuple):
    """A frozen network, and what it makes of the test examples, which no draw changes."""

    network: FrozenBackbone
    test: Features

    @classmethod
    def of(cls, recipe: Recipe, whole: Data, report: Reporter, cache: ActivationCache) -> Self:
        """Return those of `recipe`."""
        network = FrozenBackbone(recipe, report, cache)
        stored = network.features(whole.test)
        return cls(network, Features(stored.values, stored.labels))


def recipe_with(spec: RunSpec, labels: int | None) -> Recipe:
    """Return the recipe of `spec` with so many labels a class; None takes all."""
    return Recipe.of(spec.with_settings({"dataset.labels_per_class": "null" if labels is None else labels}))


def _solver_for(recipe: Recipe) -> FitsPath:
    """Return what computes a linear probe for the task of `recipe`. Raises `SettingError` where it has none with a penalty."""
    solver = recipe.task.phase(solved(LogisticRegression())).solver
    if not isinstance(solver, FitsPath):
        raise SettingError(
            f"The task {recipe.task.title} has no linear probe with a penalty to ask about.",
            "Choose another task.",
            received=recipe.task.name,
        )
    return solver


def _solve(draw: Draw, *, recipe: Recipe, solver: FitsPath, strengths: Sequence[float | None]) -> list[Answer]:
    judge, normalise = Judge.of(recipe, draw.outputs), recipe.strategy.normalises
    problem = problem_of(draw.outputs, draw.train, draw.validation, judge, normalise=normalise)
    given = sorted(strength for strength in strengths if strength is not None)
    found: list[tuple[float | None, Head]] = list(zip(given, solver.path(problem, given) if given else (), strict=True))
    if None in strengths:
        found.append((None, solver.solve(problem)))
    return [Answer(draw.labels, strength, draw.seed, len(draw.train), _tested(draw, head, recipe)) for strength, head in found]


def _tested(draw: Draw, head: Head, recipe: Recipe) -> MetricValue:
    """Return what the metric that decides has of the test images, as a run with this head would."""
    metric, said = recipe.deciding_metric, _said(draw, head, draw.test.values)
    if recipe.task.fits_thresholds and len(draw.validation):
        held_out = _said(draw, head, draw.validation.values)
        said = thresholded(said, threshold_values(recipe.task.thresholds(draw.validation.labels, held_out)))
    return metric.measure(draw.test.labels, said, with_interval=draw.alone)


def _said(draw: Draw, head: Head, features: NDArray[Any]) -> NDArray[Any]:
    return draw.outputs.predicted(draw.outputs.of_logits(head.logits(features)).astype(np.float32))
