"""Last blocks: the lower part stays frozen, the upper part and the head train."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from pydantic import Field

from tl_core.backbones import Backbone, BlockOutline
from tl_core.strategies import Family, Phase, last_blocks, register
from tl_core.strategies.gradient import FromNewHead


@register("last_blocks")
class LastBlocks(FromNewHead):
    """Freeze the lower blocks and train the last ones together with the head."""

    title: ClassVar[str] = "Last blocks"
    family: ClassVar[Family] = Family.TUNED
    when_to_use: ClassVar[str] = (
        "Pictures whose edges and textures are familiar but whose objects are not: the lower blocks still fit. "
        "It costs less than full fine-tuning, since the backward pass ends at the lowest block that trains."
    )

    blocks: int = Field(2, ge=1, le=1000, title="Blocks to train", description="How many blocks nearest the head train.")

    def phases(self, backbone: Backbone, blocks: Sequence[BlockOutline], train_images: int) -> Iterator[Phase]:
        yield self.together(f"last {min(self.blocks, len(blocks))} blocks", last_blocks(self.blocks))
