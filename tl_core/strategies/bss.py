"""Batch spectral shrinkage: fine-tuning that lets go of the features that do not transfer."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import Field

from tl_core.backbones import Backbone, BlockOutline
from tl_core.strategies import Family, Phase, everything, register
from tl_core.strategies.gradient import TunedFromProbe


@dataclass(frozen=True)
class Shrinkage:
    """`strength` times the sum of the `count` smallest squared singular values of a batch's feature matrix."""

    strength: float
    count: int

    def put_on(self, model: Any, network: Any, start: Mapping[str, Any]) -> None:
        """As the regularizer of what the backbone's last layer gives."""
        network.model.layers[-1].activity_regularizer = self

    def __call__(self, features: Any) -> Any:
        """The penalty of features (batch, d), a scalar. Keras divides what an activity regularizer gives by the batch, hence the
        factor.

        Of the features themselves, and not by the eigenvalues of their Gram matrix: on the longer side it has zeros beside the
        squared singular values, and which side is longer is unknown where a step is compiled for batches of any size."""
        from keras import ops

        features = ops.cast(features, "float32")  # which may be half as long, and of those there are no singular values
        smallest = ops.svd(features, full_matrices=False, compute_uv=False)[-self.count :]
        return self.strength * ops.sum(ops.square(smallest)) * ops.cast(ops.shape(features)[0], features.dtype)


@register("bss")
class BatchSpectralShrinkage(TunedFromProbe):
    """Train everything, with a penalty on the weakest directions of the features.

    Chen et al. 2019 (NeurIPS, "Catastrophic forgetting meets negative transfer").
    """

    title: ClassVar[str] = "Batch spectral shrinkage"
    family: ClassVar[Family] = Family.GUARDED
    when_to_use: ClassVar[str] = (
        "Few labels, and a source of which only a part fits: what the features hardly use is shrunk away. "
        "Try it where fine-tuning does worse than a probe: that is negative transfer."
    )

    strength: float = Field(
        1e-3, ge=0, le=10, title="Strength", description="What the smallest squared singular values are multiplied by (eta)."
    )
    count: int = Field(1, ge=1, le=32, title="Directions", description="How many singular values are penalised (k).")

    def phases(self, backbone: Backbone, blocks: Sequence[BlockOutline], train_images: int) -> Iterator[Phase]:
        yield from self.probe()
        penalty = Shrinkage(self.strength, self.count)
        yield self.phase("everything", self.epochs, self.learning_rate, everything, penalty=penalty)
