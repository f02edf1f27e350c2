"""The recipe of Keras' guide to transfer learning (keras.io/guides/transfer_learning), on the product's backbone.

A frozen base that is called with training=False, Dropout 0.2 and a dense layer on it, Adam, and `fit`; the images are
cached decoded, as there. Every epoch goes through the frozen base again.
"""

from typing import Any

import keras
from tensorflow import data as tf_data

from benchmarks.what_if_parts.child import Moment, less, now, since
from tl_core import backbones
from tl_core.spec import PartSpec

BATCH = 32


class Clock(keras.callbacks.Callback):
    """After each epoch: the seconds so far, and how many test images are right. The test is in nobody's seconds."""

    def __init__(self, begun: Moment, test: Any) -> None:
        super().__init__()
        self.epochs: list[dict[str, float]] = []
        self._begun, self._test = begun, test
        self._tests: Moment = dict.fromkeys(begun, 0.0)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Take the time, then test."""
        spent, begun = less(since(self._begun), self._tests), now()
        images = sum(len(labels) for _, labels in self._test)
        accuracy = self.model.evaluate(self._test, verbose=0, return_dict=True)["accuracy"]
        self.epochs.append(spent | {"correct": round(accuracy * images), "tested": images})
        self._tests = {kind: value + since(begun)[kind] for kind, value in self._tests.items()}


def fitted(folder: str, size: int, epochs: int, seed: int) -> dict[str, Any]:
    """Run the whole recipe on the images below train in `folder`, validated in each epoch, as in the guide. `wall` and `cpu` go
    until the last epoch has ended."""
    begun = now()
    keras.utils.set_random_seed(seed)
    read = {"batch_size": BATCH, "image_size": (size, size), "verbose": False}
    train = keras.utils.image_dataset_from_directory(f"{folder}/train", **read)
    validation, test = (
        keras.utils.image_dataset_from_directory(f"{folder}/{split}", shuffle=False, **read) for split in ("validation", "test")
    )
    clock = Clock(begun, test)
    model = _model(size, len(train.class_names))
    kept, held_out = (images.prefetch(tf_data.AUTOTUNE).cache() for images in (train, validation))
    model.fit(kept, epochs=epochs, validation_data=held_out, callbacks=[clock], verbose=0)
    return {"epochs": clock.epochs, "train_images": len(train.file_paths)} | clock.epochs[-1]


def _model(size: int, classes: int) -> Any:
    base = backbones.build(PartSpec(name="efficientnet_lite0")).load(size, pretrained=True).model
    base.trainable = False
    pixels = keras.Input((size, size, 3))
    features = keras.layers.Dropout(0.2)(base(pixels, training=False))
    model = keras.Model(pixels, keras.layers.Dense(classes)(features))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss=loss, metrics=["accuracy"])
    return model
