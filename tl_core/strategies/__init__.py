"""Strategies: what of a network trains, in phases. A strategy is one module of this package.

A strategy says *what* and never calls `fit`: stopping, progress, seeding and proofs exist once, in `training`.
"""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from tl_core.networks.classifier import HEAD, Classifier
from tl_core.phases.phase import BatchNorm, Learning, Moves, Phase, everything, last_blocks, nothing
from tl_core.phases.schedules import Schedule
from tl_core.registry import Part, Registry

if TYPE_CHECKING:
    from tl_core.backbones import Backbone, BlockOutline, Outline
    from tl_core.networks.outline import Network

__all__ = [
    "HEAD",
    "BatchNorm",
    "Classifier",
    "Family",
    "Learning",
    "Moves",
    "Phase",
    "Schedule",
    "Strategy",
    "build",
    "everything",
    "last_blocks",
    "nothing",
    "register",
    "strategies",
]


class Family(StrEnum):
    """What strategies have in common, for the one who chooses; in the order from the cheapest to the dearest."""

    FROZEN = "Frozen backbone"
    LIGHT = "Few parameters"
    TUNED = "Fine-tuned"
    GUARDED = "With a penalty"
    CONTROL = "Control"


class Strategy(Part):
    """A way of adapting a network to new classes."""

    family: ClassVar[Family] = Family.TUNED

    pretrained: ClassVar[bool] = True
    """Whether it starts from pretrained weights."""
    when_to_use: ClassVar[str]
    """Two sentences at most, for the one who chooses."""
    rate_setting: ClassVar[str | None] = None
    """The setting that is its learning rate, where it has one: what the learning-rate finder looks for a value of."""
    epochs_setting: ClassVar[str | None] = None
    """The setting that is how long it trains, where it has one."""
    batch_setting: ClassVar[str | None] = None
    """The setting that is how many images a step has, where it has one: fewer take less memory."""

    looks_inside: ClassVar[bool] = False
    """Whether its head stands on more of the network than its features."""
    balance_setting: ClassVar[str | None] = None
    """The setting that says what makes up for uneven classes, where it has one: a `Balance`."""

    @property
    def teacher_run(self) -> str | None:
        """Return the id of the finished run that teaches the network, where one does."""
        return None

    def require_ready(self) -> None:
        """Raise the `TransferError` of what its settings lack, or name and is not there, beside the network."""

    @property
    def changes_images(self) -> bool:
        """Return whether its settings have training images changed, which nothing else than images can be."""
        return False

    @property
    def normalises(self) -> bool:
        """Return whether the linear probes of the study `what_if` centre the features and bring them to length 1. `join` says
        what its own head does."""
        return True

    def join(self, network: "Network", class_names: Sequence[str]) -> Classifier:
        """Return the network with a new head on it, which takes the features as they are."""
        return Classifier.on(network.model.input, network.model.output, len(class_names))

    def feature_size(self, outline: "Outline") -> int:
        """Return how many numbers the head stands on, on a network of that outline."""
        return outline.feature_size

    @abstractmethod
    def phases(self, backbone: "Backbone", blocks: "Sequence[BlockOutline]", train_images: int) -> Iterator[Phase]:
        """Yield the phases in order, in plain values only, so that the pages can draw them before anything runs."""


strategies: Registry[Strategy] = Registry("strategy", "tl_core.strategies")
register = strategies.register
build = strategies.build
