"""The product's own work."""

import importlib
from pathlib import Path
from typing import Any

import keras
import numpy as np

from benchmarks.what_if_parts.child import Moment, now, since
from tl_core.analysis.stage_titles import activity_title
from tl_core.analysis.what_if import Question
from tl_core.data import resizing
from tl_core.datasets import Data
from tl_core.events import Epoch, Event
from tl_core.features import engines
from tl_core.features.cache import ActivationCache
from tl_core.features.extractor import FeatureExtractor
from tl_core.features.inputs import CachedInputs, EncodedInputs
from tl_core.networks.openvino import quiet_openvino
from tl_core.planning import cost_model
from tl_core.planning.cuts import SplitSizes
from tl_core.recipe import Recipe
from tl_core.spec import RunSpec
from tl_core.studies._linear_probes import answers
from tl_core.system import settings
from tl_core.training.train import train

quiet_openvino()
for late in ("openvino.tools.ovc", "sklearn.linear_model", "tl_core.features.engines.keras", "tl_core.features.engines.openvino"):
    importlib.import_module(late)  # what a run imports on its way; no contender's imports are in its time
Recipe.of(RunSpec())  # nor are those of the parts


def trained(spec: dict[str, Any], cache: str, limit: int | None = None) -> dict[str, Any]:
    """Do a whole run, from the dataset to the test accuracy. Return its counts, what it had cost when all was trained, and how
    many networks it had to convert."""
    before, begun, ends = _converted(cache), now(), list[Moment]()

    def hear(event: Event) -> None:
        if isinstance(event, Epoch):
            ends.append(since(begun))

    result = train(RunSpec.parse(spec), hear, cache=_opened(cache, limit)).result
    return {
        "trained": ends[-1],
        "correct": result.test_correct,
        "tested": result.test_images,
        "train_images": result.train_images,
        "images": result.train_images + result.validation_images + result.test_images,
        "converted": _converted(cache) - before,
        "reused": sum(phase.frozen_part.reused for phase in result.phases),
        "stages": {activity_title(timing.activity, timing.phase): timing.seconds for timing in result.timings},
    }


def trained_again(spec: dict[str, Any], cache: str) -> dict[str, Any]:
    """Do the same in a cache that has everything, where decoding an image or running a frozen layer is an error."""
    resizing.center_crop_resize = engines.choose = _forbidden
    return trained(spec, cache)


def one_pass(spec: dict[str, Any], cache: str, keep: str | None = None) -> dict[str, Any]:
    """Compute the features of all images, decoding and loading the network included, and keep them in the file `keep` if there is
    one."""
    before = _converted(cache)
    recipe = Recipe.of(RunSpec.parse(spec))
    data = recipe.dataset.load(recipe.seed)
    splits = _features(recipe, data, cache)
    if keep:
        train, validation, test = splits.values()
        np.savez(
            keep,
            train_features=train.values,
            train_labels=train.labels,
            validation_features=validation.values,
            validation_labels=validation.labels,
            test_features=test.values,
            test_labels=test.labels,
        )
    return {"images": sum(map(len, splits.values())), "converted": _converted(cache) - before}


def grid(spec: dict[str, Any], cache: str, labels: list[int], strengths: list[float], seeds: int) -> dict[str, Any]:
    """Compute a what-if for each number of labels, each strength and each seed.

    Args:
        spec: The run's settings.
        cache: The folder of its cache.
        labels: Numbers of labels a class.
        strengths: Values of C.
        seeds: How many draws.
    """
    before = _converted(cache)
    question = Question(tuple(labels), tuple(strengths), seeds)
    found = answers(RunSpec.parse(spec), question, _unheard, _opened(cache, None))
    right = [answer.found.value for answer in found]
    return {"answers": len(right), "least": min(right), "most": max(right), "converted": _converted(cache) - before}


def predicted(spec: dict[str, Any]) -> dict[str, Any]:
    """Return how many times the passes of a run that keeps nothing are those of one that keeps all, if a pass is a pass."""
    recipe = Recipe.of(RunSpec.parse(spec))
    data = recipe.dataset.load(recipe.seed)
    blocks = recipe.backbone.load(recipe.input_size, pretrained=True).outline().blocks
    images = SplitSizes.of(data)
    keeping, not_keeping = (cost_model.of(recipe, blocks, images, room).total for room in (np.inf, 0))
    share = cost_model.trained_share(cost_model.of(recipe, blocks, images, 0).cuts.phases[0], blocks)
    return {
        "ratio": (not_keeping.frozen + not_keeping.trained) / (keeping.frozen + keeping.trained),
        "share": share,
        "names": [block.name for block in blocks],
    }


def decoding(spec: dict[str, Any]) -> dict[str, Any]:
    """Decode all training images once."""
    recipe = Recipe.of(RunSpec.parse(spec))
    images = EncodedInputs(recipe.dataset.load(recipe.seed).train, recipe.preprocessor())
    for part in np.array_split(np.arange(len(images)), range(32, len(images), 32)):
        images.batch(part)
    return {"images": len(images)}


def _features(recipe: Recipe, data: Data, cache: str) -> dict[str, CachedInputs]:
    keras.config.set_dtype_policy(recipe.precision.policy)
    network = recipe.backbone.load(recipe.input_size, pretrained=True)
    supply = FeatureExtractor(
        _opened(cache, None), recipe.preprocessor(), bfloat16=recipe.precision.in_bfloat16, wait=lambda: None
    )
    part = supply.part(network.model)
    return {name: supply.features(part, images, lambda _: None) for name, images in data.splits.items()}


def _opened(cache: str, limit: int | None) -> ActivationCache:
    return ActivationCache(Path(cache), limit or settings.cache_limit(Path(cache)))


def _converted(cache: str) -> int:
    return len(list(engines.kept_in(Path(cache)).glob("*")))


def _unheard(event: Event) -> None:
    return


def _forbidden(*args: Any, **kwargs: Any) -> Any:
    raise AssertionError("A warm run has decoded an image or run a frozen layer.")
