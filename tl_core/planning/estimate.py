"""What a run will take on this machine, before anything of it runs."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import psutil

from tl_core.backbones import Outline
from tl_core.planning import cost_model
from tl_core.planning.backbone_profile import BATCH, BackboneProfile
from tl_core.planning.cuts import FLOAT_BYTES, SplitSizes
from tl_core.recipe import Recipe
from tl_core.strategies import Phase

MOMENTS_OF_ADAM = 2
"""Numbers that Adam keeps of each one that trains, in memory and in a checkpoint."""
AROUND_SECONDS = 1.2
"""Reading a small dataset, decoding and keeping its pictures, telling a network from others by its weights, computing a small
head:
0.9 to 1.4 s on two cores, whatever the network."""
FORWARD = 0.12
"""What compiling a pass forward takes of compiling a step of training: on EfficientNet-Lite0 0.65 of 5.5 s."""
AROUND_BYTES = 50_000_000
"""A small dataset, and the code of SciPy and scikit-learn."""
COPIES = 3
"""How often the weights are there beside the network itself: as they were at the start and before the phase, and as a
checkpoint takes them."""
PART_BYTES = 2 * 64 * 1024**2
"""Most of the memory in which rows for the cache are put together, and halved."""


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


def estimate(recipe: Recipe, measured: BackboneProfile, images: SplitSizes, classes: int, room: float) -> Estimate:
    """Return what a run takes, by the cost model and what was measured of this machine.

    What is in the cache already is not known here: then a run takes less. Raises `SettingError` where the strategy does not fit
    the network.

    Args:
        recipe: The run.
        measured: Its backbone, as it was measured here.
        images: How many each split has.
        classes: How many there are.
        room: Bytes that the cache may take for a run.
    """
    outline = measured.outline
    planned = cost_model.of(recipe, outline.blocks, images, room)
    kept = any(
        phase.learning.keeps_best for phase in planned.cuts.phases
    )  # the weights of the best epoch, beside the present ones
    head = head_parameters(recipe, outline, classes)
    trainable = max(cost_model.trainable_parameters(phase, outline.blocks, head) for phase in planned.cuts.phases)
    work, total = planned.total, outline.parameters + head
    heads = sum(
        cost_model.head_work(phase, images.train, recipe.strategy.feature_size(outline), classes) for phase in planned.cuts.phases
    )
    computing = work.frozen / measured.frozen_rate + work.trained / measured.trained_rate + heads / measured.head_rate
    beside = FLOAT_BYTES * (kept * total + MOMENTS_OF_ADAM * trainable)
    return Estimate(
        starting_seconds=measured.starting_seconds,
        running_seconds=measured.loading_seconds + AROUND_SECONDS + _preparing_seconds(recipe, planned, measured) + computing,
        memory_bytes=_memory_bytes(recipe, planned, measured, COPIES * FLOAT_BYTES * total + beside),
        disk_bytes=_disk_bytes(recipe, planned, outline, FLOAT_BYTES * total, beside),
        trainable_parameters=trainable,
        total_parameters=total,
    )


def free(home: Path) -> tuple[int, int]:
    """Return the bytes of memory that are available now, and of the disk that the runs below `home` are kept on."""
    return psutil.virtual_memory().available, shutil.disk_usage(home).free


def head_parameters(recipe: Recipe, outline: Outline, classes: int) -> int:
    """Return the size of a dense layer's kernel and bias from the features to the classes."""
    return (recipe.strategy.feature_size(outline) + 1) * classes


def _preparing_seconds(recipe: Recipe, planned: cost_model.Costs, measured: BackboneProfile) -> float:
    """Return the seconds until engines are made and all passes are compiled, the latter in proportion to their layers."""
    engines = measured.frozen_first * len(_frozen_parts(planned))
    engines += measured.converting_seconds * _converted_anew(recipe, planned, measured.outline)
    compiled = FORWARD * _layers_above(planned, planned.cuts.test_cut)
    for phase in planned.cuts.phases:
        if not phase.solver:
            steps = 2 if phase.measured_rates else 1  # one that measures, one that moves
            compiled += (steps + FORWARD) * _layers_above(planned, planned.cuts.cut(phase))
    return engines + measured.trained_first * compiled


def _frozen_parts(planned: cost_model.Costs) -> set[tuple[int, int]]:
    """Return what engines are made of, each once: how many blocks, and how many phases had changed something in them before."""
    cuts = [(planned.cuts.cut(phase), index) for index, phase in enumerate(planned.cuts.phases)]
    ends = [*cuts, (planned.cuts.test_cut, len(planned.cuts.phases))]
    return {(below, planned.cuts.moved(below, index)) for below, index in ends if below}


def _converted_anew(recipe: Recipe, planned: cost_model.Costs, outline: Outline) -> int:
    """Return how many of them are first converted for an engine. That of the whole network as it came is kept from the probe on;
    features of another length are those of another network."""
    own_features = recipe.strategy.feature_size(outline) == outline.feature_size
    return len(_frozen_parts(planned) - ({(len(planned.cuts.blocks), 0)} if own_features else set()))


def _layers_above(planned: cost_model.Costs, below: int) -> float:
    """Return the share of the network's layers above a cut, 0..1."""
    total = sum(block.layers for block in planned.cuts.blocks)
    return sum(block.layers for block in planned.cuts.blocks[below:]) / total if total else 0.0


def _memory_bytes(recipe: Recipe, planned: cost_model.Costs, measured: BackboneProfile, weights: int) -> int:
    """Return the bytes of the network, an engine that stays once it was needed, copies of the weights, and the dearest phase."""
    parts = _frozen_parts(planned)
    engine = measured.frozen_bytes if parts else 0
    rows = min(PART_BYTES, 2 * _kept_bytes(recipe, planned))
    trained = max(_activations(planned, phase) for phase in planned.cuts.phases) * measured.trained_bytes
    around = AROUND_BYTES + _head_bytes(recipe, measured.outline, planned.cuts.images)
    return int(measured.idle_bytes + engine + weights + rows + trained + around)


def _activations(planned: cost_model.Costs, phase: Phase) -> float:
    """Return what a step of `phase` holds, relative to training all with `BATCH` images: a third where it only goes forward."""
    if phase.solver:
        return 0.0
    batch = min(phase.batch_size, max(planned.cuts.images.train, planned.cuts.images.validation))
    return planned.step_passes(phase) / 3 * batch / BATCH


def _head_bytes(recipe: Recipe, outline: Outline, images: SplitSizes) -> int:
    """Return the bytes that computing a head takes: all features at once in float64, beside the float32 they are kept in."""
    return 3 * FLOAT_BYTES * recipe.strategy.feature_size(outline) * (images.train + images.validation)


def _kept_bytes(recipe: Recipe, planned: cost_model.Costs) -> float:
    """Return the bytes of pixels and activations that the cache keeps."""
    images = planned.cuts.images.train + planned.cuts.images.validation + planned.cuts.images.test
    pixels = images * recipe.preprocessor().row_bytes
    return (pixels if pixels <= planned.cuts.room else 0) + planned.kept_bytes


def _disk_bytes(recipe: Recipe, planned: cost_model.Costs, outline: Outline, model: int, beside: int) -> int:
    """Return the bytes of the cache, networks converted for an engine, the model, and two checkpoints, since one is whole before
    the former goes.

    Args:
        recipe: The run.
        planned: Its costs.
        outline: Its network's.
        model: Bytes of the model.
        beside: Bytes of what a checkpoint holds besides the model.
    """
    converted = FLOAT_BYTES * outline.parameters * _converted_anew(recipe, planned, outline)
    return int(_kept_bytes(recipe, planned) + converted + model + 2 * (model + beside))
