"""What a run costs, in *passes*: one pass is one image going forward through the whole backbone once.

Backward costs twice forward (a convolution's gradient is two convolutions of its size), and only from the
lowest trained block upward. Where the backbone is frozen each image passes it once, and the head's epochs
cost next to nothing. Measured in CPU time on EfficientNet-Lite0 at 96 px, relative to one pass an image: full
fine-tuning 3.1 an epoch, an epoch of a head on kept features 0.05.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from tl_core.backbones import BlockOutline
from tl_core.strategies import BatchNorm, Moves, Phase

HEAD_EPOCH = 0.05


@dataclass(frozen=True)
class Images:
    """How many images each split has."""

    train: int
    validation: int
    test: int


def trained_share(phase: Phase, blocks: Sequence[BlockOutline]) -> float:
    """Share of the backbone's multiply-adds from the lowest trained block upward, 0..1: what the backward pass goes through."""
    trained = set(phase.trained_blocks(blocks))
    first = next((index for index, block in enumerate(blocks) if block.name in trained), len(blocks))
    total = sum(block.multiply_adds for block in blocks)
    return sum(block.multiply_adds for block in blocks[first:]) / total if total else 0.0


def epoch_passes(phase: Phase, blocks: Sequence[BlockOutline], images: Images) -> float:
    """Passes of one epoch of `phase`, validation included."""
    if not phase.trained_blocks(blocks):
        return HEAD_EPOCH * (images.train + images.validation)
    return images.train * (1 + 2 * trained_share(phase, blocks)) + images.validation


def feature_passes(phases: Sequence[Phase], blocks: Sequence[BlockOutline], images: Images) -> float:
    """Passes spent on computing features for the phases that train the head alone; once while the backbone stays as it is."""
    trains = [bool(phase.trained_blocks(blocks)) for phase in phases]
    times = sum(not now and before for before, now in pairwise([True, *trains]))
    return float(times * (images.train + images.validation))


def total_passes(phases: Sequence[Phase], blocks: Sequence[BlockOutline], images: Images) -> float:
    """Passes of a whole run: features, every epoch of every phase, and the test."""
    training = sum(phase.epochs * epoch_passes(phase, blocks, images) for phase in phases)
    return feature_passes(phases, blocks, images) + training + images.test


def trainable_parameters(phase: Phase, blocks: Sequence[BlockOutline], head: int) -> int:
    """Parameters that `phase` trains, `head` (the head's own) included."""
    trained = set(phase.trained_blocks(blocks))
    return head + sum(_trainable(block, phase) for block in blocks if block.name in trained)


def _trainable(block: BlockOutline, phase: Phase) -> int:
    """What `phase` trains of a block that it trains."""
    norms = block.other_norms + (0 if phase.batch_norm == BatchNorm.FROZEN else block.norm_parameters - block.statistics)
    return {
        Moves.EVERYTHING: block.parameters - block.norm_parameters - block.other_norms + norms,
        Moves.NORMS: norms,
        Moves.BIASES: norms + block.biases,
        Moves.ADAPTERS: phase.rank * block.adapter_units,
    }[phase.moves]
