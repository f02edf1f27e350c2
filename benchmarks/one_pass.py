"""How close a linear probe comes to its limit, one pass of the frozen network over the images.

    python -m benchmarks.one_pass [--size 96] [--labels 10]

Everything runs in one process, in turn, on the same images, and is told in CPU seconds and as a ratio to that one
pass; wall seconds stand beside it. Compared are: the pass alone; the product's linear probe, data, loading and test
included; the same head trained through the frozen network in every epoch, as Keras' transfer-learning guide does it;
and one epoch of full fine-tuning.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
from rich.console import Console
from rich.table import Table

from tl_core.features.forward import forward
from tl_core.features.pixels import SizedImages
from tl_core.recipe import Recipe
from tl_core.spec import RunSpec
from tl_core.training import train

GUIDE_EPOCHS = 3
EPOCHS = 40
"""Epochs of the guide's recipe that are measured; all 40 take as long again each."""


@dataclass(frozen=True)
class Cost:
    """CPU and wall seconds."""

    cpu: float
    wall: float


def measured(work: Callable[[], object]) -> Cost:
    """What `work` costs."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return Cost(time.process_time() - cpu, time.perf_counter() - wall)


def guide_epoch(recipe: Recipe, pixels: np.ndarray, labels: np.ndarray, *, frozen: bool) -> Cost:
    """One epoch of `fit` through the whole network, after one that compiles."""
    network = recipe.backbone.load(recipe.image_size, pretrained=True)
    for layer in network.model.layers:
        layer.trainable = not frozen
    model = recipe.strategy.join(network, [str(label) for label in np.unique(labels)]).model
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    fit = {"x": pixels, "y": labels, "batch_size": 32, "verbose": 0}
    model.fit(**fit)
    cost = measured(lambda: model.fit(**fit, epochs=GUIDE_EPOCHS))
    return Cost(cost.cpu / GUIDE_EPOCHS, cost.wall / GUIDE_EPOCHS)


def main() -> None:
    """Measure and print the table."""
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("--size", type=int, default=96)
    options.add_argument("--labels", type=int, default=10)
    given = options.parse_args()
    spec = RunSpec().with_settings({"image_size": given.size, "dataset.labels_per_class": given.labels})
    recipe = Recipe.of(spec)
    data = recipe.dataset.load(recipe.seed)
    splits = [SizedImages(images, given.size) for images in (data.train, data.validation, data.test)]
    pixels = splits[0].batch(np.arange(len(splits[0]))).astype(np.float32)
    network = recipe.backbone.load(given.size, pretrained=True)
    forward(network.model, splits[0], lambda _: None)  # compiles
    one_pass = measured(lambda: [forward(network.model, images, lambda _: None) for images in splits])
    frozen = guide_epoch(recipe, pixels, splits[0].labels, frozen=True)
    costs = {
        f"one pass over {sum(map(len, splits))} images": one_pass,
        "linear probe, all included": measured(lambda: train(spec, lambda _: None)),
        f"the guide's recipe, {EPOCHS} epochs (from {GUIDE_EPOCHS} measured)": Cost(EPOCHS * frozen.cpu, EPOCHS * frozen.wall),
        "one epoch of full fine-tuning": guide_epoch(recipe, pixels, splits[0].labels, frozen=False),
    }
    table = Table(
        "", "CPU s", "wall s", "CPU, in passes", title=f"EfficientNet-Lite0, {given.size} px, {len(pixels)} training images"
    )
    for name, cost in costs.items():
        table.add_row(name, f"{cost.cpu:.1f}", f"{cost.wall:.1f}", f"{cost.cpu / one_pass.cpu:.2f}")
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
