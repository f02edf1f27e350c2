"""In which numbers a network is computed, and whether XLA compiles its steps: what pays differs from device to device."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import AliasChoices, Field


class Precision(StrEnum):
    """Plain float32, or "mixed" bfloat16: the network computes in 16 bits, and its variables and its head stay in 32. With XLA a
    step is compiled into one program (TensorFlow; JAX always does)."""

    AUTO = "auto"
    FLOAT32 = "float32"
    FLOAT32_XLA = "float32 with XLA"
    BFLOAT16 = "mixed bfloat16"
    BFLOAT16_XLA = "mixed bfloat16 with XLA"

    @property
    def policy(self) -> str:
        """Return Keras' name of its dtype policy."""
        return "mixed_bfloat16" if self.in_bfloat16 else "float32"

    @property
    def in_bfloat16(self) -> bool:
        """Return whether the network computes in 16 bits."""
        return self in (Precision.BFLOAT16, Precision.BFLOAT16_XLA)

    @property
    def xla(self) -> bool:
        """Return whether steps are compiled by XLA."""
        return self in (Precision.FLOAT32_XLA, Precision.BFLOAT16_XLA)


StoredPrecision = Annotated[Precision, Field(validation_alias=AliasChoices("precision", "arithmetic"))]
"""A precision in a stored file, where its name was `arithmetic` before."""
CHOICES = tuple(precision for precision in Precision if precision is not Precision.AUTO)
MIN_SPEEDUP = 0.9
"""Anything else than float32 must need less than this share of float32's time: a smaller gain is within what a measurement
is off by."""


@dataclass(frozen=True)
class Speed:
    """Wall seconds of one training step of the whole network, of one pass through its inference engine, both over a batch, and
    of compiling both, which is counted for XLA alone: tracing a step takes the same in every precision."""

    compile_seconds: float
    step_seconds: float
    forward_seconds: float


@dataclass(frozen=True)
class Speeds:
    """What was measured of one network on one device, with batches of `batch` images."""

    device: str
    batch: int
    speeds: Mapping[Precision, Speed]

    def seconds(self, precision: Precision, frozen: float, trained: float) -> float:
        """Return the seconds of a run with so many passes through what is frozen and so many of training (`cost_model`), in which
        an image costs three."""
        speed = self.speeds[precision]
        passes = frozen * speed.forward_seconds + trained * speed.step_seconds / 3
        return speed.compile_seconds + passes / self.batch

    def fastest(self, frozen: float, trained: float) -> Precision:
        """Return what such a run is to be computed in: float32, unless something that was measured pays."""
        if Precision.FLOAT32 not in self.speeds:
            return Precision.FLOAT32
        seconds = {precision: self.seconds(precision, frozen, trained) for precision in self.speeds}
        best = min(seconds, key=lambda precision: seconds[precision])
        return best if seconds[best] < MIN_SPEEDUP * seconds[Precision.FLOAT32] else Precision.FLOAT32
