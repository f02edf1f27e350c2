"""A spec made whole and checked before anything starts: the three parts together, without Keras."""

from dataclasses import dataclass
from typing import Any

from tl_core.backbones import Backbone
from tl_core.datasets import Dataset, Modality
from tl_core.errors import SettingError, WeightsError
from tl_core.executors import Executor
from tl_core.machine import backends
from tl_core.precision import Precision
from tl_core.registry import registry_of
from tl_core.spec import OWN_SETTINGS, PART_KINDS, RunSpec
from tl_core.strategies import Strategy


@dataclass(frozen=True)
class Recipe:
    """The parts of a run, built and checked one by one."""

    dataset: Dataset
    backbone: Backbone
    strategy: Strategy
    executor: Executor
    image_size: int
    seed: int
    precision: Precision = Precision.AUTO

    @classmethod
    def of(cls, spec: RunSpec) -> "Recipe":
        """The parts that `spec` names; raises `SettingError` for a name or a setting that does not fit."""
        parts = {kind: registry_of(kind).build(getattr(spec, kind)) for kind in PART_KINDS}
        return cls(**parts, **{name: getattr(spec, name) for name in OWN_SETTINGS})

    def spec(self) -> RunSpec:
        """The spec with every setting written out, so that a later change of a default changes no stored run."""
        parts = {kind: getattr(self, kind).spec() for kind in PART_KINDS}
        return RunSpec(**parts, **{name: getattr(self, name) for name in OWN_SETTINGS})

    def overrides(self) -> dict[str, Any]:
        """The fewest settings, by dotted name, that turn the default spec into this one: a short command, a short URL."""
        default = Recipe.of(RunSpec())
        changed: dict[str, Any] = {}
        for kind in PART_KINDS:
            part, usual = getattr(self, kind), getattr(default, kind)
            if part.name != usual.name:
                changed[kind] = part.name
            blank = type(part)().model_dump(mode="json")
            values = part.model_dump(mode="json")
            changed |= {f"{kind}.{field}": value for field, value in values.items() if value != blank[field]}
        return changed | {name: getattr(self, name) for name in OWN_SETTINGS if getattr(self, name) != getattr(default, name)}

    def require_runnable(self) -> None:
        """Raise the `TransferError` that the run would meet before its first batch, where it can be known now."""
        if self.executor.shares_store:  # it runs on this machine, in this environment
            backends.require_importable()
        self.require_weights()
        self.dataset.require_readable(self.seed)

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
