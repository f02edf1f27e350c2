"""The training examples of a run that are the nearest to others, and from which distance on one is none of their like."""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from tl_core.analysis.neighbours import Matrix, Nearest
from tl_core.analysis.out_of_distribution import Threshold, Trained
from tl_core.data.examples import Examples, label_text, plain_label
from tl_core.data.images import Pixels
from tl_core.data.label_kinds import CLASSES
from tl_core.data.resizing import center_crop_resize
from tl_core.datasets import Data
from tl_core.errors import printable
from tl_core.studies._predicted import TrainingExample
from tl_core.studies._saved_model import SavedModel

MOST_TRAINING, MOST_HELD_OUT = 5_000, 1_000
"""So many training examples are looked at, and so many of validation and test are held against a threshold; of more they are
drawn evenly. A network that was trained as a whole has to see them for this, once."""
TOLD = 5
"""So many of the nearest training examples are told."""
SIDE = 96
"""Pixels of the side of a training image that is shown."""


def looked_at(data: Data) -> Data:
    """Return at most so many of the data of a run."""
    train, *held_out = data.train.subsample(MOST_TRAINING), *(data.splits[name].subsample(MOST_HELD_OUT) for name in HELD_OUT)
    return replace(data, train=train, validation=held_out[0], test=held_out[1], others={})


HELD_OUT = ("validation", "test")


@dataclass(frozen=True)
class Neighbours:
    """The training examples that are the nearest to each of some others, among those of `data`, and the threshold; None where
    they are too few."""

    data: Data
    nearest: Nearest
    threshold: Threshold | None

    @classmethod
    def of(cls, features: Matrix, data: Data, network: SavedModel) -> Self:
        """Return those of examples with these `features` (n, d); those of `data` are what the `network` makes of them."""
        splits = {name: np.asarray(network.features(examples), np.float64) for name, examples in data.splits.items()}
        trained = Trained(splits["train"], len(data.class_names) if data.label_kind == CLASSES else 1)
        return cls(data, trained.nearest(features), trained.threshold(splits["validation"], splits["test"]))

    def facts(self, place: int) -> dict[str, Any]:
        """Return the fields of a `PredictedExample` that tell of the one number `place`."""
        near, distances = (each[place].tolist() for each in self.nearest)
        train, names = self.data.train, self.data.class_names
        told = tuple(
            TrainingExample(called(train, index), label_text(plain_label(train.labels[index]), names), distance)
            for index, distance in zip(near[:TOLD], distances, strict=False)
        )
        if self.threshold is None:
            return {"nearest": told}
        return {"nearest": told, "distance": distances[-1], "is_outside": distances[-1] > self.threshold.distance}

    def pixels(self, place: int) -> Pixels:
        """Return how the training images look that are told of the picture number `place`: (k, s, s, 3)."""
        told = self.nearest.places[place, :TOLD]
        return np.stack([center_crop_resize(self.data.train.picture(index, 2 * SIDE), SIDE) for index in told])


def called(examples: Examples, index: int) -> str:
    """Return how a text begins, and the name of a picture."""
    return printable(" ".join(examples.excerpt(index).split())) or examples.name(index)
