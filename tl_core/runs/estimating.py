"""What a run will take on this machine, before anything of it runs."""

from dataclasses import dataclass

from tl_core import costs
from tl_core.backbones import Outline
from tl_core.recipe import Recipe
from tl_core.runs.probing import BATCH, Probe

PIXEL_BYTES = 3
FLOAT_BYTES = 4
VALUES_OF_ADAM = 3
"""A variable that trains, and Adam's two moments of it, in memory and in a checkpoint."""
PART_BYTES = 2 * 64 * 1024**2
"""Memory in which rows for the cache are put together, of features and of pixels."""


@dataclass(frozen=True)
class Estimate:
    """Seconds of starting Python, and from there to the result; the most memory at a time and what is written to disk at most, in
    bytes; and how many of all parameters train at some time."""

    starting_seconds: float
    running_seconds: float
    memory_bytes: int
    disk_bytes: int
    trainable_parameters: int
    total_parameters: int

    @property
    def seconds(self) -> float:
        """From Start to the result."""
        return self.starting_seconds + self.running_seconds


def estimate(recipe: Recipe, measured: Probe, images: costs.Images, classes: int, room: float) -> Estimate:
    """By the cost model in `tl_core.costs` and what was measured of this machine. `room` is what the cache may take for a run.

    What is in the cache already is not known here: then a run takes less. Raises `SettingError` where the strategy does not
    fit the network.
    """
    outline = measured.outline
    planned = costs.of(recipe, outline.blocks, images, room)
    head = head_parameters(recipe, outline, classes)
    trainable = max(costs.trainable_parameters(phase, outline.blocks, head) for phase in planned.phases)
    work, total = planned.total, outline.parameters + head
    passing = work.frozen / measured.frozen_rate + work.trained / measured.trained_rate
    return Estimate(
        starting_seconds=measured.starting_seconds,
        running_seconds=measured.loading_seconds + _preparing_seconds(planned, measured) + passing,
        memory_bytes=measured.idle_bytes + _working_bytes(planned, measured) + _head_bytes(recipe, outline, images),
        disk_bytes=_disk_bytes(recipe, planned, total, trainable),
        trainable_parameters=trainable,
        total_parameters=total,
    )


def _preparing_seconds(planned: costs.Costs, measured: Probe) -> float:
    """Until engines and training steps are made: of each phase in proportion to the blocks above its cut. The network's own
    conversion for an engine is kept from the probe on; that of a part of it is not."""
    seconds = 0.0
    for phase in planned.phases:
        below, blocks = planned.cut(phase), len(planned.blocks)
        if below:
            seconds += measured.frozen_first + (0.0 if below == blocks else measured.converting_seconds)
        if not phase.solver:
            seconds += measured.trained_first * (1 - below / blocks if blocks else 0.0)
    return seconds


def head_parameters(recipe: Recipe, outline: Outline, classes: int) -> int:
    """A dense layer's kernel and bias from the features to the classes."""
    return (recipe.strategy.feature_size(outline) + 1) * classes


def _working_bytes(planned: costs.Costs, measured: Probe) -> int:
    """Of the dearest phase: an engine where there is a frozen part, and the activations of a training step above the cut."""
    most = 0.0
    for phase in planned.phases:
        below = planned.cut(phase)
        frozen = measured.frozen_bytes + PART_BYTES if below else 0
        trains = bool(phase.trained_blocks(planned.blocks))
        above = 1 - planned.share_under(below) if trains else 0.0
        most = max(most, frozen + above * measured.trained_bytes * phase.batch_size / BATCH)
    return int(most)


def _head_bytes(recipe: Recipe, outline: Outline, images: costs.Images) -> int:
    """A head is computed from all features at once, in float64, beside the float32 that they are kept in."""
    return 3 * FLOAT_BYTES * recipe.strategy.feature_size(outline) * (images.train + images.validation)


def _disk_bytes(recipe: Recipe, planned: costs.Costs, total: int, trainable: int) -> int:
    """Pixels and activations in the cache, the model, and a checkpoint."""
    images = planned.images.train + planned.images.validation + planned.images.test
    pixels = images * PIXEL_BYTES * recipe.image_size**2
    kept = pixels if pixels <= planned.room else 0
    model, checkpoint = FLOAT_BYTES * total, FLOAT_BYTES * (total + (VALUES_OF_ADAM - 1) * trainable)
    return int(kept + planned.kept_bytes + model + checkpoint)
