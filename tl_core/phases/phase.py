"""What a strategy says: phases, in plain values that need no Keras."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from tl_core.errors import SettingError
from tl_core.heads import Solver
from tl_core.networks.blocks import select
from tl_core.networks.classifier import HEAD
from tl_core.phases.penalty import Penalty
from tl_core.phases.schedules import CONSTANT, Schedule
from tl_core.phases.teacher import Teacher

if TYPE_CHECKING:
    from tl_core.networks.outline import BlockOutline

Selector = Callable[[Sequence[str]], tuple[str, ...]]
RateFactors = Callable[[Sequence[str]], Mapping[str, float]]
"""From the blocks' names to what the learning rate is multiplied by in each; a block (or `HEAD`) that is left out has 1."""


def nothing(blocks: Sequence[str]) -> tuple[str, ...]:
    """Return no block of the backbone: the head alone trains."""
    return ()


def everything(blocks: Sequence[str]) -> tuple[str, ...]:
    """Return every block: all train."""
    return tuple(blocks)


def last_blocks(count: int) -> Selector:
    """Return a selector of the `count` blocks nearest the head (all of them where there are fewer)."""

    def choose(blocks: Sequence[str]) -> tuple[str, ...]:
        return tuple(blocks[max(0, len(blocks) - count) :])

    return choose


def chosen(choice: str) -> Selector:
    """Return a selector of the blocks that `choice` names: "last 2", "block 5 and up", or a pattern such as "block 5*"
    (`blocks.select`). It raises `SettingError` for a network that has none such."""
    return lambda blocks: select(blocks, choice)


class Moves(StrEnum):
    """Which variables of a trained block train. BatchNorm is one of the norms unless the phase has it as `BatchNorm.FROZEN`."""

    EVERYTHING = "everything"
    NORMS = "scale and shift of the norms"
    BIASES = "biases, and scale and shift of the norms"
    ADAPTERS = "low-rank adapters"


class BatchNorm(StrEnum):
    """What BatchNorm layers in trained blocks do: stay as they are; keep their statistics and train scale and shift; or
    follow the new data with both."""

    FROZEN = "frozen"
    STATISTICS_FROZEN = "statistics frozen"
    ADAPTS = "adapts"


class Augmentation(StrEnum):
    """How training images are changed: not at all; mirrored; mirrored and moved by up to an eighth; or mirrored and distorted
    in two of eleven ways (Cubuk et al. 2020, RandAugment, arXiv 1909.13719)."""

    NONE = "none"
    FLIP = "flip"
    FLIP_AND_CROP = "flip and crop"
    RAND_AUGMENT = "RandAugment"


class Balance(StrEnum):
    """What makes up for uneven classes: nothing; images weigh by the inverse of their class's share; each class is drawn as often
    in an epoch; or the logarithm of each class's share is added to its logit in the loss, and not in use, so that the network
    learns what it would of even classes (Menon et al. 2021, arXiv 2007.07314)."""

    NONE = "none"
    WEIGHTS = "class weights"
    SAMPLING = "balanced sampling"
    LOGITS = "logit adjustment"

    @classmethod
    def read(cls, stored: Any) -> Any:
        """Return the balance of what was a switch for class weights before. Anything else is returned as it is."""
        text = str(stored).lower()
        return cls.WEIGHTS if text in {"true", "1"} else cls.NONE if text in {"false", "0"} else stored

    def stored(self) -> bool | str:
        """Return the switch that it was, where that says it, so that stored settings stay what they were."""
        return str(self) if self in (Balance.SAMPLING, Balance.LOGITS) else self is Balance.WEIGHTS


@dataclass(frozen=True)
class Learning:
    """The way of learning, apart from how fast.

    `optimizer` is "adam" (decoupled weight decay where there is any: AdamW) or "sgd" (momentum 0.9). `weight_decay` spares
    norms and biases. `clip_norm` is the longest the gradient of all variables together may be. `patience` is how many epochs
    without a lower validation loss end a phase, which then goes back to its best epoch. `restore_best` lets every phase go back
    to its best epoch, or to what it began with where no epoch was better. `balanced` weights each image by
    the inverse of its class's share, `sampled` draws each class as often, and `adjusted` adjusts logits (`Balance`).
    `label_smoothing` is the share of a label that is spread over all classes; `mixup` and `cutmix` are the parameters of the beta
    distribution from which the share of another image is drawn (Zhang et al. 2018, arXiv 1710.09412; Yun et al. 2019, arXiv
    1905.04899), 0 for none of it. `views` is how many ways an image is changed by the augmentation, in turn; None changes it anew
    in each epoch. A `teacher` says of each training example, as it is unchanged, what is learned beside its label.
    """

    optimizer: str = "adam"
    schedule: Schedule = CONSTANT
    weight_decay: float = 0.0
    clip_norm: float | None = None
    patience: int | None = None
    restore_best: bool = False
    balanced: bool = False
    sampled: bool = False
    adjusted: bool = False
    label_smoothing: float = 0.0
    mixup: float = 0.0
    cutmix: float = 0.0
    augmentation: Augmentation = Augmentation.NONE
    views: int | None = None
    teacher: Teacher | None = None

    @property
    def keeps_best(self) -> bool:
        """Return whether a phase ends with its best epoch, by the validation loss."""
        return self.restore_best or self.patience is not None

    @property
    def soft(self) -> bool:
        """Return whether labels are shares of classes instead of one class."""
        return bool(self.label_smoothing or self.mixup or self.cutmix or self.teacher)

    @property
    def augments(self) -> bool:
        """Return whether training images are changed in any way."""
        return bool(self.mixup or self.cutmix) or self.augmentation != Augmentation.NONE

    @property
    def changes_anew(self) -> bool:
        """Return whether training images are others in each epoch: nothing computed of them is worth keeping."""
        return bool(self.mixup or self.cutmix) or (self.augments and self.views is None)

    @property
    def fixed_views(self) -> int:
        """Return how many pictures of each training image there are, where they are not changed anew."""
        return self.views if self.views and self.augments else 1


@dataclass(frozen=True)
class Phase:
    """A stretch of training in which the same variables train with the same settings. The head always trains.

    `trains` chooses blocks, and `moves` which of their variables; adapters have the inner size `rank`. `learning_rate` is that
    of the head; in the blocks it is multiplied by `rates`, or, with `measured_rates`, in each variable by its relative gradient
    over so many batches. With a `solver` the head is computed from the features at once: no block trains, `epochs` is 1, and of
    `learning` it asks only whether classes are balanced. Each `trial` begins from the weights that the run began with; of all
    trials the one that ends with the lowest validation loss is kept.
    """

    name: str
    epochs: int
    learning_rate: float
    batch_size: int
    trains: Selector
    batch_norm: BatchNorm = BatchNorm.FROZEN
    moves: Moves = Moves.EVERYTHING
    rank: int = 0
    rates: RateFactors | None = None
    measured_rates: int = 0
    learning: Learning = field(default_factory=Learning)
    penalty: Penalty | None = None
    solver: Solver | None = None
    trial: bool = False

    @property
    def head_alone(self) -> bool:
        """Return whether it needs no more of the network than what that makes of each example once."""
        return self.trains is nothing and not self.learning.changes_anew

    def trained_blocks(self, blocks: "Sequence[BlockOutline]") -> tuple[str, ...]:
        """Return the names of the blocks that train in this phase."""
        return self.trains([block.name for block in blocks])

    def steps(self, images: int) -> int:
        """Return the steps of one epoch over `images` images; a head is computed in one."""
        return 1 if self.solver else -(-images // self.batch_size)

    def planned(self, images: int) -> dict[str, Any]:
        """Return what is told of it before a run over `images` images starts."""
        told = {"name": self.name, "epochs": self.epochs, "steps_per_epoch": self.steps(images)}
        return told | {"computed": self.solver is not None}

    def factors(self, blocks: Sequence[str]) -> dict[str, float]:
        """Return what the learning rate is multiplied by in each of `blocks` and in the head."""
        given = dict(self.rates(blocks)) if self.rates else {}
        return {name: given.get(name, 1.0) for name in (*blocks, HEAD)}

    def described(self, blocks: "Sequence[BlockOutline]") -> dict[str, Any]:
        """Return all of it in plain JSON values, with `trains` and `rates` as they come out for `blocks`."""
        plain = {"trains": list(self.trained_blocks(blocks)), "rates": self.factors([block.name for block in blocks])}
        for name in ("name", "epochs", "learning_rate", "batch_size", "batch_norm", "moves", "measured_rates"):
            plain[name] = getattr(self, name)
        solver: Any = self.solver
        plain |= {"solver": solver and solver.title, "solver_settings": asdict(solver) if solver else {}}
        learning = asdict(self.learning)
        del learning["restore_best"]  # it changes no step: runs that were interrupted before there was a choice still go on
        for name in ("sampled", "adjusted", "teacher"):  # told only where they are set, as a trial is
            if not learning[name]:
                del learning[name]
        more = {"penalty": repr(self.penalty), "learning": learning}
        # A trial is told only where there is one, so that runs that were interrupted before there were any still go on.
        trial = {"trial": True} if self.trial else {}
        return json.loads(json.dumps(plain | more | trial))  # what it will be when it is read again


def require_images(phases: Sequence[Phase], received: str) -> None:
    """Raise `SettingError` where `phases` change training images; for a network that takes something else, which was
    `received`."""
    if any(phase.learning.augments for phase in phases):
        raise SettingError(
            "This strategy changes training images, and nothing else can be flipped or mixed.",
            "Choose another strategy, or set its augmentation to none and mixup and cutmix to 0.",
            received=received,
        )


def require_validation(phases: Sequence[Phase], images: int) -> None:
    """Raise `SettingError` where a setting of `phases` says that validation images decide, and there are no such `images`."""
    if images:
        return
    trials = sum(phase.trial for phase in phases)
    patience = next((phase.learning.patience for phase in phases if phase.learning.patience is not None), None)
    if trials:
        what, way_out, received = "Learning rates are tried on", "set strategy.trials to 1", f"{trials} trials"
    elif patience is not None:
        what, way_out, received = "Patience goes by the loss on", "leave strategy.patience empty", f"patience {patience}"
    else:
        return
    why = f"{what} validation images, and this dataset has none."
    raise SettingError(why, f"Set aside some, or {way_out}.", received=received)
