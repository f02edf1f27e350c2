"""Networks that were never pretrained: what they share."""

from typing import ClassVar

from tl_core.backbones import Backbone, Provenance
from tl_core.errors import WeightsError

RANDOM = Provenance(source="random weights", licence="none needed", learned_from="nothing")
"""Where weights come from that were drawn from Keras' seed."""


class Untrained(Backbone):
    """A source whose networks have no pretrained weights anywhere."""

    pretrained: ClassVar[bool] = False

    def require_weights(self) -> None:
        """Always raises `WeightsError`: there are none."""
        raise WeightsError(
            f"{self.title} has no pretrained weights.",
            "Choose the strategy from_scratch, or a backbone that was pretrained, such as efficientnet_lite0.",
            received=f"backbone={self.name}",
        )
