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
    """After each epoch: how many test images are right, and the seconds so far, of which one test at the end is part."""

    def __init__(self, begun: Moment, test_images: int) -> None:
        super().__init__()
        self.epochs: list[dict[str, float]] = []
        self._begun = self._test_begun = begun
        self._images = test_images
        self._tests: list[Moment] = []

    def on_test_begin(self, logs: Any = None) -> None:
        """Remember when."""
        self._test_begun = now()

    def on_test_end(self, logs: Any = None) -> None:
        """Take the time of the test."""
        self._tests.append(since(self._test_begun))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Take the time of all but the tests, and that of the first test, which had to be made ready."""
        spent = since(self._begun)
        repeated = {kind: sum(test[kind] for test in self._tests[1:]) for kind in spent}
        found = less(spent, repeated)
        self.epochs.append(found | {"correct": round(logs["val_accuracy"] * self._images), "tested": self._images})


def fitted(folder: str, size: int, epochs: int, seed: int) -> dict[str, Any]:
    """The whole recipe on the images below train and test in `folder`, tested after each epoch. `wall` and `cpu` of the
    last epoch are those of the recipe with one test."""
    begun = now()
    keras.utils.set_random_seed(seed)
    train = keras.utils.image_dataset_from_directory(f"{folder}/train", batch_size=BATCH, image_size=(size, size), verbose=False)
    test = keras.utils.image_dataset_from_directory(
        f"{folder}/test", batch_size=BATCH, image_size=(size, size), shuffle=False, verbose=False
    )
    clock = Clock(begun, len(test.file_paths))
    model = _model(size, len(train.class_names))
    kept, tested = (images.prefetch(tf_data.AUTOTUNE).cache() for images in (train, test))
    model.fit(kept, epochs=epochs, validation_data=tested, callbacks=[clock], verbose=0)
    return {"epochs": clock.epochs, "with_all_tests": since(begun), "train_images": len(train.file_paths)} | clock.epochs[-1]


def _model(size: int, classes: int) -> Any:
    base = backbones.build(PartSpec(name="efficientnet_lite0")).load(size, pretrained=True).model
    base.trainable = False
    pixels = keras.Input((size, size, 3))
    features = keras.layers.Dropout(0.2)(base(pixels, training=False))
    model = keras.Model(pixels, keras.layers.Dense(classes)(features))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss=loss, metrics=["accuracy"])
    return model
