"""Fine-tuning: first the head, then the network under it at a tenth of the rate."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from pydantic import Field

from tl_core.backbones import Backbone, BlockOutline
from tl_core.strategies import Phase, Strategy, everything, last_blocks, nothing, register


@register("fine_tuning")
class FineTuning(Strategy):
    """Train the head first, then release the last blocks, or all of them, at a tenth of the rate."""

    title: ClassVar[str] = "Fine-tuning"
    when_to_use: ClassVar[str] = (
        "Enough labels and pictures that differ from what the network learned from. "
        "The head is trained first so that its first, random errors do not destroy the features under it."
    )

    blocks: int | None = Field(
        None,
        ge=1,
        le=1000,
        title="Blocks to release",
        description="How many blocks nearest the head train; empty trains all.",
        json_schema_extra={"empty": "all"},
    )
    head_epochs: int = Field(
        20, ge=1, le=1000, title="Epochs of the head", description="Passes over the data with the network frozen."
    )
    epochs: int = Field(5, ge=1, le=1000, title="Epochs", description="Passes over the data with the blocks released.")
    learning_rate: float = Field(
        3e-3, gt=0, le=1, title="Learning rate", description="Step size of Adam for the head; the blocks train at a tenth of it."
    )
    batch_size: int = Field(
        32, ge=1, le=4096, title="Batch size", description="Images per step.", json_schema_extra={"more": True}
    )

    def phases(self, backbone: Backbone, blocks: Sequence[BlockOutline]) -> Iterator[Phase]:
        released = everything if self.blocks is None else last_blocks(self.blocks)
        name = "all blocks" if self.blocks is None else f"last {min(self.blocks, len(blocks))} blocks"
        yield Phase("head", self.head_epochs, self.learning_rate, self.batch_size, trains=nothing)
        yield Phase(name, self.epochs, self.learning_rate / 10, self.batch_size, trains=released)
