"""The BiT-HyperRule: fine-tuning whose settings follow from the number of images."""

from collections.abc import Iterator, Sequence
from math import ceil
from typing import ClassVar, Self

from pydantic import Field

from tl_core.backbones import Backbone, BlockOutline
from tl_core.phases.schedules import steps_down
from tl_core.strategies import Family, Learning, Phase, Strategy, everything, register

BOUNDARIES = (
    (20_000, 100, (200, 300, 400), 500),
    (500_000, 500, (3000, 6000, 9000), 10_000),
    (None, 500, (6000, 12_000, 18_000), 20_000),
)
"""Up to so many images: the steps of the rise, the steps at which the rate falls to a tenth, and all of them, at the paper's
batch. They are those of the authors' code (bit_hyperrule.py in google-research/big_transfer)."""
PAPERS_BATCH = 512
MIXUP = 0.1


@register("bit_hyperrule")
class BiTHyperRule(Strategy):
    """Train everything by a rule that takes all its settings from the number of images.

    Kolesnikov et al. 2020 (Big Transfer), arXiv 1912.11370: SGD with momentum, a rise and three falls of the rate, mixup
    from 20,000 images on. The paper's batch is 512; with another one the rate follows the batch in proportion, and the steps
    follow it the other way round, so that as many images are seen. BatchNorm is frozen: the
    paper's networks have none, and so the rule has nothing to say on it.
    """

    title: ClassVar[str] = "BiT-HyperRule"
    family: ClassVar[Family] = Family.TUNED
    when_to_use: ClassVar[str] = (
        "Where nobody wants to search and time is no matter: no setting needs to be chosen, and 256,000 images or more go "
        "through the network, however few there are to learn from. "
        "The rule was made for large networks without BatchNorm, so hold it against another strategy."
    )

    rate_setting: ClassVar[str | None] = "learning_rate"
    batch_setting: ClassVar[str | None] = "batch_size"

    batch_size: int = Field(64, ge=1, le=4096, title="Batch size", description="Images per step; the paper has 512.")
    learning_rate: float = Field(
        3e-3, gt=0, le=1, title="Learning rate", description="Step size of SGD at a batch of 512; it shrinks with the batch."
    )
    length: float = Field(
        1.0,
        gt=0,
        le=1,
        title="Length",
        description="The share of the rule's training that is done, 1 for all of it; the rise and the falls move in proportion.",
    )

    @classmethod
    def example(cls) -> Self:
        """Return it with a two-hundredth of the length."""
        return cls(length=0.005)

    def phases(self, backbone: Backbone, blocks: Sequence[BlockOutline], train_images: int) -> Iterator[Phase]:
        images = max(1, train_images)
        limit, rise, falls, steps = next(row for row in BOUNDARIES if row[0] is None or images < row[0])
        epochs = ceil(self.length * steps * PAPERS_BATCH / images)
        schedule = steps_down([fall / steps for fall in falls], rise / steps)
        mixup = 0.0 if limit == BOUNDARIES[0][0] else MIXUP
        learning = Learning(optimizer="sgd", schedule=schedule, mixup=mixup)
        batch = min(self.batch_size, images)  # no step can have more
        yield Phase(
            "everything", epochs, self.learning_rate * batch / PAPERS_BATCH, self.batch_size, everything, learning=learning
        )
