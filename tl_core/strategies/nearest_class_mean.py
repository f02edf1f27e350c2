"""Nearest class mean: each class is the mean of its features."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from pydantic import Field

from tl_core.backbones import Backbone, BlockOutline
from tl_core.heads import NearestCentroid
from tl_core.strategies import Classifier, Family, Phase, Strategy, register
from tl_core.strategies._by_gradient import solved


@register("nearest_class_mean")
class NearestClassMean(Strategy):
    """Give each image the class whose mean feature vector is nearest to its own."""

    title: ClassVar[str] = "Nearest class mean"
    family: ClassVar[Family] = Family.FROZEN
    when_to_use: ClassVar[str] = (
        "One to five labels a class, where a trained head has too little to go by. "
        "It has no setting that could be chosen wrongly, needs no balance where classes are rare, and a class added later costs "
        "one mean."
    )

    normalise: bool = Field(
        True,
        title="Normalise features",
        description="Centre the features and bring them to length 1 first (CL2N).",
        json_schema_extra={"more": True},
    )

    @property
    def normalises(self) -> bool:
        return self.normalise

    def join(self, network: Any, class_names: Sequence[str]) -> Classifier:
        """Return the network with a head that may normalise its features."""
        return Classifier.on(network.model.input, network.model.output, len(class_names), normalise=self.normalise)

    def phases(self, backbone: Backbone, blocks: Sequence[BlockOutline], train_images: int) -> Iterator[Phase]:
        yield solved(NearestCentroid())
