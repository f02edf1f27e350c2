"""What a linear probe would reach with other labels, other penalties and other draws: many answers after one pass.

The frozen network sees each image once, whatever the number of questions; an answer then costs the fit of a head.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, Self

from tl_core import heads
from tl_core.analysis.what_if import Answer, Question
from tl_core.datasets import Data
from tl_core.events import Activity, Reporter
from tl_core.features.cache import ActivationCache
from tl_core.features.inputs import CachedInputs, Features
from tl_core.heads.threads import single_thread
from tl_core.recipe import Recipe
from tl_core.spec import RunSpec
from tl_core.studies._frozen_backbone import FrozenBackbone


@dataclass(frozen=True)
class Draw:
    """What one draw of the labels gives: features (n, d) and labels (n,) to learn, to choose from and to test with. `labels` and
    `seed` as in `Answer`."""

    labels: int | None
    seed: int
    classes: int
    train: CachedInputs
    validation: CachedInputs
    test: Features


def answers(spec: RunSpec, question: Question, report: Reporter, cache: ActivationCache) -> Iterator[Answer]:
    """Yield the answers to `question` about the dataset, backbone and image size of `spec`.

    Features are taken from `cache`, and kept there; those of the most labels are computed first, in one long pass, and in float32
    where the precision is left open. Heads are computed side by side, each on one thread. Raises a `TransferError` for what the
    user can mend, and whatever `report` raises.
    """
    recipe = Recipe.of(spec)
    whole = recipe.dataset.whole(recipe.seed)
    shared = None if recipe.backbone.adapts else _Pass.of(recipe, whole, report, cache)
    draws = list[Draw]()
    for labels, seed in question.draws:
        data = recipe_with(spec, labels).dataset.load(seed, whole)
        network, test = shared or _Pass.of(recipe.adapted_to(data.train), whole, report, cache)
        kept = network.features(data.train), network.features(data.validation)
        draws.append(Draw(labels, seed, len(data.class_names), *kept, test))
    network.stages.say(Activity.COMPUTING_HEADS)
    solve = partial(_solve, strengths=question.strengths, normalise=recipe.strategy.normalises)
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


def _solve(draw: Draw, *, strengths: Sequence[float | None], normalise: bool) -> list[Answer]:
    given = sorted(strength for strength in strengths if strength is not None)
    train = draw.train.values, draw.train.labels
    path = heads.logistic_path(*train, draw.classes, given, normalise=normalise) if given else ()
    found: list[tuple[float | None, heads.Head]] = list(zip(given, path, strict=True))
    if None in strengths:
        held = (draw.validation.values, draw.validation.labels) if len(draw.validation) else None
        found.append((None, heads.logistic(*train, draw.classes, validation=held, normalise=normalise)))
    return [_answer(draw, strength, head, draw.test) for strength, head in found]


def _answer(draw: Draw, strength: float | None, head: heads.Head, test: Features) -> Answer:
    correct = int((head.logits(test.values).argmax(axis=1) == test.labels).sum())
    return Answer(draw.labels, strength, draw.seed, len(draw.train), len(test), correct)
