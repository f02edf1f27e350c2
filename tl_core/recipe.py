"""A spec made whole and checked before anything starts: the three parts together, without Keras."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from operator import methodcaller
from typing import Any

from tl_core.backbones import Backbone, BlockOutline
from tl_core.datasets import Dataset, Modality
from tl_core.errors import SettingError, TransferError, WeightsError
from tl_core.executors import Executor
from tl_core.machine import backends
from tl_core.precision import Precision
from tl_core.registry import registry
from tl_core.spec import PART_KINDS, RunSpec
from tl_core.strategies import Phase, Strategy
from tl_core.tasks import Task

Look = Callable[[Dataset], int | None]
"""What gives the pixels of the shorter sides of a dataset's images; see `Dataset.image_side`."""
LOOK: Look = methodcaller("image_side")
ONE_BLOCK = (BlockOutline("block", layers=1, parameters=1, norm_parameters=0, multiply_adds=1),)
"""Stands for a network that has not been loaded, where it is asked what the phases of a strategy are."""


@dataclass(frozen=True)
class Recipe:
    """The parts of a run, built and checked one by one. `given_size` is the image size that somebody set; where nobody did, it
    follows what `look` finds of the images, which is asked once, when it is needed."""

    dataset: Dataset
    backbone: Backbone
    strategy: Strategy
    executor: Executor
    task: Task
    given_size: int | None
    seed: int
    precision: Precision = Precision.AUTO
    look: Look = field(default=LOOK, compare=False, repr=False)

    @classmethod
    def of(cls, spec: RunSpec, look: Look = LOOK) -> "Recipe":
        """Return the parts that `spec` names. Raises `SettingError` for a name or a setting that does not fit."""
        parts = {kind: registry(kind).build(getattr(spec, kind)) for kind in PART_KINDS}
        parts["dataset"] = parts["dataset"].labelled(parts["task"].label_kind)
        return cls(**parts, given_size=spec.image_size, seed=spec.seed, precision=spec.precision, look=look)

    @cached_property
    def image_side(self) -> int | None:
        """Return what `look` finds; None also where the dataset cannot be read, which whoever needs its images will be told."""
        with suppress(TransferError):
            return self.look(self.dataset)
        return None

    @property
    def image_size(self) -> int:
        """Return the side, in pixels, that every image is brought to."""
        return self.given_size or self.backbone.fitting_size(self.image_side)

    def spec(self) -> RunSpec:
        """Return the spec with every setting written out, the image size too, so that neither a later change of a default nor
        another machine changes a stored run."""
        return self.draft().model_copy(update={"image_size": self.image_size})

    def draft(self) -> RunSpec:
        """Return the spec with every setting but an image size that nobody set, which goes on following the images."""
        parts = {kind: getattr(self, kind).spec() for kind in PART_KINDS}
        return RunSpec(**parts, image_size=self.given_size, seed=self.seed, precision=self.precision)

    def overrides(self) -> dict[str, Any]:
        """Return the fewest settings, by dotted name, that turn the default spec into this one: a short command, a short URL."""
        default = Recipe.of(RunSpec())
        changed: dict[str, Any] = {}
        for kind in PART_KINDS:
            part, usual = getattr(self, kind), getattr(default, kind)
            if part.name != usual.name:
                changed[kind] = part.name
            blank = type(part)().model_dump(mode="json")
            values = part.model_dump(mode="json")
            changed |= {f"{kind}.{field}": value for field, value in values.items() if value != blank[field]}
        draft, blank_run = self.draft(), RunSpec()
        own = (name for name in RunSpec.model_fields if name not in PART_KINDS)
        return changed | {name: getattr(draft, name) for name in own if getattr(draft, name) != getattr(blank_run, name)}

    def phases(self, blocks: Sequence[BlockOutline], train_images: int) -> tuple[Phase, ...]:
        """Return the phases of the strategy as the task has them. Raises `SettingError` where one makes no sense for it, or the
        strategy does not fit the network with these `blocks`."""
        return tuple(map(self.task.phase, self.strategy.phases(self.backbone, blocks, train_images)))

    def titles(self) -> tuple[str, str, str]:
        """Return what people call the dataset, the backbone and the strategy. That of a dataset may be somebody else's text."""
        return self.dataset.shown_name, self.backbone.listing().title, self.strategy.title

    def require_runnable(self) -> None:
        """Raise the `TransferError` that the run would meet before its first batch, where it can be known now."""
        if self.executor.shares_store:  # it runs on this machine, in this environment
            backends.require_importable()
        self.require_weights()
        self.dataset.require_readable(self.seed)

    def require_task(self) -> None:
        """Raise the `SettingError` of a dataset without such labels as the task asks for, or of a strategy that makes no sense
        for it."""
        self.dataset.require_label_kind()
        self.phases(ONE_BLOCK, 1)

    def require_images(self) -> None:
        """Raise the `SettingError` of a dataset that no backbone here can see yet."""
        if self.dataset.modality is not Modality.IMAGES:
            raise SettingError(
                f"{self.backbone.title} sees images, and the dataset holds {self.dataset.modality}.",
                "Choose a dataset of images. Networks for texts and tables come in a later version; until then such data can be "
                "looked at and split.",
                received=f"{self.dataset.name} with {self.backbone.name}",
            )

    def require_weights(self) -> None:
        """Raise the `TransferError` of a backbone that does not take these examples, or whose weights are not to be had."""
        self.require_images()
        self.require_task()
        self.backbone.require_size(self.image_size)
        if not self.strategy.pretrained:
            return
        if not self.backbone.pretrained:
            raise WeightsError(
                f"{self.backbone.title} has no pretrained weights, so there is nothing to transfer.",
                "Choose the strategy from_scratch, or another backbone.",
                received=f"{self.backbone.name} with {self.strategy.name}",
            )
        self.backbone.require_weights()


def titles_of(spec: RunSpec) -> tuple[str, str, str]:
    """Return `Recipe.titles` of a stored run; names where it was made by a part that is no longer installed."""
    try:
        return Recipe.of(spec).titles()
    except TransferError:
        return spec.dataset.name, spec.backbone.name, spec.strategy.name
