"""Last blocks: the lower part stays frozen, the upper part and the head train."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from pydantic import Field

from tl_core.backbones import Backbone, BlockOutline
from tl_core.phases.phase import chosen
from tl_core.strategies import Family, Phase, register
from tl_core.strategies._by_gradient import FromNewHead


@register("last_blocks")
class LastBlocks(FromNewHead):
    """Freeze the lower blocks and train the last ones together with the head."""

    title: ClassVar[str] = "Last blocks"
    listing_order: ClassVar[int] = 40
    family: ClassVar[Family] = Family.TUNED
    when_to_use: ClassVar[str] = (
        "Pictures whose edges and textures are familiar but whose objects are not: the lower blocks still fit. "
        "It costs less than full fine-tuning, since the backward pass ends at the lowest block that trains."
    )

    blocks: str = Field(
        "last 2",
        min_length=1,
        max_length=100,
        title="Blocks to train",
        description='Which blocks train: "last 2", "block 5 and up", or a pattern such as "block 5*".',
    )

    def phases(self, backbone: Backbone, blocks: Sequence[BlockOutline], train_images: int) -> Iterator[Phase]:
        yield self.together(self.blocks, chosen(self.blocks))
