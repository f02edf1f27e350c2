"""Linear probe: a new head on a frozen backbone, computed instead of trained."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from tl_core.backbones import Backbone, BlockOutline
from tl_core.heads import LogisticRegression, RidgeClassifier
from tl_core.strategies import Classifier, Family, Phase, register
from tl_core.strategies._by_solver import ByComputation


@register("linear_probe")
class LinearProbe(ByComputation):
    """Compute a new classifier on the features of the frozen network."""

    title: ClassVar[str] = "Linear probe"
    listing_order: ClassVar[int] = 10
    family: ClassVar[Family] = Family.FROZEN
    when_to_use: ClassVar[str] = (
        "Few labels, or an answer in seconds: each image passes the network once and only the head learns. "
        "It is hard to beat when the new pictures resemble those that the network learned from."
    )

    solver: Literal["logistic", "ridge"] = Field(
        "logistic",
        title="Head",
        description="Logistic regression (by Newton's method), or ridge regression in closed form: quicker, a little less exact. "
        "A number is always predicted by ridge regression.",
    )
    strength: float | None = Field(
        None,
        ge=1e-12,
        le=1e6,
        title="Freedom of the head (C)",
        description="The inverse of the penalty on large weights; empty chooses it on the validation images, "
        "or by cross-validation where there are none.",
        json_schema_extra={"empty": "chosen", "more": True},
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
        yield self.solved(LogisticRegression(self.strength) if self.solver == "logistic" else RidgeClassifier())
