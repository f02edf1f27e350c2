"""Small networks in the place of real ones: what a strategy keeps to does not depend on the network."""

from typing import Any, ClassVar

import keras

from tl_core import datasets
from tl_core.backbones import CatalogueEntry
from tl_core.backbones._saved_example import SIDE
from tl_core.backbones._untrained import RANDOM, Untrained
from tl_core.backbones.finished_run import FinishedRun
from tl_core.networks.blocks import Block, cut_into_blocks
from tl_core.networks.outline import Network
from tl_core.result import Result
from tl_core.spec import PartSpec, RunSpec
from tl_core.system.settings import RESULT, SPEC

SIZE = 16


def finish_example(dataset: PartSpec) -> None:
    """Write, beside the model that stands for a finished run's in examples, what a run of that dataset has left, which can teach
    another one of it."""
    data, folder = datasets.build(dataset).load(0), FinishedRun.example().folder
    folder.joinpath(SPEC).write_text(RunSpec(dataset=dataset, image_size=SIDE).model_dump_json(), encoding="utf-8")
    result = Result(
        class_names=data.class_names,
        train_images=len(data.train),
        validation_images=len(data.validation),
        test_images=len(data.test),
        test_correct=0,
        test_digest=data.test.digest(),
        validation_accuracy=None,
        total_parameters=0,
        trainable_parameters=0,
        phases=(),
        timings=(),
        provenance=RANDOM,
        notes=(),
        versions={},
    )
    folder.joinpath(RESULT).write_text(result.model_dump_json(), encoding="utf-8")


class ToyBackbone(Untrained):
    """Three blocks of a convolution and a BatchNorm."""

    name: ClassVar[str] = "toy"
    title: ClassVar[str] = "Toy"
    minimum_size: ClassVar[int] = SIZE

    @classmethod
    def catalogue(cls) -> tuple[CatalogueEntry, ...]:
        return ()

    def features(self, scaled: Any) -> Any:
        x = scaled
        for number in (1, 2, 3):
            x = keras.layers.Conv2D(6, 3, 2, name=f"block{number}_conv")(x)
            x = keras.layers.ReLU(name=f"block{number}_relu")(keras.layers.BatchNormalization(name=f"block{number}_norm")(x))
        return keras.layers.GlobalAveragePooling2D(name="average")(x)

    def blocks(self, model: Any) -> tuple[Block, ...]:
        return cut_into_blocks(model, r"block(\d)_")


class Known(ToyBackbone):
    """The toy as if it had been pretrained, with norms of two kinds and a layer whose kernel can have an adapter."""

    name: ClassVar[str] = "known"
    pretrained: ClassVar[bool] = True

    def require_weights(self) -> None:
        return

    def load(self, size: int, *, pretrained: bool) -> Network:
        return super().load(size, pretrained=False)

    def features(self, scaled: Any) -> Any:
        x = keras.layers.LayerNormalization(name="block4_norm")(super().features(scaled))
        return keras.layers.ReLU(name="block4_relu")(keras.layers.Dense(10, name="block4_dense")(x))
