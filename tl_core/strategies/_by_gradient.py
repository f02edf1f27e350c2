"""What strategies that train by gradient have in common: their way of learning, and where their head starts."""

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, PlainSerializer
from pydantic.fields import FieldInfo

from tl_core.heads import LogisticRegression, Solver
from tl_core.phases.phase import Augmentation, Balance, BatchNorm, Selector
from tl_core.phases.schedules import CONSTANT, cosine, one_cycle
from tl_core.strategies import Classifier, Learning, Phase, Strategy, nothing

SCHEDULES = {"constant": CONSTANT, "cosine": cosine(), "one_cycle": one_cycle()}
MORE: dict[str, Any] = {"more": True}
StoredBalance = Annotated[Balance, BeforeValidator(Balance.read), PlainSerializer(Balance.stored)]
"""A balance, which was a switch for class weights before, and is stored as that where the switch could say it."""


def with_default(field: FieldInfo, default: Any) -> Any:
    """Return `field` with another default, for a strategy that the usual one does not suit."""
    other = copy(field)
    other.default = default
    return other


class ByGradient(Strategy):
    """A strategy that trains by gradient."""

    batch_setting: ClassVar[str | None] = "batch_size"
    balance_setting: ClassVar[str | None] = "balanced"
    batch_size: int = Field(32, ge=1, le=4096, title="Batch size", description="Images per step.", json_schema_extra=MORE)
    schedule: Literal["constant", "cosine", "one_cycle"] = Field(
        "constant",
        title="Schedule",
        description="How the learning rate moves: not at all; up in a tenth of the steps and down along a cosine; or one cycle.",
        json_schema_extra=MORE,
    )
    weight_decay: float = Field(
        0.0,
        ge=0,
        le=1,
        title="Weight decay",
        description="How strongly kernels are drawn to 0 (AdamW); norms and biases are spared.",
        json_schema_extra=MORE,
    )
    clip_norm: float | None = Field(
        None,
        gt=0,
        le=1000,
        title="Longest gradient",
        description="Longer gradients are shortened to this norm; empty lets them be.",
        json_schema_extra=MORE | {"empty": "any"},
    )
    patience: int | None = Field(
        None,
        ge=1,
        le=1000,
        title="Patience",
        description="Stop after so many epochs without a lower validation loss, and go back to the best one; empty never stops.",
        json_schema_extra=MORE | {"empty": "never stop"},
    )
    balanced: StoredBalance = Field(
        Balance.NONE,
        title="Uneven classes",
        description="What makes up for them: class weights weigh images by the inverse of their class's share; balanced sampling "
        "draws each class as often; logit adjustment adds the log share of each class to its logit in training, and not in use.",
        json_schema_extra=MORE,
    )
    label_smoothing: float = Field(
        0.0,
        ge=0,
        lt=1,
        title="Label smoothing",
        description="The share of each label that is spread over all classes.",
        json_schema_extra=MORE,
    )

    augmentation: Augmentation = Field(
        Augmentation.NONE,
        title="Augmentation",
        description="How training images are changed in each epoch, so that the network does not learn them by heart.",
        json_schema_extra=MORE,
    )
    views: int | None = Field(
        None,
        ge=1,
        le=100,
        title="Fixed views",
        description="Change each image in so many ways, which take turns and pass the frozen part once; empty changes it anew in "
        "each epoch. With mixup or CutMix it says nothing.",
        json_schema_extra=MORE | {"empty": "new in each epoch"},
    )
    mixup: float = Field(
        0.0,
        ge=0,
        le=10,
        title="Mixup",
        description="Mix each image with another one: the parameter of the share's beta distribution (0.2 is usual); 0: no.",
        json_schema_extra=MORE,
    )
    cutmix: float = Field(
        0.0,
        ge=0,
        le=1,
        title="CutMix",
        description="Paste a piece of another image into each: the parameter of its size's beta distribution; 0: no.",
        json_schema_extra=MORE,
    )

    @property
    def changes_images(self) -> bool:
        return bool(self.mixup or self.cutmix) or self.augmentation is not Augmentation.NONE

    def learning(self) -> Learning:
        """Return the way of learning that these settings say."""
        return Learning(
            schedule=SCHEDULES[self.schedule],
            weight_decay=self.weight_decay,
            clip_norm=self.clip_norm,
            patience=self.patience,
            balanced=self.balanced is Balance.WEIGHTS,
            sampled=self.balanced is Balance.SAMPLING,
            adjusted=self.balanced is Balance.LOGITS,
            label_smoothing=self.label_smoothing,
            mixup=self.mixup,
            cutmix=self.cutmix,
            augmentation=self.augmentation,
            views=self.views,
        )

    def phase(self, name: str, epochs: int, learning_rate: float, trains: Selector, **more: Any) -> Phase:
        """Return a phase with this way of learning.

        Args:
            name: What the phase is called.
            epochs: At most so many.
            learning_rate: That of the head, before its schedule.
            trains: Chooses the blocks that train.
            **more: Further fields of `Phase`.
        """
        return Phase(name, epochs, learning_rate, self.batch_size, trains, learning=self.learning(), **more)


class Tuned(ByGradient):
    """A strategy that trains blocks, and so must say what their BatchNorm does."""

    batch_norm: BatchNorm = Field(
        BatchNorm.FROZEN,
        title="BatchNorm",
        description="What BatchNorm does in blocks that train: frozen, it stays as it was; statistics frozen, scale and shift "
        "train; adapts, its mean and variance follow the new batches, too, which should then be large.",
        json_schema_extra=MORE,
    )

    def phase(self, name: str, epochs: int, learning_rate: float, trains: Selector, **more: Any) -> Phase:
        """Return a phase with this way of learning, and BatchNorm as it is chosen.

        Args:
            name, epochs, learning_rate, trains, **more: As in `ByGradient.phase`.
        """
        return super().phase(name, epochs, learning_rate, trains, batch_norm=self.batch_norm, **more)


class FromNewHead(Tuned):
    """A strategy that begins with a head of random weights, which therefore learns faster than what lies under it."""

    rate_setting: ClassVar[str | None] = "learning_rate"
    epochs_setting: ClassVar[str | None] = "epochs"
    epochs: int = Field(10, ge=1, le=1000, title="Epochs", description="Passes over the data.")
    learning_rate: float = Field(1e-4, gt=0, le=1, title="Learning rate", description="Step size of Adam for the blocks.")
    head_factor: float = Field(
        10.0,
        ge=0.1,
        le=1000,
        title="Head's factor",
        description="How many times faster than the blocks the head learns, which begins from nothing.",
        json_schema_extra=MORE,
    )

    def together(self, name: str, trains: Selector) -> Phase:
        """Return a phase in which the chosen blocks and the head train."""
        rate = self.head_factor * self.learning_rate
        return self.phase(name, self.epochs, rate, trains, rates=lambda blocks: dict.fromkeys(blocks, 1 / self.head_factor))


def solved(solver: Solver, name: str = "head", *, balanced: Balance = Balance.NONE) -> Phase:
    """Return a phase in which the head is computed from the frozen network's features, its classes `balanced` or not. To draw
    each class as often is to weight it there; to adjust logits moves the biases that were found."""
    weighted = balanced in (Balance.WEIGHTS, Balance.SAMPLING)
    learning = Learning(balanced=weighted, adjusted=balanced is Balance.LOGITS)
    return Phase(name, 1, 1.0, 32, nothing, learning=learning, solver=solver)


class FromProbe(ByGradient):
    """A strategy that begins with a head which is a linear probe already, so that random errors of a new head do not destroy
    the features under it (Kumar et al. 2022, arXiv 2202.10054)."""

    rate_setting: ClassVar[str | None] = "learning_rate"
    epochs_setting: ClassVar[str | None] = "epochs"
    added = {"restore_best": lambda settings: False}
    normalise: bool = Field(
        True,
        title="Normalise features",
        description="Centre the features and bring them to length 1 in front of the head.",
        json_schema_extra=MORE,
    )
    strength: float | None = Field(
        None,
        ge=1e-12,
        le=1e6,
        title="Freedom of the head (C)",
        description="The inverse of the penalty on large weights of the first head; empty chooses it on the validation "
        "images, or by cross-validation where there are none.",
        json_schema_extra=MORE | {"empty": "chosen"},
    )
    restore_best: bool = Field(
        True,
        title="End with the best epoch",
        description="Go back to the epoch with the lowest validation loss, or to the computed head where no epoch is better; "
        "without validation images the last epoch stays.",
        json_schema_extra=MORE,
    )
    epochs: int = Field(5, ge=1, le=1000, title="Epochs", description="Passes over the data after the head has been computed.")
    learning_rate: float = Field(3e-4, gt=0, le=1, title="Learning rate", description="Step size of Adam.")

    @property
    def normalises(self) -> bool:
        return self.normalise

    def join(self, network: Any, class_names: Sequence[str]) -> Classifier:
        """Return the network with a head that may normalise its features."""
        return Classifier.on(network.model.input, network.model.output, len(class_names), normalise=self.normalise)

    def learning(self) -> Learning:
        """Return the way of learning that these settings say, which may end with the best epoch."""
        return replace(super().learning(), restore_best=self.restore_best)

    def probe(self) -> Iterator[Phase]:
        """Yield the head's own phase."""
        yield solved(LogisticRegression(self.strength), balanced=self.balanced)


class TunedFromProbe(Tuned, FromProbe):
    """A strategy that begins with a probe and goes on to the blocks under it."""
