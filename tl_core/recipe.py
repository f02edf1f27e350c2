"""A spec made whole and checked before anything starts: the three parts together, without Keras."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from operator import methodcaller
from typing import Any

from tl_core.backbones import Backbone, BlockOutline, backbones
from tl_core.data.examples import Examples
from tl_core.data.preprocessor import Preprocessor
from tl_core.datasets import Dataset, Modality
from tl_core.errors import SettingError, TransferError, WeightsError
from tl_core.executors import Executor
from tl_core.machine import backends
from tl_core.metrics import Metric
from tl_core.metrics.accuracy import Accuracy
from tl_core.precision import Precision
from tl_core.registry import registry
from tl_core.spec import PART_KINDS, RunSpec
from tl_core.strategies import Phase, Strategy
from tl_core.tasks import Task

Look = Callable[[Dataset], int | None]
"""What tells how large a dataset's examples are; see `Dataset.typical_size`."""
LOOK: Look = methodcaller("typical_size")
ONE_BLOCK = (BlockOutline("block", layers=1, parameters=1, norm_parameters=0, multiply_adds=1),)
"""Stands for a network that has not been loaded, where it is asked what the phases of a strategy are."""


@dataclass(frozen=True)
class Recipe:
    """The parts of a run, built and checked one by one. `given_size` is the image size that somebody set; where nobody did, it
    follows what `look` finds of the examples, which is asked once, when it is needed."""

    dataset: Dataset
    backbone: Backbone
    strategy: Strategy
    executor: Executor
    task: Task
    given_size: int | None
    seed: int
    precision: Precision = Precision.AUTO
    deterministic: bool = False
    metric: Metric = field(default_factory=Accuracy)
    look: Look = field(default=LOOK, compare=False, repr=False)

    @classmethod
    def of(cls, spec: RunSpec, look: Look = LOOK) -> "Recipe":
        """Return the parts that `spec` names. Raises `SettingError` for a name or a setting that does not fit."""
        parts = {kind: registry(kind).build(getattr(spec, kind)) for kind in PART_KINDS}
        parts["dataset"] = parts["dataset"].labelled(parts["task"].label_kind)
        own: dict[str, Any] = {name: getattr(spec, name) for name in ("seed", "precision", "deterministic")}
        return cls(**parts, given_size=spec.image_size, look=look, **own)

    @cached_property
    def typical_size(self) -> int | None:
        """Return what `look` finds; None also where the dataset cannot be read, which whoever needs its examples will be told."""
        with suppress(TransferError):
            return self.look(self.dataset)
        return None

    @property
    def input_size(self) -> int:
        """Return what every example is brought to: a square's side in pixels, or a number of tokens."""
        return (self.given_size if self.has_images else self.backbone.own_size) or self.backbone.fitting_size(self.typical_size)

    def adapted_to(self, examples: Examples) -> "Recipe":
        """Return this for training on these `examples`, of which a network may take its words. Raises `DataError` where they have
        none."""
        return replace(self, backbone=self.backbone.adapted_to(examples))

    def preprocessor(self) -> Preprocessor:
        """Return what makes inputs of the network of examples. Raises `WeightsError` where it needs files that are missing."""
        return self.backbone.preprocessor(self.input_size)

    @property
    def has_images(self) -> bool:
        """Return whether its network looks at images."""
        return self.backbone.accepts is Modality.IMAGES

    @property
    def is_accepted(self) -> bool:
        """Return whether its network takes the examples of its dataset."""
        return self.dataset.modality is self.backbone.accepts

    def spec(self) -> RunSpec:
        """Return the spec with every setting written out, the size of the inputs too, so that neither a later change of a default
        nor another machine changes a stored run."""
        if self.has_images:
            return self.draft().model_copy(update={"image_size": self.input_size})
        return replace(self, backbone=self.backbone.with_size(self.input_size)).draft()

    def draft(self) -> RunSpec:
        """Return the spec with every setting but an image size that nobody set, which goes on following the images."""
        parts = {kind: getattr(self, kind).spec() for kind in PART_KINDS}
        own: dict[str, Any] = {name: getattr(self, name) for name in ("seed", "precision", "deterministic")}
        return RunSpec(**parts, image_size=self.given_size, **own)

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
        phases = tuple(map(self.task.phase, self.strategy.phases(self.backbone, blocks, train_images)))
        is_head_alone = not self.strategy.looks_inside and all(phase.head_alone for phase in phases)
        if not is_head_alone:
            way_out = "Choose a strategy that computes the head alone, such as linear_probe, or another network."
            self.backbone.require_layers(self.strategy.title, way_out)
        return phases

    def titles(self) -> tuple[str, str, str]:
        """Return what people call the dataset, the backbone and the strategy. That of a dataset may be somebody else's text."""
        return self.dataset.shown_name, self.backbone.listing().title, self.strategy.title

    @property
    def shown_size(self) -> str:
        """Return what people call the size of its inputs, such as 96 px or 64 tokens."""
        return f"{self.input_size} {self.backbone.unit}"

    def require_runnable(self) -> None:
        """Raise the `TransferError` that the run would meet before its first batch, where it can be known now."""
        if self.executor.shares_store:  # it runs on this machine, in this environment
            backends.require_importable()
        self.require_weights()
        self.dataset.require_readable(self.seed)

    @property
    def deciding_metric(self) -> Metric:
        """Return the metric that decides: the task's primary one where nobody has chosen one that suits it."""
        return self.metric if self.metric.label_kind == self.task.label_kind else self.task.primary()

    @property
    def metric_chooses(self) -> bool:
        """Return whether that metric chooses on the validation images, too, and not their loss: somebody has named it."""
        return self.metric.chooses and self.metric == self.deciding_metric

    def require_task(self) -> None:
        """Raise the `SettingError` of a dataset without such labels as the task asks for, or of a strategy or a metric that makes
        no sense for it, and the `TransferError` of a strategy that lacks what it needs beside the network."""
        self.dataset.require_label_kind()
        if self.metric not in (self.deciding_metric, Accuracy()):  # which everybody has who has chosen none
            raise SettingError(
                f"{self.metric.full_title} says nothing of {self.task.label_kind.title}, and the task asks for that.",
                f"Choose another metric, such as {self.task.primary.name}.",
                received=f"{self.metric.name} with {self.task.name}",
            )
        self.phases(ONE_BLOCK, 1)
        self.strategy.require_ready()

    def require_accepted(self) -> None:
        """Raise the `SettingError` of a dataset whose examples the network does not take."""
        found = self.dataset.modality
        if not self.is_accepted:
            fitting = fitting_network(found)
            way_out = (
                f"Choose a network for them, such as {fitting}."
                if fitting
                else f"Networks for {found} come in a later version; until then such data can be looked at and split."
            )
            raise SettingError(
                f"{self.backbone.title} takes {self.backbone.accepts}, and the dataset holds {found}.",
                way_out,
                received=f"{self.dataset.name} with {self.backbone.name}",
            )
        if self.strategy.changes_images and not self.has_images:
            raise SettingError(
                f"{self.strategy.title} is set to change training images, and {self.backbone.title} takes {found}.",
                "Set strategy.augmentation=none, and strategy.mixup and strategy.cutmix to 0.",
                received=f"{self.strategy.name} with {self.backbone.name}",
            )

    def require_weights(self) -> None:
        """Raise the `TransferError` of a backbone that does not take these examples, or whose weights are not to be had."""
        self.require_accepted()
        self.require_task()
        self.backbone.require_size(self.input_size)
        if not self.strategy.pretrained:
            return
        if not self.backbone.pretrained:
            raise WeightsError(
                f"{self.backbone.title} has no pretrained weights, so there is nothing to transfer.",
                "Choose the strategy from_scratch, or another backbone.",
                received=f"{self.backbone.name} with {self.strategy.name}",
            )
        self.backbone.require_weights()


def fitting_network(modality: Modality) -> str | None:
    """Return the name of the first backbone for such examples, of those whose weights are here if there is one; None where no
    backbone takes them."""
    fitting = [part for part in backbones.parts().values() if part.accepts is modality]
    return min(fitting, key=lambda part: not any(entry.here for entry in part.catalogue())).name if fitting else None


def changed(spec: RunSpec, settings: Mapping[str, Any]) -> RunSpec:
    """Return `spec` with `settings` by their dotted names, as `RunSpec.with_settings`. Where they choose a dataset and no
    backbone, and the present one does not take its examples, one that does is chosen, too; where they choose a task and no
    metric, and the present one says nothing of its labels, none is named any more. Raises `SettingError`."""
    new = spec.with_settings(settings)
    if "task" in settings and "metric" not in settings:
        kind = registry("task").part(new.task.name).label_kind
        if registry("metric").part(new.metric.name).label_kind != kind:
            new = new.with_settings({"metric": RunSpec().metric.name})
    if "dataset" not in settings or "backbone" in settings:
        return new
    modality, taken = registry("dataset").part(new.dataset.name).modality, backbones.part(new.backbone.name).accepts
    fitting = None if modality is taken else fitting_network(modality)
    return new.with_settings({"backbone": fitting}) if fitting else new


def shown_size_of(spec: RunSpec) -> str:
    """Return `Recipe.shown_size` of a stored run; that of its images where it was made by a part that is no longer installed."""
    try:
        return Recipe.of(spec, lambda _: None).shown_size
    except TransferError:
        return f"{spec.image_size} px"


def things_of(spec: RunSpec) -> str:
    """Return what several examples of a stored run are called; images where its dataset is no longer installed."""
    part = registry("dataset").parts().get(spec.dataset.name)
    return part.thing if part else "images"


def titles_of(spec: RunSpec) -> tuple[str, str, str]:
    """Return `Recipe.titles` of a stored run; names where it was made by a part that is no longer installed."""
    try:
        return Recipe.of(spec).titles()
    except TransferError:
        return spec.dataset.name, spec.backbone.name, spec.strategy.name
