"""LoRA: every kernel gets a small product of two thin matrices beside it, and only those train."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, ClassVar

from pydantic import Field

from tl_core.backbones import Backbone, BlockOutline
from tl_core.networks.sublayers import sublayers_of, takes_adapter
from tl_core.strategies import Classifier, Family, Moves, Phase, everything, register
from tl_core.strategies._by_gradient import FromProbe


@register("lora")
class LoRA(FromProbe):
    """Train low-rank adapters beside the frozen kernels (W + alpha / r * A B, with B = 0 at first).

    Hu et al. 2021, arXiv 2106.09685. Depthwise kernels have none: Keras offers no adapter for them, and they are small.
    BatchNorm is always frozen: with statistics of its own a task would have more to keep than its adapters.
    """

    title: ClassVar[str] = "LoRA"
    family: ClassVar[Family] = Family.LIGHT
    when_to_use: ClassVar[str] = (
        "Large networks for many tasks: an adapter is a small file, and merged into the kernels it costs nothing at inference. "
        "On small convolutional networks it saves little, since the backward pass still goes through all of it."
    )

    rank: int = Field(8, ge=1, le=256, title="Rank", description="The inner size of each adapter; 4 to 16 are usual.")
    alpha: float | None = Field(
        None,
        gt=0,
        le=1000,
        title="Alpha",
        description="The adapter's product is multiplied by alpha / rank; empty takes the rank, which multiplies by 1.",
        json_schema_extra={"empty": "the rank", "more": True},
    )
    learning_rate: float = Field(1e-3, gt=0, le=1, title="Learning rate", description="Step size of Adam.")

    def join(self, network: Any, class_names: Sequence[str]) -> Classifier:
        """Return the network with adapters in all kernels of its blocks that can have one, and a new head."""
        for block in network.blocks:
            for layer in chain.from_iterable(map(sublayers_of, block.layers)):
                if takes_adapter(layer) and not layer.lora_enabled:
                    layer.enable_lora(self.rank, lora_alpha=self.alpha)
        return super().join(network, class_names)

    def phases(self, backbone: Backbone, blocks: Sequence[BlockOutline], train_images: int) -> Iterator[Phase]:
        yield from self.probe()
        yield self.phase("adapters", self.epochs, self.learning_rate, everything, moves=Moves.ADAPTERS, rank=self.rank)
