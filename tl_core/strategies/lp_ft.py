"""Probe, then fine-tune: the head is computed first, then everything trains from there."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from pydantic import Field

from tl_core.backbones import Backbone, BlockOutline
from tl_core.phases.phase import chosen
from tl_core.strategies import Family, Phase, everything, register
from tl_core.strategies._by_gradient import TunedFromProbe, with_default


@register("lp_ft")
class ProbeThenFineTune(TunedFromProbe):
    """Compute a linear probe first, then train everything, or the last blocks, from it (LP-FT).

    Kumar et al. 2022, arXiv 2202.10054.
    """

    title: ClassVar[str] = "Probe, then fine-tune"
    listing_order: ClassVar[int] = 20
    family: ClassVar[Family] = Family.TUNED
    when_to_use: ClassVar[str] = (
        "The safe choice where a linear probe is not enough: it starts as the probe and ends with its best epoch on the "
        "validation images, the probe's own included. With ten labels a class that brought seven points of them on hand signs, "
        "half a point on photo patches."
    )

    epochs: int = with_default(TunedFromProbe.model_fields["epochs"], 10)
    learning_rate: float = with_default(TunedFromProbe.model_fields["learning_rate"], 1e-4)
    blocks: str | None = Field(
        None,
        min_length=1,
        max_length=100,
        title="Blocks to release",
        description='Which blocks train: "last 2", "block 5 and up", or a pattern such as "block 5*"; empty trains all.',
        json_schema_extra={"empty": "all"},
    )

    def phases(self, backbone: Backbone, blocks: Sequence[BlockOutline], train_images: int) -> Iterator[Phase]:
        yield from self.probe()
        released = everything if self.blocks is None else chosen(self.blocks)
        yield self.phase(self.blocks or "everything", self.epochs, self.learning_rate, released)
