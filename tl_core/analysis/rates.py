"""What a range test of learning rates says: where the loss falls, and where it breaks out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MEMORY = 0.9
"""How much of the smoothed loss each step keeps, of which a batch's own loss gets the rest."""
BROKEN_OUT = 2.0
"""Beyond so many times its lowest value the smoothed loss will not come back."""
FEWEST = 10
"""Steps without which nothing is suggested."""
AS_LOW = 0.05
"""Nats by which two smoothed losses may differ and still count as equally low."""
SAFETY = 10.0


@dataclass(frozen=True)
class RateCurve:
    """The learning rates that were tried, rising, and the loss (nats, finite) of the batch at each."""

    rates: tuple[float, ...]
    losses: tuple[float, ...]

    @property
    def smoothed(self) -> NDArray[np.float64]:
        """The losses as a moving average that starts without a bias (as Adam's moments do)."""
        return smooth(self.losses)

    @property
    def has_broken_out(self) -> bool:
        """Whether the loss has left for good, so that higher rates need not be tried."""
        smoothed = self.smoothed
        return len(smoothed) >= FEWEST and bool(smoothed[-1] > BROKEN_OUT * smoothed.min() + 0.1)

    @property
    def limit(self) -> float | None:
        """The highest rate at which the smoothed loss is as low as it gets, within `AS_LOW`; None where too little was measured.

        Not the rate of the very lowest loss: where a head was computed before, the loss begins near its lowest and is flat."""
        smoothed = self.smoothed
        if len(smoothed) < FEWEST:
            return None
        return self.rates[int(np.flatnonzero(smoothed <= smoothed.min() + AS_LOW)[-1])]

    @property
    def has_fallen(self) -> bool:
        """Whether the loss fell before it rose. Where a head was computed before, it fits the images already, and no rate can
        make the loss of these batches lower: the curve then says where training breaks and nothing else."""
        smoothed = self.smoothed
        return bool(smoothed.size and smoothed.min() < smoothed[0] - AS_LOW)

    @property
    def suggestion(self) -> float | None:
        """A tenth of `limit`, to one digit: by then the loss falls fast, and it is far from breaking out. None where too little
        was measured, or the loss never fell."""
        return float(f"{self.limit / SAFETY:.0e}") if self.limit is not None and self.has_fallen else None


def smooth(losses: Sequence[float]) -> NDArray[np.float64]:
    """A moving average of `losses`, each value corrected for the few that it was made of."""
    kept, smoothed = 0.0, []
    for number, loss in enumerate(losses, start=1):
        kept = MEMORY * kept + (1 - MEMORY) * loss
        smoothed.append(kept / (1 - MEMORY**number))
    return np.array(smoothed)
