"""What a linear probe would reach with other labels, other penalties and other draws: many answers after one pass.

The frozen network sees each image once, whatever the number of questions; an answer then costs the fit of a head.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

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
    """What one draw of the labels gives: features (n, d) and labels (n,) to learn and to choose from. `labels` and `seed` as in
    `Answer`."""

    labels: int | None
    seed: int
    classes: int
    train: CachedInputs
    validation: CachedInputs


def answers(spec: RunSpec, question: Question, report: Reporter, cache: ActivationCache) -> Iterator[Answer]:
    """Yield the answers to `question` about the dataset, backbone and image size of `spec`.

    Features are taken from `cache`, and kept there; those of the most labels are computed first, in one long pass, and in float32
    where the precision is left open. Heads are computed side by side, each on one thread. Raises a `TransferError` for what the
    user can mend, and whatever `report` raises.
    """
    recipe = Recipe.of(spec)
    network = FrozenBackbone(recipe, report, cache)
    whole = recipe.dataset.whole(recipe.seed)
    draws = [_draw(spec, network, whole, *pair) for pair in question.draws]
    stored = network.features(whole.test)  # which no draw changes
    test = Features(stored.values, stored.labels)
    solve = partial(_solve, test=test, strengths=question.strengths, normalise=recipe.strategy.normalises)
    network.stages.say(Activity.COMPUTING_HEADS)
    with single_thread(), ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="heads") as pool:
        for found in pool.map(solve, draws):
            yield from found


def _draw(spec: RunSpec, network: FrozenBackbone, whole: Data, labels: int | None, seed: int) -> Draw:
    settings = {"dataset.labels_per_class": "null" if labels is None else labels}
    data = Recipe.of(spec.with_settings(settings)).dataset.load(seed, whole)
    return Draw(labels, seed, len(data.class_names), network.features(data.train), network.features(data.validation))


def _solve(draw: Draw, *, test: Features, strengths: Sequence[float | None], normalise: bool) -> list[Answer]:
    given = sorted(strength for strength in strengths if strength is not None)
    train = draw.train.values, draw.train.labels
    path = heads.logistic_path(*train, draw.classes, given, normalise=normalise) if given else ()
    found: list[tuple[float | None, heads.Head]] = list(zip(given, path, strict=True))
    if None in strengths:
        held = (draw.validation.values, draw.validation.labels) if len(draw.validation) else None
        found.append((None, heads.logistic(*train, draw.classes, validation=held, normalise=normalise)))
    return [_answer(draw, strength, head, test) for strength, head in found]


def _answer(draw: Draw, strength: float | None, head: heads.Head, test: Features) -> Answer:
    correct = int((head.logits(test.values).argmax(axis=1) == test.labels).sum())
    return Answer(draw.labels, strength, draw.seed, len(draw.train), len(test), correct)
