"""From scratch: the same network from random weights, the control that every transfer is held against.

A control that is tuned less hard than the transfer proves nothing: it has a recipe of its own, and the same sweep of learning
rates as fine-tuning.
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

from pydantic import Field

from tl_core.backbones import Backbone, BlockOutline
from tl_core.strategies import BatchNorm, Family, Phase, everything, register
from tl_core.strategies._with_sweep import WithSweep


@register("from_scratch")
class FromScratch(WithSweep):
    """Train the whole network from random weights, as if nothing had been learned before."""

    title: ClassVar[str] = "From scratch"
    family: ClassVar[Family] = Family.CONTROL
    pretrained: ClassVar[bool] = False
    rate_setting: ClassVar[str | None] = "learning_rate"
    epochs_setting: ClassVar[str | None] = "epochs"
    when_to_use: ClassVar[str] = (
        "The control, without which nobody can say what the transfer saved: it has the epochs, the rate and the schedule that "
        "suit its network, and may try as many learning rates as fine-tuning. "
        "With many labels, or pictures unlike any photograph, it may win, and then transfer is not worth its weight."
    )

    epochs: int | None = Field(
        None, ge=1, le=10_000, title="Epochs", description="Passes over the data; empty takes the number that suits the network."
    )
    learning_rate: float | None = Field(
        None, gt=0, le=1, title="Learning rate", description="Step size of Adam; empty takes the rate that suits the network."
    )
    batch_size: int | None = Field(  # type: ignore[assignment]  # the one strategy whose network may say it
        None,
        ge=1,
        le=4096,
        title="Batch size",
        description="Images per step; empty takes the size that suits the network.",
        json_schema_extra={"more": True},
    )

    schedule: Literal["own", "constant", "cosine", "one_cycle"] = Field(  # type: ignore[assignment]  # as the batch size
        "own",
        title="Schedule",
        description="How the learning rate moves: as suits the network (its own way); not at all; up in a tenth of the steps and "
        "down along a cosine; or one cycle.",
        json_schema_extra={"more": True},
    )

    def phases(self, backbone: Backbone, blocks: Sequence[BlockOutline], train_images: int) -> Iterator[Phase]:
        recipe = backbone.scratch
        rate = self.learning_rate or recipe.learning_rate
        scheduled = self.model_copy(update={"schedule": recipe.schedule}) if self.schedule == "own" else self
        phase = Phase(
            "everything",
            self.epochs or recipe.epochs,
            rate,
            self.batch_size or recipe.batch_size,
            trains=everything,
            batch_norm=BatchNorm.ADAPTS,
            learning=scheduled.learning(),
        )
        yield from self.swept(phase, rate)
