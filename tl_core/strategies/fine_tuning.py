"""Full fine-tuning: everything trains, from a new head on."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from tl_core.backbones import Backbone, BlockOutline
from tl_core.strategies import Family, Phase, everything, register
from tl_core.strategies._by_gradient import FromNewHead
from tl_core.strategies._with_sweep import WithSweep


@register("fine_tuning")
class FineTuning(FromNewHead, WithSweep):
    """Train the whole pretrained network and its new head together."""

    title: ClassVar[str] = "Fine-tuning"
    listing_order: ClassVar[int] = 30
    family: ClassVar[Family] = Family.TUNED
    when_to_use: ClassVar[str] = (
        "Many labels, and pictures that differ from what the network learned from: the plain way, to hold the others against. "
        "With few labels the new head's first errors spoil the features; probe then fine-tune does not have that."
    )

    def phases(self, backbone: Backbone, blocks: Sequence[BlockOutline], train_images: int) -> Iterator[Phase]:
        yield from self.swept(self.together("everything", everything), self.learning_rate)
