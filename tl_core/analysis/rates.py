"""What a range test of learning rates says: where the loss falls, where it breaks out, and which rate is a good one."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

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
"""How far a suggestion lies below the highest rate at which the loss is still low."""


class Shape(StrEnum):
    """What the loss does as the rate rises."""

    SHORT = "too little was measured"
    FALLS = "it falls"
    BREAKS = "it stays, and then rises"
    RISES = "it rises from the start"
    STAYS = "it stays to the end"
    NOTHING = "it is nothing from the start"


@dataclass(frozen=True)
class RateCurve:
    """The learning rates that were tried, rising, and the loss (nats, finite) of the batch at each."""

    rates: tuple[float, ...]
    losses: tuple[float, ...]

    @property
    def smoothed(self) -> NDArray[np.float64]:
        """Return the losses as a moving average that starts without a bias (as Adam's moments do)."""
        return smooth(self.losses)

    @property
    def has_broken_out(self) -> bool:
        """Return whether the loss has left for good, so that higher rates need not be tried."""
        smoothed = self.smoothed
        return len(smoothed) >= FEWEST and bool(smoothed[-1] > BROKEN_OUT * smoothed.min() + 0.1)

    @property
    def low(self) -> tuple[float, float] | None:
        """Return the lowest and the highest of the rates between which the smoothed loss is as low as it gets, within `AS_LOW`:
        the last such stretch. None where too little was measured.

        The rate of the very lowest loss is not it: where a head was computed before, the loss begins near its lowest and is flat.
        """
        smoothed = self.smoothed
        if len(smoothed) < FEWEST:
            return None
        is_low = smoothed <= smoothed.min() + AS_LOW
        last = int(np.flatnonzero(is_low)[-1])
        before = np.flatnonzero(~is_low[:last])
        return self.rates[int(before[-1]) + 1 if before.size else 0], self.rates[last]

    @property
    def shape(self) -> Shape:
        """Return what the smoothed loss does: it falls by more than `AS_LOW` nats, or stays. It rises from the start where it
        does so within `SAFETY` times the lowest rate, so that none far below was tried."""
        smoothed = self.smoothed
        if self.low is None:
            return Shape.SHORT
        limit = self.low[1]
        if limit < SAFETY * self.rates[0]:
            return Shape.RISES
        if smoothed.min() < smoothed[0] - AS_LOW:
            return Shape.FALLS
        if smoothed.min() < AS_LOW:
            return Shape.NOTHING
        return Shape.BREAKS if limit < self.rates[-1] else Shape.STAYS

    @property
    def suggestion(self) -> float | None:
        """Return a good rate, to one digit; None where the `shape` says nothing of one.

        Where the loss falls it is a tenth of the highest rate at which it is low (as fastai's finder has it, after Smith 2017,
        arXiv 1506.01186), or the rate at which it got there, if that is lower: a network that has learned these images by heart
        hardly moves any more, and may stand rates that would have broken it before. Where the loss stays until it rises it is a
        tenth of the highest rate that does not break training: good ones lie not far below (Bengio 2012, arXiv 1206.5533). Where
        the loss is nothing from the start no rate moves the network, and where training breaks depends on nothing but how long it
        lay still.
        """
        if self.low is None or self.shape not in (Shape.FALLS, Shape.BREAKS):
            return None
        reached, limit = self.low
        safe = limit / SAFETY
        return float(f"{min(safe, reached) if self.shape is Shape.FALLS else safe:.0e}")


def smooth(losses: Sequence[float]) -> NDArray[np.float64]:
    """Return a moving average of `losses`, each value corrected for the few that it was made of."""
    kept, smoothed = 0.0, []
    for number, loss in enumerate(losses, start=1):
        kept = MEMORY * kept + (1 - MEMORY) * loss
        smoothed.append(kept / (1 - MEMORY**number))
    return np.array(smoothed)
