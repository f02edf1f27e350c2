"""How well transferability scores foretell which network is the best, against real probes and real fine-tuning.

    python -m benchmarks.ranking [--data dataset=digits] [--data dataset=image_folder,dataset.path=DIR] ... [--examples 1000]
                                 [--labels 50] [--fine-tune]

Each `--data` is a dataset with its settings, with commas. Candidates are the networks whose weights are on this machine, a tap
(EfficientNet-Lite0 up to its block 5c), and two floors: EfficientNet-Lite0 with random weights, drawn twice. The truth is the
test accuracy of a linear probe on all training examples and, with `--fine-tune`, of fine-tuning from that probe, for networks
that can be chosen. Told are, by score, the mean over the datasets of the weighted tau with the truth, and of the regret: how many
points the network that comes first by the score is behind the best one. The prior knows nothing of the data: it is the accuracy
on ImageNet that was published.
"""

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy.stats import weightedtau

from tl_core import heads
from tl_core.backbones.efficientnet_lite0 import EfficientNetLite0
from tl_core.datasets import Data
from tl_core.features.cache import ActivationCache
from tl_core.features.extractor import FeatureExtractor
from tl_core.networks.outline import Network
from tl_core.ranking import Matrix, TransferabilityScore, scores
from tl_core.recipe import Recipe, changed
from tl_core.spec import RunSpec
from tl_core.studies.backbone_ranking import candidates
from tl_core.training.train import train

PRIOR = "published accuracy"
TAP = "block 5c"
DEFAULT_DATA = ("dataset=photo_patches", "dataset=digits")


@dataclass(frozen=True)
class Contender:
    """A network: what it is called, its published accuracy (0..1; NaN where there is none), the network, the Keras model of it
    that gives features, and the recipe by which it can be trained, if it can be."""

    title: str
    published: float
    network: Network
    model: Any
    recipe: Recipe | None = None


@dataclass
class Found:
    """What is known of a contender on one dataset: its scores by their names, and its real accuracies by what was trained."""

    title: str
    is_floor: bool
    scores: dict[str, float] = field(default_factory=dict)
    truths: dict[str, float] = field(default_factory=dict)


def main() -> None:
    """Measure what is asked for, and print two tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", action="append")
    parser.add_argument("--examples", type=int, default=1000)
    parser.add_argument("--labels", type=int)
    parser.add_argument("--fine-tune", action="store_true")
    asked = parser.parse_args()
    by_data = dict[str, list[Found]]()
    with tempfile.TemporaryDirectory() as scratch:
        cache = ActivationCache(Path(scratch), 2 * 10**10)
        for text in track(asked.data or DEFAULT_DATA, "Datasets"):
            recipe = recipe_of(text, asked.labels)
            by_data[recipe.dataset.shown_name] = list(measured(recipe, asked.examples, cache, fine_tune=asked.fine_tune))
    Console().print(each_network(by_data))
    Console().print(each_score(by_data))


def recipe_of(text: str, labels: int | None = None) -> Recipe:
    """Return the recipe of a dataset with its settings, with commas, and with so many labels a class."""
    settings: dict[str, Any] = dict(pair.split("=", 1) for pair in text.split(","))
    return Recipe.of(changed(RunSpec(), settings | ({"dataset.labels_per_class": labels} if labels else {})))


def contenders(recipe: Recipe) -> Iterator[Contender]:
    """Yield the networks that are ranked."""
    import keras

    for each in candidates(recipe):
        network = each.backbone.load(each.input_size, pretrained=True)
        yield Contender(each.backbone.listing().title, each.backbone.listing().accuracy or nan, network, network.model, each)
    network = EfficientNetLite0().load(recipe.input_size, pretrained=True)
    lower = next(block for block in network.blocks if block.name == TAP)
    pooled = keras.layers.GlobalAveragePooling2D()(lower.output)
    yield Contender(f"EfficientNet-Lite0 up to {TAP}", nan, network, keras.Model(network.model.input, pooled))
    for seed in (0, 1):
        keras.utils.set_random_seed(seed)
        network = EfficientNetLite0().load(recipe.input_size, pretrained=False)
        yield Contender(f"Random weights, {seed}", 0.0, network, network.model)


def measured(recipe: Recipe, examples: int, cache: ActivationCache, *, fine_tune: bool) -> Iterator[Found]:
    """Yield what is known of each contender on the dataset of `recipe`."""
    data = recipe.dataset.load(recipe.seed)
    for each in contenders(recipe):
        extractor = FeatureExtractor(
            cache, (each.recipe or recipe).preprocessor(), bfloat16=False, wait=lambda: None, own=each.title
        )
        part = extractor.part(each.model)
        features = {
            split: np.asarray(extractor.features(part, data.splits[split], lambda _: None), np.float64)
            for split in ("train", "validation", "test")
        }
        found = Found(each.title, is_floor=each.published == 0)
        probe = data.train.subsample(examples)
        seen = np.asarray(extractor.features(part, probe, lambda _: None), np.float64)
        source = source_of(each.network, seen) if each.model is each.network.model else None
        found.scores = {PRIOR: each.published} | {
            name: score.value(seen, probe.labels, source) for name, score in usable(source) if seen.shape[1]
        }
        found.truths["probe"] = probed(features, data)
        if fine_tune and each.recipe:
            spec = changed(each.recipe.draft(), {"strategy": "lp_ft"})
            found.truths["fine-tuning"] = 100 * train(spec, lambda _: None, cache=cache).result.accuracy
        yield found


def usable(source: Matrix | None) -> Iterator[tuple[str, TransferabilityScore]]:
    """Yield the scores that can be computed, by their names."""
    for name, part in scores.parts().items():
        if source is not None or not part.needs_classifier:
            yield name, part()


def source_of(network: Network, features: Matrix) -> Matrix | None:
    """Return what the network's own classifier says, if it has one."""
    from scipy.special import softmax

    if network.classifier is None:
        return None
    kernel, bias = network.classifier
    return np.asarray(softmax(features @ np.asarray(kernel, np.float64) + bias, axis=1))


def probed(features: dict[str, Matrix], data: Data) -> float:
    """Return the test accuracy (%) of a linear probe on all training examples."""
    held = (features["validation"], data.validation.labels) if len(data.validation) else None
    head = heads.logistic(features["train"], data.train.labels, len(data.class_names), validation=held)
    return float(100 * (head.logits(features["test"]).argmax(axis=1) == data.test.labels).mean())


def each_network(by_data: dict[str, list[Found]]) -> Table:
    """Return the real accuracies (%) of each network on each dataset."""
    titles = dict.fromkeys(each.title for found in by_data.values() for each in found)
    table = Table("Test accuracy, %", *by_data)
    for title in titles:
        row = ({each.title: each for each in found}.get(title) for found in by_data.values())
        table.add_row(title, *(" / ".join(f"{right:.1f}" for right in each.truths.values()) if each else "" for each in row))
    return table


def each_score(by_data: dict[str, list[Found]]) -> Table:
    """Return how well each score foretold each truth, and whether the floors came last everywhere."""
    truths = dict.fromkeys(truth for found in by_data.values() for each in found for truth in each.truths)
    table = Table("Score", *(f"{what}, {truth}" for truth in truths for what in ("Tau", "Regret")), "Floors last")
    for name in (PRIOR, *scores.parts()):
        cells = list[str]()
        for truth in truths:
            taus, regrets = zip(*map(partial(foretold, name=name, truth=truth), by_data.values()), strict=True)
            cells += [f"{np.nanmean(taus):.2f}", f"{np.nanmean(regrets):.1f}"]
        last = sum(floors_last(found, name) for found in by_data.values())
        table.add_row(name, *cells, f"{last} of {len(by_data)}")
    return table


def foretold(found: list[Found], name: str, truth: str) -> tuple[float, float]:
    """Return the weighted tau of a score with a truth, and the regret in points, on one dataset, of networks with both."""
    both = [each for each in found if truth in each.truths and not np.isnan(each.scores.get(name, nan))]
    if len(both) < 2:
        return nan, nan
    scored, true = [each.scores[name] for each in both], [each.truths[truth] for each in both]
    best = max(each.truths[truth] for each in found if truth in each.truths)
    return float(weightedtau(scored, true).statistic), best - true[int(np.argmax(scored))]


def floors_last(found: list[Found], name: str) -> bool:
    """Return whether random weights are behind all others by a score."""
    having = [each for each in found if not np.isnan(each.scores.get(name, nan))]
    floors = [each.scores[name] for each in having if each.is_floor]
    others = [each.scores[name] for each in having if not each.is_floor]
    return not floors or max(floors) < min(others)


if __name__ == "__main__":
    main()
