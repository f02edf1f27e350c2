"""Full fine-tuning: everything trains, from a new head on."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from pydantic import Field

from tl_core.backbones import Backbone, BlockOutline
from tl_core.strategies import Family, Phase, everything, register
from tl_core.strategies.gradient import ByGradient


@register("fine_tuning")
class FineTuning(ByGradient):
    """Train the whole pretrained network and its new head together."""

    title: ClassVar[str] = "Fine-tuning"
    family: ClassVar[Family] = Family.TUNED
    when_to_use: ClassVar[str] = (
        "Many labels, and pictures that differ from what the network learned from: the plain way, to hold the others against. "
        "With few labels the new head's first errors spoil the features; probe then fine-tune does not have that."
    )

    epochs: int = Field(10, ge=1, le=1000, title="Epochs", description="Passes over the data.")
    learning_rate: float = Field(
        1e-4,
        gt=0,
        le=0.1,
        title="Learning rate",
        description="Step size of Adam for the blocks; the head takes ten times as much.",
    )

    def phases(self, backbone: Backbone, blocks: Sequence[BlockOutline], train_images: int) -> Iterator[Phase]:
        yield self.phase("everything", self.epochs, 10 * self.learning_rate, everything, rates=tenth)


def tenth(blocks: Sequence[str]) -> dict[str, float]:
    """A tenth of the head's rate in every block."""
    return dict.fromkeys(blocks, 0.1)
