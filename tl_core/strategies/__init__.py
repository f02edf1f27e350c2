"""Strategies: what of a network trains, in phases. A strategy is one module of this package.

A strategy says *what* and never calls `fit`: stopping, progress, seeding and proofs exist once, in `training`.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from tl_core.registry import Part, Registry

if TYPE_CHECKING:
    from tl_core.backbones import Backbone, BlockOutline, Network

__all__ = ["Phase", "Strategy", "build", "everything", "last_blocks", "nothing", "register", "strategies"]

Selector = Callable[[Sequence[str]], tuple[str, ...]]
HEAD = "head"


def nothing(blocks: Sequence[str]) -> tuple[str, ...]:
    """No block of the backbone trains: the head alone."""
    return ()


def everything(blocks: Sequence[str]) -> tuple[str, ...]:
    """Every block trains."""
    return tuple(blocks)


def last_blocks(count: int) -> Selector:
    """The `count` blocks nearest the head train (all of them where there are fewer)."""

    def choose(blocks: Sequence[str]) -> tuple[str, ...]:
        return tuple(blocks[max(0, len(blocks) - count) :])

    return choose


@dataclass(frozen=True)
class Phase:
    """A stretch of training in which the same variables train with the same settings. The head always trains.

    `learning_rate` is Adam's. `batch_norm` says what BatchNorm layers in trained blocks do: "frozen" (neither
    statistics nor scale and shift move) or "adapts" (all of them do).
    """

    name: str
    epochs: int
    learning_rate: float
    batch_size: int
    trains: Selector
    batch_norm: Literal["frozen", "adapts"] = "frozen"

    def trained_blocks(self, blocks: "Sequence[BlockOutline]") -> tuple[str, ...]:
        """Names of the blocks that train in this phase."""
        return self.trains([block.name for block in blocks])


class Strategy(Part):
    """A way of adapting a network to new classes."""

    pretrained: ClassVar[bool] = True
    """Whether it starts from pretrained weights."""
    when_to_use: ClassVar[str]
    """Two sentences at most, for the one who chooses."""

    def join(self, network: "Network", class_names: Sequence[str]) -> Any:
        """The network with a new head on it: one flat Keras model from pixels to class probabilities (float32)."""
        import keras

        head = keras.layers.Dense(len(class_names), activation="softmax", dtype="float32", name=HEAD)
        return keras.Model(network.model.input, head(network.model.output), name="classifier")

    @abstractmethod
    def phases(self, backbone: "Backbone", blocks: "Sequence[BlockOutline]") -> Iterator[Phase]:
        """The phases in order. Plain values only, so that the pages can draw them before anything runs."""


strategies: Registry[Strategy] = Registry("strategy", "tl_core.strategies")
register = strategies.register
build = strategies.build
