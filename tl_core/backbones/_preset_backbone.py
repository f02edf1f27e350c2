"""What sources of networks of KerasHub have in common: a preset by its name or from a folder, and what is known of it."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from pydantic import Field

from tl_core.backbones import Backbone, CatalogueEntry
from tl_core.backbones._keras_hub import Preset
from tl_core.errors import WeightsError, printable
from tl_core.system.settings import ServerPath

UNTOLD = "its folder does not say"


def preset_field(default: str) -> Any:
    """Return the field that names a preset, `default` where nobody does."""
    return Field(
        default,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        title="Preset",
        description="The name by which KerasHub knows the network; its files are looked for in Kaggle's cache on this machine.",
    )


class Known(NamedTuple):
    """What is published of a preset; `parameters` are those of the network that is made of it, `accuracy` its top-1 accuracy on
    ImageNet and `reference` where that stands, if it learned images."""

    title: str
    parameters: int
    learned_from: str
    licence: str
    accuracy: float | None = None
    reference: str | None = None


class PresetBackbone(Backbone):
    """A source of networks that KerasHub knows."""

    known: ClassVar[Mapping[str, Known]]
    """The presets that are offered, by their names. Others go by theirs, too."""
    needed: ClassVar[tuple[str, ...]]
    """The files that a preset must have beside its settings and its weights."""

    preset: str = preset_field("")
    folder: ServerPath | None = Field(
        None,
        title="Folder",
        description="A folder that KerasHub's save_to_preset has written, in place of a preset by its name.",
    )
    download: bool = Field(
        False, title="Download", description="Fetch the preset from Kaggle if it is not on this machine (17 MB to 1.1 GB)."
    )

    @classmethod
    def catalogue(cls) -> tuple[CatalogueEntry, ...]:
        """Return the presets that are offered."""
        return tuple(cls._listed(name, known) for name, known in cls.known.items())

    def listing(self) -> CatalogueEntry:
        """Return the entry of the catalogue, or one for a folder or another preset, which has no settings that choose it."""
        if self.folder is None and self.preset in self.known:
            return self._listed(self.preset, self.known[self.preset])
        preset = self._preset
        return CatalogueEntry(
            title=printable(self.folder.name or str(self.folder)) if self.folder else self.preset,
            settings={},
            parameters=preset.parameters,
            accuracy=None,
            reference=None,
            learned_from=UNTOLD,
            licence=UNTOLD,
            here=_is_here(preset),
            weights=printable(str(preset.place or "Kaggle")),
        )

    @property
    def _preset(self) -> Preset:
        return Preset(self.preset, self.folder, self.needed)

    def require_weights(self) -> None:
        """Raise `WeightsError` unless KerasHub is installed, and the preset is here or may be fetched."""
        self._preset.require(download=self.download)

    @classmethod
    def _listed(cls, name: str, known: Known) -> CatalogueEntry:
        preset = Preset(name, None, cls.needed)
        here = _is_here(preset)
        return CatalogueEntry(
            title=known.title,
            settings={"preset": name},
            parameters=known.parameters,
            accuracy=known.accuracy,
            reference=known.reference,
            learned_from=known.learned_from,
            licence=known.licence,
            here=here,
            weights=str(preset.place) if here else f"Kaggle, preset {name}",
        )


def _is_here(preset: Preset) -> bool:
    try:
        preset.require(download=False)
    except WeightsError:
        return False
    return True


def example_folder(files: Mapping[str, tuple[str, str, Mapping[str, Any]]]) -> "tempfile.TemporaryDirectory[str]":
    """Return a folder with a preset without weights, written without KerasHub: its `files`, each with the module of a class below
    KerasHub's models, the class and its settings."""
    folder = tempfile.TemporaryDirectory(prefix="transfer_lab_preset_")
    for file, (module, kind, settings) in files.items():
        said = {"module": f"keras_hub.src.models.{module}", "class_name": kind, "config": settings}
        Path(folder.name, file).write_text(json.dumps(said | {"registered_name": f"keras_hub>{kind}"}), encoding="utf-8")
    return folder
