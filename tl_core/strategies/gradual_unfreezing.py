"""Gradual unfreezing: the backbone is released from the head downward."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from pydantic import Field

from tl_core.backbones import Backbone, BlockOutline
from tl_core.strategies import Family, Phase, last_blocks, register
from tl_core.strategies._by_gradient import TunedFromProbe


@register("gradual_unfreezing")
class GradualUnfreezing(TunedFromProbe):
    """Release the backbone from the head downward, some more blocks in each stage.

    Howard and Ruder 2018 (ULMFiT), arXiv 1801.06146, who release one layer an epoch and then train all of them until nothing
    changes. Here the head is computed first, and the blocks are released in a few stages of equal size and length, since each
    makes a new optimizer; with as many stages as blocks it is one block a stage.
    """

    title: ClassVar[str] = "Gradual unfreezing"
    family: ClassVar[Family] = Family.TUNED
    when_to_use: ClassVar[str] = (
        "Where full fine-tuning forgets too much: what lies deepest changes last and least. "
        "The early stages are cheap, for their backward pass ends high up."
    )

    stages: int = Field(4, ge=1, le=50, title="Stages", description="In how many steps the blocks are released.")
    epochs: int = Field(1, ge=1, le=50, title="Epochs a stage", description="Passes over the data in each stage.")

    def phases(self, backbone: Backbone, blocks: Sequence[BlockOutline], train_images: int) -> Iterator[Phase]:
        yield from self.probe()
        stages = min(self.stages, len(blocks))
        for stage in range(1, stages + 1):
            count = -(-stage * len(blocks) // stages)
            yield self.phase(f"top {count} of {len(blocks)}", self.epochs, self.learning_rate, last_blocks(count))
