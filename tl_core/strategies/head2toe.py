"""Head2Toe: a linear probe on the features of all blocks, of which the best are kept."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from pydantic import Field

from tl_core.backbones import Backbone, BlockOutline, Outline
from tl_core.heads import SelectedFeatures
from tl_core.strategies import Classifier, Family, Phase, register
from tl_core.strategies._by_solver import ByComputation


@register("head2toe")
class Head2Toe(ByComputation):
    """Compute a new classifier on the pooled features of every block, and keep those that matter.

    Evci et al. 2022, arXiv 2201.03529. Here the features are the output of each block, averaged over the image or the text and
    brought to length 1, and a group lasso chooses among them.
    """

    title: ClassVar[str] = "Head2Toe"
    family: ClassVar[Family] = Family.FROZEN
    looks_inside: ClassVar[bool] = True
    when_to_use: ClassVar[str] = (
        "Pictures far from the source's, at the price of a linear probe: textures and edges may say more than objects do. "
        "Lower blocks still hold what the last one has thrown away."
    )

    keep: float | None = Field(
        None,
        gt=0,
        le=1,
        title="Share to keep",
        description="The share of all features that the head uses; empty chooses it on the validation images, "
        "or by cross-validation where there are none.",
        json_schema_extra={"empty": "chosen"},
    )

    def join(self, network: Any, class_names: Sequence[str]) -> Classifier:
        """Return the network with a head on the features of all its blocks side by side."""
        from keras import layers

        pooled = [_pooled(index, block.output) for index, block in enumerate(network.blocks)]
        features = layers.Concatenate(name="all_blocks")(pooled) if len(pooled) > 1 else pooled[0]
        return Classifier.on(network.model.input, features, len(class_names))

    def feature_size(self, outline: Outline) -> int:
        """Return the number of features of all blocks together."""
        return sum(block.channels for block in outline.blocks)

    def phases(self, backbone: Backbone, blocks: Sequence[BlockOutline], train_images: int) -> Iterator[Phase]:
        yield self.solved(SelectedFeatures(self.keep))


def _pooled(index: int, output: Any) -> Any:
    """Return what leaves a block, averaged over all places and of length 1: how many places of a text are empty, and 0, does not
    matter then."""
    from keras import layers

    pooling = {4: layers.GlobalAveragePooling2D, 3: layers.GlobalAveragePooling1D}
    if len(output.shape) in pooling:
        output = pooling[len(output.shape)](name=f"pooled_{index}")(output)
    return layers.UnitNormalization(name=f"unit_{index}")(output)
