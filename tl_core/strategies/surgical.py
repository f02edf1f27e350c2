"""Surgical fine-tuning: each tensor learns as fast as its own gradient says that it must."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from pydantic import Field

from tl_core.backbones import Backbone, BlockOutline
from tl_core.strategies import Family, Phase, everything, register
from tl_core.strategies._by_gradient import TunedFromProbe


@register("surgical")
class Surgical(TunedFromProbe):
    """Train everything, each tensor at a rate in proportion to its relative gradient (Auto-RGN).

    The rate of a tensor is the learning rate times g / max g, where g is the norm of its gradient over the norm of its
    weights, the mean over a few batches. Lee et al. 2023, arXiv 2210.11466, who measure it again before each epoch, and the
    head with the rest. Here it is measured once, when the head has been computed, which therefore keeps the whole rate.
    """

    title: ClassVar[str] = "Surgical (Auto-RGN)"
    family: ClassVar[Family] = Family.TUNED
    when_to_use: ClassVar[str] = (
        "A shift of which nobody knows where it sits: new cameras and noise ask for the lower blocks, new classes for the upper. "
        "It measures that for each tensor, where other strategies take it for granted."
    )

    batches: int = Field(
        5,
        ge=1,
        le=100,
        title="Batches to measure",
        description="Over how many batches gradients are averaged before training.",
    )

    def phases(self, backbone: Backbone, blocks: Sequence[BlockOutline], train_images: int) -> Iterator[Phase]:
        yield from self.probe()
        yield self.phase("everything", self.epochs, self.learning_rate, everything, measured_rates=self.batches)
