"""Discriminative rates: the deeper a block, the more slowly it learns."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from pydantic import Field

from tl_core.backbones import Backbone, BlockOutline
from tl_core.phases.phase import RateFactors
from tl_core.strategies import Family, Phase, everything, register
from tl_core.strategies._by_gradient import TunedFromProbe


@register("discriminative_rates")
class DiscriminativeRates(TunedFromProbe):
    """Train everything, each block more slowly than the one above it.

    Howard and Ruder 2018 (ULMFiT), arXiv 1801.06146, divide the rate by 2.6 from each layer to the one below it. Here it is
    one factor from block to block as well, but it follows from the spread over the whole network, however many blocks that has:
    fastai's `fine_tune`, whose `slice(lr / 100, lr)` is a spread of 100.
    """

    title: ClassVar[str] = "Discriminative rates"
    family: ClassVar[Family] = Family.TUNED
    when_to_use: ClassVar[str] = (
        "Pictures that resemble the source's in their edges and textures and differ in what they show. "
        "One number, the spread, replaces the question of which blocks to freeze."
    )

    spread: float = Field(
        100.0,
        ge=1,
        le=1e6,
        title="Spread",
        description="How many times faster the head learns than the lowest block; the blocks between lie evenly on a log scale.",
    )

    def phases(self, backbone: Backbone, blocks: Sequence[BlockOutline], train_images: int) -> Iterator[Phase]:
        yield from self.probe()
        yield self.phase("everything", self.epochs, self.learning_rate, everything, rates=falling(self.spread))


def falling(spread: float) -> RateFactors:
    """Return rates that fall from 1 in the head to 1 / `spread` in the lowest block, by equal factors."""

    def rates(blocks: Sequence[str]) -> dict[str, float]:
        return {name: spread ** -((len(blocks) - index) / len(blocks)) for index, name in enumerate(blocks)}

    return rates
