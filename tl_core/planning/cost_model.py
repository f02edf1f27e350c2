"""What a run costs, in *passes*: one pass is one image going forward through the whole backbone once.

Backward costs twice forward (a convolution's gradient is two convolutions of its size), and only from the lowest trained
block upward. What lies under a phase's *cut* stays as it is, so that each image passes it once, whatever the number of epochs:
N (1 - s) passes for N images, where s is the share of the backbone above the cut, and then N (s + 2 r) an epoch, where r is the
share from the lowest trained block upward. Measured in CPU time on EfficientNet-Lite0 at 96 px, relative to one pass an image:
full fine-tuning 3.1 an epoch, an epoch of a head on kept features 0.05.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tl_core.backbones import BlockOutline
from tl_core.planning.cuts import CutPlan, SplitSizes, lowest_trained
from tl_core.recipe import Recipe
from tl_core.strategies import BatchNorm, Moves, Phase

HEAD_EPOCH = 0.05
ENGINE = 0.5
"""What a pass through an inference engine takes of one in training's own precision; for a progress bar it need not be exact.
OpenVINO took 0.4 to 0.6 of Keras' time on two cores."""


@dataclass(frozen=True)
class Work:
    """Passes through what is frozen, which an engine computes, and passes of training and of what follows it."""

    frozen: float = 0.0
    trained: float = 0.0

    def __add__(self, other: "Work") -> "Work":
        return Work(self.frozen + other.frozen, self.trained + other.trained)

    @property
    def passes(self) -> float:
        """Return both together, weighed by the time that they take."""
        return ENGINE * self.frozen + self.trained


@dataclass(frozen=True)
class Costs:
    """What the phases of a run cost, with these `cuts`."""

    cuts: CutPlan

    def frozen(self, index: int) -> Work:
        """Return the work under the cut before phase number `index` trains; nothing where an earlier phase did it."""
        if not self.cuts.is_new(index):
            return Work()
        phase = self.cuts.phases[index]
        return Work(frozen=self.cuts.share_under(self.cuts.cut(phase)) * self.cuts.pictures(phase))

    def epoch(self, phase: Phase) -> Work:
        """Return the work of one epoch of `phase` above its cut, validation included."""
        images, below = self.cuts.images, self.cuts.cut(phase)
        if below == len(self.cuts.blocks):
            return Work(trained=HEAD_EPOCH * (images.train + images.validation))
        above = 1 - self.cuts.share_under(below)
        return Work(trained=images.train * self.step_passes(phase) + images.validation * above)

    def step_passes(self, phase: Phase) -> float:
        """Return the passes of one image in a step of `phase`: forward above its cut, backward to the lowest trained block."""
        return 1 - self.cuts.share_under(self.cuts.cut(phase)) + 2 * trained_share(phase, self.cuts.blocks)

    @property
    def test(self) -> Work:
        """Return the work of the test images, under the cut and above it."""
        under, images = self.cuts.share_under(self.cuts.test_cut), self.cuts.images.test
        return Work(frozen=under * images, trained=(1 - under) * images)

    @property
    def total(self) -> Work:
        """Return the work of the whole run: what is frozen, every epoch of every phase, and the test."""
        work = self.test
        for index, phase in enumerate(self.cuts.phases):
            work += self.frozen(index) + Work(trained=phase.epochs * self.epoch(phase).trained)
        return work

    @property
    def kept_bytes(self) -> int:
        """Return what all that is computed of the images takes on disk at most, pixels apart."""
        cuts = self.cuts
        new = [phase for index, phase in enumerate(cuts.phases) if cuts.is_new(index)]
        rows = sum(cuts.pictures(phase) * cuts.row_bytes(cuts.cut(phase)) for phase in new)
        return rows + cuts.images.test * cuts.row_bytes(cuts.test_cut)


def of(recipe: Recipe, blocks: Sequence[BlockOutline], images: SplitSizes, room: float) -> Costs:
    """Return what a recipe costs. Raises `SettingError` where its strategy does not fit the network."""
    return Costs(CutPlan.of(recipe, blocks, images, room))


def head_work(phase: Phase, train: int, features: int, classes: int) -> float:
    """Return about how many multiply-adds computing the head of `phase` takes, from `train` images of so many features: 0 where
    it is not computed. It says nothing of passes."""
    return phase.solver.multiply_adds(train, features, classes) if phase.solver else 0.0


def trained_share(phase: Phase, blocks: Sequence[BlockOutline]) -> float:
    """Return the share of the backbone's multiply-adds, 0..1, from the lowest trained block up: where the backward pass goes."""
    total = sum(block.multiply_adds for block in blocks)
    return sum(block.multiply_adds for block in blocks[lowest_trained(phase, blocks) :]) / total if total else 0.0


def trainable_parameters(phase: Phase, blocks: Sequence[BlockOutline], head: int) -> int:
    """Return how many parameters `phase` trains, `head` (the head's own) included."""
    trained = set(phase.trained_blocks(blocks))
    return head + sum(_trainable(block, phase) for block in blocks if block.name in trained)


def _trainable(block: BlockOutline, phase: Phase) -> int:
    """Return how many parameters `phase` trains of a block that it trains."""
    norms = block.other_norms + (0 if phase.batch_norm == BatchNorm.FROZEN else block.norm_parameters - block.statistics)
    return {
        Moves.EVERYTHING: block.parameters - block.norm_parameters - block.other_norms - block.constants + norms,
        Moves.NORMS: norms,
        Moves.BIASES: norms + block.biases,
        Moves.ADAPTERS: phase.rank * block.adapter_units,
    }[phase.moves]
