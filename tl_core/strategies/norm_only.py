"""Norms only: the kernels stay, the scale and shift of the norms train."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from pydantic import Field

from tl_core.backbones import Backbone, BlockOutline
from tl_core.strategies import BatchNorm, Family, Moves, Phase, everything, register
from tl_core.strategies._by_gradient import FromProbe


@register("norm_only")
class NormOnly(FromProbe):
    """Train only scale and shift of the norms, and the biases if wanted, under a new head.

    Frankle et al. 2021 (arXiv 2003.00152) for norms; with biases it is BitFit (Ben Zaken et al. 2022, arXiv 2106.10199).
    """

    title: ClassVar[str] = "Norms only"
    family: ClassVar[Family] = Family.LIGHT
    when_to_use: ClassVar[str] = (
        "Many tasks on one backbone: each needs about one in a hundred of its parameters, and the kernels stay shared. "
        "It moves too little to overfit few labels, and asks for a larger learning rate than fine-tuning."
    )

    learning_rate: float = Field(1e-3, gt=0, le=1, title="Learning rate", description="Step size of Adam.")
    biases: bool = Field(False, title="Biases too", description="Train the biases of all other layers as well (BitFit).")
    adapt_statistics: bool = Field(
        False,
        title="Let statistics adapt",
        description="Let BatchNorm's mean and variance follow the new data; with small batches they are better left alone. "
        "Its scale and shift train in any case.",
        json_schema_extra={"more": True},
    )

    def phases(self, backbone: Backbone, blocks: Sequence[BlockOutline], train_images: int) -> Iterator[Phase]:
        yield from self.probe()
        moves = Moves.BIASES if self.biases else Moves.NORMS
        still = BatchNorm.ADAPTS if self.adapt_statistics else BatchNorm.STATISTICS_FROZEN
        yield self.phase("norms", self.epochs, self.learning_rate, everything, moves=moves, batch_norm=still)
