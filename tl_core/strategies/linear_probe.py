"""Linear probe: a new head on a frozen backbone."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from pydantic import Field

from tl_core.backbones import Backbone, BlockOutline
from tl_core.strategies import Phase, Strategy, nothing, register


@register("linear_probe")
class LinearProbe(Strategy):
    """Train a new classifier on the features of the frozen network."""

    title: ClassVar[str] = "Linear probe"
    when_to_use: ClassVar[str] = (
        "Few labels, or an answer in seconds: each image passes the network once and only the head learns. "
        "It is hard to beat when the new pictures resemble those that the network learned from."
    )

    epochs: int = Field(40, ge=1, le=1000, title="Epochs", description="Passes of the head over the features.")
    learning_rate: float = Field(3e-3, gt=0, le=1, title="Learning rate", description="Step size of Adam for the head.")
    batch_size: int = Field(
        32, ge=1, le=4096, title="Batch size", description="Images per step.", json_schema_extra={"more": True}
    )

    def phases(self, backbone: Backbone, blocks: Sequence[BlockOutline]) -> Iterator[Phase]:
        yield Phase("head", self.epochs, self.learning_rate, self.batch_size, trains=nothing)
