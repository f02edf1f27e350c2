"""A known experiment, run by the product: a small CNN that has learned the digits 0-4 learns 5-9 from few labels.

    python -m benchmarks.digits_transfer FOLDER [--labels 2 10 50] [--draws 6] [--source-seed 0] [--strategies ...]

FOLDER holds the four files of MNIST. Source: the first 10,000 training images of 0-4, 3 epochs. Target: so many labels a
class of 5-9, drawn anew for each seed; all 4,861 test images. Every strategy has the same number of epochs,
max(5, 300 // steps an epoch), in batches of 32. Told are the mean accuracy over the draws and 1.96 standard errors, beside
the numbers of the protocol.
"""

import argparse
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import keras
import numpy as np
from rich.console import Console
from rich.table import Table

from tl_core import backbones, datasets
from tl_core.backbones import CatalogueEntry
from tl_core.backbones._untrained import Untrained
from tl_core.datasets import ArrayImages, Data, Dataset
from tl_core.datasets.idx_folder import IdxFolder
from tl_core.networks.blocks import Block, cut_into_blocks
from tl_core.networks.outline import Network
from tl_core.spec import RunSpec
from tl_core.training.train import train

SIDE, SOURCE_IMAGES, BATCH = 28, 10_000, 32
KNOWN = {
    "from scratch": {2: (0.454, 0.025), 10: (0.635, 0.010), 50: (0.819, 0.007)},
    "linear probe": {2: (0.595, 0.044), 10: (0.762, 0.007), 50: (0.825, 0.006)},
    "fine-tuning": {2: (0.529, 0.045), 10: (0.736, 0.018), 50: (0.871, 0.010)},
    "probe, then fine-tune": {2: (0.616, 0.028), 10: (0.805, 0.019), 50: (0.896, 0.005)},
}
"""Accuracy and interval of the protocol, by strategy and labels a class."""


@backbones.register("digits_cnn")
class DigitsCNN(Untrained):
    """Three convolutions with BatchNorm and a dense layer: 16.7 thousand parameters with its head."""

    title: ClassVar[str] = "Digits CNN"
    pretrained: ClassVar[bool] = True
    minimum_size: ClassVar[int] = SIDE
    learned: ClassVar[list[Any]] = []
    """The weights after the source task."""

    @classmethod
    def catalogue(cls) -> tuple[CatalogueEntry, ...]:
        """Return nothing: nobody chooses it on a page."""
        return ()

    def require_weights(self) -> None:
        """Raise nothing: they are learned at the beginning of the benchmark."""

    def load(self, image_size: int, *, pretrained: bool) -> Network:
        """Return the network, with what it has learned if `pretrained`."""
        network = super().load(image_size, pretrained=False)
        if pretrained:
            network.model.set_weights(self.learned)
        return network

    def features(self, scaled: Any) -> Any:
        """Return features (batch, 64) of pixels in 0..1, of which the three channels are alike."""
        layers = keras.layers
        x = layers.Reshape((SIDE * SIDE, 3), name="channels")(scaled)
        x = layers.GlobalAveragePooling1D(data_format="channels_first", name="grey")(x)
        x = layers.Reshape((SIDE, SIDE, 1), name="picture")(x)
        for number, filters in enumerate((16, 32, 32), start=1):
            x = layers.Conv2D(filters, 3, 2, "same", use_bias=False, name=f"conv{number}_kernel")(x)
            x = layers.BatchNormalization(momentum=0.9, name=f"conv{number}_norm")(x)
            x = layers.ReLU(name=f"conv{number}_relu")(x)
        x = layers.GlobalAveragePooling2D(name="average")(x)
        return layers.Dense(64, activation="relu", name="fc")(x)

    def blocks(self, model: Any) -> tuple[Block, ...]:
        """Return the three convolutions, and the dense layer."""
        return cut_into_blocks(model, r"conv(\d)_")


@datasets.register("five_to_nine")
class FiveToNine(Dataset):
    """The digits 5 to 9 of MNIST, without validation images."""

    title: ClassVar[str] = "Digits 5 to 9"
    path: Path = Path()

    def read(self, seed: int) -> Data:
        """Return all of them."""
        known, test = (_digits(images, 5) for images in _mnist(self.path))
        return Data(tuple("56789"), known, known.take([]), test)

    def location(self) -> str:
        """Return the folder."""
        return str(self.path)


def _mnist(folder: Path) -> tuple[ArrayImages, ArrayImages]:
    data = IdxFolder(path=folder, validation_share=0).load(0)
    assert isinstance(data.train, ArrayImages)
    assert isinstance(data.test, ArrayImages)
    return data.train, data.test


def _digits(images: ArrayImages, first: int) -> ArrayImages:
    """Return five digits from `first` on, in the order of the file, with labels from 0."""
    chosen = np.flatnonzero((images.labels >= first) & (images.labels < first + 5))
    return ArrayImages(np.asarray(images.pixels)[chosen], images.labels[chosen] - first)


def learn_the_source(folder: Path, seed: int) -> float:
    """Train on 0-4 and keep the weights. Return the accuracy on the source's test images."""
    keras.utils.set_random_seed(seed)
    network = DigitsCNN().load(SIDE, pretrained=False)
    model = keras.Model(network.model.input, keras.layers.Dense(5, activation="softmax")(network.model.output))
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    known, test = (_digits(images, 0) for images in _mnist(folder))
    pixels = _colour(known, SOURCE_IMAGES)
    model.fit(pixels, known.labels[:SOURCE_IMAGES], batch_size=64, epochs=3, verbose=0)
    DigitsCNN.learned = network.model.get_weights()
    return float(model.evaluate(_colour(test, len(test)), test.labels, verbose=0, return_dict=True)["accuracy"])


def _colour(images: ArrayImages, count: int) -> np.ndarray:
    return np.repeat(np.asarray(images.pixels)[:count, :, :, None], 3, axis=3).astype(np.float32)


def settings_of(epochs: int) -> dict[str, dict[str, Any]]:
    """Return the protocol's strategies as the product's."""
    trained = {"strategy.epochs": epochs, "strategy.batch_size": BATCH, "strategy.schedule": "constant"}
    probe = {"strategy.strength": 1.0, "strategy.normalise": False}
    return {
        "from scratch": {"strategy": "from_scratch", "strategy.learning_rate": 1e-3} | trained,
        "linear probe": {"strategy": "linear_probe"} | probe,
        "fine-tuning": {"strategy": "fine_tuning", "strategy.learning_rate": 1e-3, "strategy.head_factor": 1} | trained,
        "probe, then fine-tune": {"strategy": "lp_ft", "strategy.learning_rate": 3e-4} | probe | trained,
    }


def accuracy(folder: Path, labels: int, seed: int, settings: dict[str, Any]) -> float:
    """Return the test accuracy of one run."""
    keras.backend.clear_session()
    common = {"dataset": "five_to_nine", "dataset.path": str(folder), "dataset.labels_per_class": labels}
    more = {"backbone": "digits_cnn", "image_size": SIDE, "seed": seed}
    return train(RunSpec().with_settings(common | more | settings), lambda event: None).result.accuracy


def main(given: Sequence[str] | None = None) -> None:
    """Run it and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--labels", type=int, nargs="+", default=[2, 10, 50])
    parser.add_argument("--draws", type=int, default=6)
    parser.add_argument("--source-seed", type=int, default=0)
    parser.add_argument("--strategies", nargs="+", choices=list(KNOWN), default=list(KNOWN))
    chosen = parser.parse_args(given)
    os.environ.setdefault("TRANSFER_LAB_HOME", tempfile.mkdtemp())
    console = Console()
    learned = learn_the_source(chosen.folder, chosen.source_seed)
    console.print(f"Source: accuracy {learned:.3f} on the digits 0-4 (protocol: 0.980)")
    table = Table("Labels a class", "Strategy", "Accuracy", "Protocol")
    for labels in chosen.labels:
        epochs = max(5, 300 // -(-5 * labels // BATCH))
        for name, settings in settings_of(epochs).items():
            if name not in chosen.strategies:
                continue
            found = [accuracy(chosen.folder, labels, seed, settings) for seed in range(chosen.draws)]
            error = 1.96 * np.std(found, ddof=1) / np.sqrt(len(found))
            known = KNOWN[name].get(labels)
            row = str(labels), name, f"{np.mean(found):.3f} ± {error:.3f}", f"{known[0]:.3f} ± {known[1]:.3f}" if known else ""
            table.add_row(*row)
            console.print(*row)
    console.print(table)


if __name__ == "__main__":
    main()
