"""Precision benchmark: how fast a network is in each precision on this machine. Runs that leave theirs open go by it."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from tl_core.backbones import Backbone
from tl_core.jobs.background import ResultWriter
from tl_core.machine import backends
from tl_core.planning import precision_speeds
from tl_core.planning.backbone_profile import BATCH, frozen_pass, seconds_of, training_step
from tl_core.precision import CHOICES, Precision, Speed, Speeds
from tl_core.recipe import Recipe
from tl_core.studies import Study, StudyResult, register

TIMES = 6
"""The fastest of so many counts: the slower ones measure what else the machine was doing."""
SECONDS = 180.0
"""After so long no further precision is begun."""


@dataclass(frozen=True)
class PrecisionBenchmarkResult(StudyResult):
    """What has been measured so far."""

    speeds: Speeds | None = None

    @property
    def share(self) -> float:
        """Return how much of it is done, 0..1."""
        return len(self.speeds.speeds) / len(CHOICES) if self.speeds else 0.0


@register("precision_benchmark")
class PrecisionBenchmark(Study[PrecisionBenchmarkResult]):
    """Measure how fast a network trains and computes features in each precision on this machine, for three minutes at most."""

    title: ClassVar[str] = "Precision benchmark"
    folder: ClassVar[str] = "precision_benchmarks"

    def first(self) -> PrecisionBenchmarkResult:
        return PrecisionBenchmarkResult()

    def decisive(self, recipe: Recipe) -> Sequence[Any]:
        return recipe.backbone.with_size(recipe.input_size).spec(), recipe.input_size

    def require_possible(self, recipe: Recipe) -> None:
        """Raise the `SettingError` of a backbone that does not take images of that size: weights do not matter."""
        recipe.backbone.require_layers("This measurement", "Set precision to float32 or bfloat16 where auto does not suit.")
        recipe.backbone.require_size(recipe.input_size)

    def read(self, home: Path, recipe: Recipe) -> PrecisionBenchmarkResult | None:
        """Return also what was measured before it was a study, and nothing that was measured on another device."""
        found = super().read(home, recipe)
        if found is not None and (found.error or not found.finished):
            return found
        known = precision_speeds.read(home, recipe.backbone, recipe.input_size)
        return replace(found or self.first(), speeds=known, finished=True) if known else None

    def run(self, recipe: Recipe, home: Path, writer: ResultWriter[PrecisionBenchmarkResult]) -> None:
        """Measure one precision after the other, float32 first, and keep each at once where runs look."""
        import keras

        measured, began = dict[Precision, Speed](), time.monotonic()
        for precision in CHOICES:
            if time.monotonic() - began > SECONDS or (precision.xla and keras.backend.backend() != "tensorflow"):
                continue
            writer.update(stage=f"Measuring {precision.value}")
            measured = measured | {precision: _speed(recipe.backbone, recipe.input_size, precision)}
            speeds = Speeds(precision_speeds.device(), BATCH, measured)
            precision_speeds.write(home, recipe.backbone, recipe.input_size, speeds)
            writer.update(speeds=speeds)

    def rows(self, found: PrecisionBenchmarkResult) -> Iterator[dict[str, Any]]:
        for precision, speed in found.speeds.speeds.items() if found.speeds else ():
            yield {"precision": precision.value, **asdict(speed)}


def _speed(backbone: Backbone, size: int, precision: Precision) -> Speed:
    from tl_core.networks.classifier import compiling

    backends.compute_in(precision)
    network = backbone.load(size, pretrained=False)
    network.model.jit_compile = compiling(precision.xla)
    work = training_step(network, compiling(precision.xla)), frozen_pass(network, precision)
    firsts = [seconds_of(each) for each in work]
    step, forward = (min(seconds_of(each) for _ in range(TIMES)) for each in work)
    return Speed(max(0.0, sum(firsts) - step - forward) if precision.xla else 0.0, step, forward)
