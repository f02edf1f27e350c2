"""A sweep of learning rates: offered alike to the control and to the plain transfer, so that neither is tuned less hard."""

from collections.abc import Iterator
from dataclasses import replace

from pydantic import Field

from tl_core.strategies import Phase
from tl_core.strategies._by_gradient import ByGradient

STEP = 3.0
"""Each rate is so many times its neighbour."""


class WithSweep(ByGradient):
    """A strategy of one phase whose learning rate may be chosen on the validation images."""

    trials: int = Field(
        1,
        ge=1,
        le=9,
        title="Rates to try",
        description="How many learning rates are tried, from that rate outwards by factors of 3, each in full and from the same "
        "start; the lowest validation loss decides, and the seconds of all count. 1 tries no other.",
        json_schema_extra={"more": True},
    )

    def swept(self, phase: Phase, learning_rate: float) -> Iterator[Phase]:
        """Yield `phase` with each rate in turn, named by multiples of `learning_rate`, the setting that it was made from."""
        if self.trials == 1:
            yield phase
            return
        for factor in factors(self.trials):
            name = f"rate {learning_rate * factor:.3g}"
            yield replace(phase, name=name, learning_rate=phase.learning_rate * factor, trial=True)


def factors(count: int) -> tuple[float, ...]:
    """Return `count` factors from 1 outwards, down before up: 1, 1/3, 3, 1/9, 9 and so on."""
    return tuple(STEP ** (n // 2 if n % 2 else -(n // 2)) for n in range(1, count + 1))
