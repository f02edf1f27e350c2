"""Batch spectral shrinkage: fine-tuning that lets go of the features that do not transfer."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import Field

from tl_core.backbones import Backbone, BlockOutline
from tl_core.strategies import Family, Phase, everything, register
from tl_core.strategies._by_gradient import TunedFromProbe


@dataclass(frozen=True)
class Shrinkage:
    """`strength` times the sum of the `count` smallest squared singular values of a batch's feature matrix."""

    strength: float
    count: int

    def put_on(self, model: Any, network: Any, start: Mapping[str, Any]) -> None:
        """Set it as the regularizer of what the backbone's last layer gives."""
        network.model.layers[-1].activity_regularizer = self

    @property
    def script(self) -> str:
        """Return lines of a script that do the same."""
        return f"""\
def shrinkage(features):
    \"\"\"Return what the weakest directions of a batch's features cost, times the batch, by which Keras divides it.\"\"\"
    values = keras.ops.svd(keras.ops.cast(features, "float32"), compute_uv=False)  # the largest first
    weakest = keras.ops.sum(keras.ops.square(values[-{self.count}:]))
    return {self.strength} * weakest * keras.ops.cast(keras.ops.shape(features)[0], "float32")


backbone.layers[-1].activity_regularizer = shrinkage"""

    def __call__(self, features: Any) -> Any:
        """Return the penalty of features (batch, d), a scalar. Keras divides what an activity regularizer gives by the batch,
        hence the factor.

        The squared singular values are the eigenvalues of the smaller of the two Gram matrices; the other one has zeros besides.
        `svd` would say the same without a choice, but takes seconds a batch where XLA compiles it for a processor.
        """
        from keras import ops

        features = ops.cast(features, "float32")  # which may be half as long, and of those there are no eigenvalues
        (rows, columns), turned = features.shape, ops.transpose(features)

        def of_images() -> Any:
            return self._smallest(ops.matmul(features, turned))

        def of_features() -> Any:
            return self._smallest(ops.matmul(turned, features))

        if rows is None:  # a step that TensorFlow compiles for batches of any size
            total = ops.cond(ops.shape(features)[0] < columns, of_images, of_features)
        else:
            total = of_images() if rows < columns else of_features()
        return self.strength * total * ops.cast(ops.shape(features)[0], features.dtype)

    def _smallest(self, gram: Any) -> Any:
        """Return the sum of the `count` smallest eigenvalues, which `eigh` gives in rising order."""
        from keras import ops

        return ops.sum(ops.linalg.eigh(gram)[0][: self.count])


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

    added = {**TunedFromProbe.added, "shrinkage": lambda settings: settings["strength"]}

    shrinkage: float = Field(
        1e-3, ge=0, le=10, title="Shrinkage", description="What the smallest squared singular values are multiplied by (eta)."
    )
    count: int = Field(1, ge=1, le=32, title="Directions", description="How many singular values are penalised (k).")

    def phases(self, backbone: Backbone, blocks: Sequence[BlockOutline], train_images: int) -> Iterator[Phase]:
        yield from self.probe()
        penalty = Shrinkage(self.shrinkage, self.count)
        yield self.phase("everything", self.epochs, self.learning_rate, everything, penalty=penalty)
