"""L2-SP: fine-tuning that is drawn back to where it started."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import Field

from tl_core.backbones import Backbone, BlockOutline
from tl_core.strategies import Family, Phase, everything, register
from tl_core.strategies._by_gradient import TunedFromProbe


@dataclass(frozen=True)
class ToStart:
    """`backbone` / 2 times the squared distance from the pretrained values, and `head` / 2 times the head's own square."""

    backbone: float
    head: float

    def put_on(self, model: Any, network: Any, start: Mapping[str, Any]) -> None:
        """Set regularizers of the variables that train; those of the head are drawn to 0."""
        known = {variable.path for variable in network.model.variables}
        for variable in model.trainable_variables:
            of_backbone = variable.path in known
            origin = start[variable.path] if of_backbone else 0.0
            variable.regularizer = half_square(self.backbone if of_backbone else self.head, origin)

    @property
    def script(self) -> str:
        """Return lines of a script that do the same."""
        return f"""\
def half_square(strength, origin):
    \"\"\"Return a penalty on the distance from `origin`.\"\"\"
    return lambda weights: 0.5 * strength * keras.ops.sum(keras.ops.square(weights - origin))


start = {{variable.path: keras.ops.convert_to_numpy(variable) for variable in backbone.variables}}
for variable in model.trainable_variables:  # those of the head are drawn to 0
    of_backbone = variable.path in start
    variable.regularizer = half_square({self.backbone} if of_backbone else {self.head}, start.get(variable.path, 0.0))"""


def half_square(strength: float, origin: Any) -> Any:
    """Return the function strength / 2 * |w - origin|^2 of the weights w."""
    from keras import ops

    return lambda weights: 0.5 * strength * ops.sum(ops.square(weights - origin))


@register("l2_sp")
class L2SP(TunedFromProbe):
    """Train everything, with a penalty on the distance from the pretrained weights instead of weight decay.

    Li et al. 2018, arXiv 1802.01483, with the numbers of that paper.
    """

    title: ClassVar[str] = "L2-SP"
    family: ClassVar[Family] = Family.GUARDED
    when_to_use: ClassVar[str] = (
        "Few labels and a source that fits: the network may move, but each step away from what it knew costs something. "
        "It takes the place of weight decay, which would draw the pretrained weights to 0."
    )

    pull: float = Field(
        0.01, ge=0, le=100, title="Pull to the start", description="Strength of the penalty on the backbone (alpha in the paper)."
    )
    head_decay: float = Field(
        0.01, ge=0, le=100, title="Decay of the head", description="Strength of the penalty on the head (beta in the paper)."
    )

    def phases(self, backbone: Backbone, blocks: Sequence[BlockOutline], train_images: int) -> Iterator[Phase]:
        yield from self.probe()
        penalty = ToStart(self.pull, self.head_decay)
        yield self.phase("everything", self.epochs, self.learning_rate, everything, penalty=penalty)
