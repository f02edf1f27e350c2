"""Where each phase cuts the network in two: what lies below stays as it is, so that every image passes it once.

What the lower part makes of the images is kept, and only what lies above is trained.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tl_core.backbones import BlockOutline
from tl_core.datasets import Data
from tl_core.recipe import Recipe
from tl_core.strategies import Phase

MIN_CUT_SHARE = 0.1
"""A cut under which less than this share of the backbone lies saves less than reading what was kept costs."""
FLOAT_BYTES = 4


@dataclass(frozen=True)
class SplitSizes:
    """How many images each split has."""

    train: int
    validation: int
    test: int

    @classmethod
    def of(cls, data: Data) -> "SplitSizes":
        """Return the sizes of the splits of `data`."""
        return cls(len(data.train), len(data.validation), len(data.test))


@dataclass(frozen=True)
class CutPlan:
    """The cuts of the phases of a run on a network with these blocks.

    `room` is how many bytes the activations of all images at one cut may take.
    """

    phases: tuple[Phase, ...]
    blocks: Sequence[BlockOutline]
    images: SplitSizes
    room: float

    @classmethod
    def of(cls, recipe: Recipe, blocks: Sequence[BlockOutline], images: SplitSizes, room: float) -> "CutPlan":
        """Return the plan of a recipe. Raises `SettingError` where its strategy does not fit the network."""
        return cls(recipe.phases(blocks, images.train), blocks, images, room)

    def cut(self, phase: Phase) -> int:
        """Return how many blocks lie under the cut of `phase`: 0 where it works on pixels, all where it works on features.

        It is the highest place under all trained blocks whose activations fit into `room`.
        """
        lowest = lowest_trained(phase, self.blocks)
        return 0 if phase.learning.changes_anew else self._highest(lowest, self.pictures(phase))

    @property
    def test_cut(self) -> int:
        """Return how many blocks lie under the cut through which the test images go: none of them has ever trained."""
        lowest = min((lowest_trained(phase, self.blocks) for phase in self.phases), default=len(self.blocks))
        return self._highest(lowest, self.images.test)

    def _highest(self, lowest: int, images: int) -> int:
        if lowest == len(self.blocks):  # a vector of features, small beside any image
            return lowest
        fits = (below for below in range(lowest, 0, -1) if images * self.row_bytes(below) <= self.room)
        found = next(fits, 0)
        return found if self.share_under(found) >= MIN_CUT_SHARE else 0

    def row_bytes(self, below: int) -> int:
        """Return the bytes of what leaves the `below` lowest blocks, for one image."""
        return FLOAT_BYTES * self.blocks[below - 1].numbers if below else 0

    def share_under(self, below: int) -> float:
        """Return the share of the backbone's multiply-adds in the `below` lowest blocks, 0..1."""
        total = sum(block.multiply_adds for block in self.blocks)
        return sum(block.multiply_adds for block in self.blocks[:below]) / total if total else float(below == len(self.blocks))

    def moved(self, below: int, index: int) -> int:
        """Return how many of the first `index` phases trained something in the `below` lowest blocks."""
        return sum(lowest_trained(each, self.blocks) < below for each in self.phases[:index])

    def pictures(self, phase: Phase) -> int:
        """Return how many pictures of training and validation images `phase` works on."""
        return self.images.train * phase.learning.fixed_views + self.images.validation

    def is_new(self, index: int) -> bool:
        """Return whether phase number `index` works on other activations than every phase before it."""
        return self.key(index) not in map(self.key, range(index))

    def key(self, index: int) -> tuple[object, ...]:
        """Return a key that is equal for phases that work on the same activations."""
        phase, below = self.phases[index], self.cut(self.phases[index])
        return below, phase.learning.fixed_views, phase.learning.augmentation, self.moved(below, index)


def lowest_trained(phase: Phase, blocks: Sequence[BlockOutline]) -> int:
    """Return the index of the lowest block that `phase` trains; their number where it trains the head alone."""
    trained = set(phase.trained_blocks(blocks))
    return next((index for index, block in enumerate(blocks) if block.name in trained), len(blocks))
