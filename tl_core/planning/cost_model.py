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
from tl_core.recipe import Recipe
from tl_core.strategies import BatchNorm, Moves, Phase

HEAD_EPOCH = 0.05
ENGINE = 0.5
"""What a pass through an inference engine takes of one in training's own precision; for a progress bar it need not be exact.
OpenVINO took 0.4 to 0.6 of Keras' time on two cores."""
MIN_CUT_SHARE = 0.1
"""A cut under which less than this share of the backbone lies saves less than reading what was kept costs."""
FLOAT_BYTES = 4


@dataclass(frozen=True)
class SplitSizes:
    """How many images each split has."""

    train: int
    validation: int
    test: int


@dataclass(frozen=True)
class Work:
    """Passes through what is frozen, which an engine computes, and passes of training and of what follows it."""

    frozen: float = 0.0
    trained: float = 0.0

    def __add__(self, other: "Work") -> "Work":
        return Work(self.frozen + other.frozen, self.trained + other.trained)

    @property
    def passes(self) -> float:
        """Both together, weighed by the time that they take."""
        return ENGINE * self.frozen + self.trained


@dataclass(frozen=True)
class Costs:
    """What the phases of a run cost on a network with these blocks.

    `room` is how many bytes the activations of all images at one cut may take.
    """

    phases: tuple[Phase, ...]
    blocks: Sequence[BlockOutline]
    images: SplitSizes
    room: float

    def cut(self, phase: Phase) -> int:
        """How many blocks lie under the cut of `phase`: 0 where it works on pixels, all of them where it works on features.

        It is the highest place under all trained blocks whose activations fit into `room`.
        """
        lowest = lowest_trained(phase, self.blocks)
        return 0 if phase.learning.changes_anew else self._highest(lowest, self._seen(phase))

    @property
    def test_cut(self) -> int:
        """How many blocks lie under the cut through which the test images go: none of them has ever trained."""
        lowest = min((lowest_trained(phase, self.blocks) for phase in self.phases), default=len(self.blocks))
        return self._highest(lowest, self.images.test)

    def _highest(self, lowest: int, images: int) -> int:
        if lowest == len(self.blocks):  # a vector of features, small beside any image
            return lowest
        fits = (below for below in range(lowest, 0, -1) if images * self.row_bytes(below) <= self.room)
        found = next(fits, 0)
        return found if self.share_under(found) >= MIN_CUT_SHARE else 0

    def row_bytes(self, below: int) -> int:
        """Bytes of what leaves the `below` lowest blocks, for one image."""
        return FLOAT_BYTES * self.blocks[below - 1].numbers if below else 0

    def share_under(self, below: int) -> float:
        """Share of the backbone's multiply-adds in the `below` lowest blocks, 0..1."""
        total = sum(block.multiply_adds for block in self.blocks)
        return sum(block.multiply_adds for block in self.blocks[:below]) / total if total else float(below == len(self.blocks))

    def frozen(self, index: int) -> Work:
        """What goes through the part under the cut before phase number `index` trains; nothing where an earlier one did it."""
        phase = self.phases[index]
        if self._key(index) in map(self._key, range(index)):
            return Work()
        return Work(frozen=self.share_under(self.cut(phase)) * self._seen(phase))

    def _key(self, index: int) -> tuple[object, ...]:
        """Equal for phases that work on the same activations."""
        phase, below = self.phases[index], self.cut(self.phases[index])
        return below, phase.learning.fixed_views, phase.learning.augmentation, self.moved(below, index)

    def moved(self, below: int, index: int) -> int:
        """How many of the first `index` phases trained something in the `below` lowest blocks."""
        return sum(lowest_trained(each, self.blocks) < below for each in self.phases[:index])

    def _seen(self, phase: Phase) -> int:
        """How many pictures of training and validation images it works on."""
        return self.images.train * phase.learning.fixed_views + self.images.validation

    def epoch(self, phase: Phase) -> Work:
        """One epoch of `phase` above its cut, validation included."""
        below = self.cut(phase)
        if below == len(self.blocks):
            return Work(trained=HEAD_EPOCH * (self.images.train + self.images.validation))
        above = 1 - self.share_under(below)
        return Work(trained=self.images.train * self.step_passes(phase) + self.images.validation * above)

    def step_passes(self, phase: Phase) -> float:
        """Passes of one image in a step of `phase`: forward above its cut, and backward down to the lowest trained block."""
        return 1 - self.share_under(self.cut(phase)) + 2 * trained_share(phase, self.blocks)

    @property
    def test(self) -> Work:
        """The test images, under the cut and above it."""
        under = self.share_under(self.test_cut)
        return Work(frozen=under * self.images.test, trained=(1 - under) * self.images.test)

    @property
    def total(self) -> Work:
        """The whole run: what is frozen, every epoch of every phase, and the test."""
        work = self.test
        for index, phase in enumerate(self.phases):
            work += self.frozen(index) + Work(trained=phase.epochs * self.epoch(phase).trained)
        return work

    @property
    def kept_bytes(self) -> int:
        """What all that is computed of the images takes on disk at most, pixels apart."""
        each_once = {self._key(index): phase for index, phase in enumerate(self.phases)}.values()
        rows = sum(self._seen(phase) * self.row_bytes(self.cut(phase)) for phase in each_once)
        return rows + self.images.test * self.row_bytes(self.test_cut)


def of(recipe: Recipe, blocks: Sequence[BlockOutline], images: SplitSizes, room: float) -> Costs:
    """What a recipe costs. Raises `SettingError` where its strategy does not fit the network."""
    return Costs(tuple(recipe.strategy.phases(recipe.backbone, blocks, images.train)), blocks, images, room)


def head_work(phase: Phase, train: int, features: int, classes: int) -> float:
    """Return about how many multiply-adds computing the head of `phase` takes, from `train` images of so many features: 0 where
    it is not computed. It says nothing of passes."""
    return phase.solver.multiply_adds(train, features, classes) if phase.solver else 0.0


def lowest_trained(phase: Phase, blocks: Sequence[BlockOutline]) -> int:
    """The index of the lowest block that `phase` trains; their number where it trains the head alone."""
    trained = set(phase.trained_blocks(blocks))
    return next((index for index, block in enumerate(blocks) if block.name in trained), len(blocks))


def trained_share(phase: Phase, blocks: Sequence[BlockOutline]) -> float:
    """Share of the backbone's multiply-adds from the lowest trained block upward, 0..1: what the backward pass goes through."""
    total = sum(block.multiply_adds for block in blocks)
    return sum(block.multiply_adds for block in blocks[lowest_trained(phase, blocks) :]) / total if total else 0.0


def trainable_parameters(phase: Phase, blocks: Sequence[BlockOutline], head: int) -> int:
    """Parameters that `phase` trains, `head` (the head's own) included."""
    trained = set(phase.trained_blocks(blocks))
    return head + sum(_trainable(block, phase) for block in blocks if block.name in trained)


def _trainable(block: BlockOutline, phase: Phase) -> int:
    """What `phase` trains of a block that it trains."""
    norms = block.other_norms + (0 if phase.batch_norm == BatchNorm.FROZEN else block.norm_parameters - block.statistics)
    return {
        Moves.EVERYTHING: block.parameters - block.norm_parameters - block.other_norms - block.constants + norms,
        Moves.NORMS: norms,
        Moves.BIASES: norms + block.biases,
        Moves.ADAPTERS: phase.rank * block.adapter_units,
    }[phase.moves]
