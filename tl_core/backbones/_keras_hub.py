"""Presets of KerasHub on this machine: where they are, what is missing of them, and their networks without their heads.

A preset is a folder that KerasHub's `save_to_preset` writes: one that the user names, or one in the cache of Kaggle's own
library. KerasHub is imported where it is needed and nowhere else, since that takes seconds. Nothing is fetched unless asked for.
"""

import hashlib
import importlib.util
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tl_core.errors import WeightsError, printable
from tl_core.networks.download import file_digest
from tl_core.networks.outline import Provenance
from tl_core.system import settings

LIBRARY = "keras_hub"
INSTALL = "pip install -r requirements-kerashub.txt"
CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", ("model.weights.h5", "model.weights.json")
OWN = "keras_hub>"
"""What the registered name of each class of KerasHub begins with."""
UNREADABLE = (OSError, ValueError, LookupError, TypeError, RuntimeError, AttributeError, ImportError)
"""What KerasHub and Keras raise for a preset that they cannot load: damaged, of another version, or not to be fetched."""


@dataclass(frozen=True)
class Preset:
    """A preset by the `name` that KerasHub knows it by, or in a `folder` of the user's own, which counts where it is given.
    `needed` are the files that it must have beside its weights."""

    name: str
    folder: Path | None
    needed: tuple[str, ...]

    @property
    def place(self) -> Path | None:
        """Return the folder of the preset on this machine; None where it has not been fetched."""
        return self.folder or next((place for place in _cached(self.name) if self.lacks(place) == ""), None)

    def lacks(self, place: Path, *, weights: bool = True) -> str:
        """Return a file that `place` does not have; an empty text where it has all."""
        absent = [file for file in (CONFIG, *self.needed) if not (place / file).is_file()]
        if weights and not any((place / file).is_file() for file in WEIGHTS):
            absent.append(WEIGHTS[0])
        return absent[0] if absent else ""

    @cached_property
    def config(self) -> dict[str, Any]:
        """Return the settings of its network, by KerasHub's names; none where there is no such folder."""
        return dict(_read(self.place / CONFIG).get("config", {})) if self.place else {}

    @property
    def parameters(self) -> int:
        """Return how many parameters its folder says that it has, those of a head among them; 0 where it says nothing."""
        return int(_read(self.place / METADATA).get("parameter_count", 0)) if self.place else 0

    def require(self, *, download: bool, weights: bool = True) -> None:
        """Raise `WeightsError` unless KerasHub is installed and the preset is here, or may be fetched. Needs no Keras.

        Args:
            download: Whether it may be fetched.
            weights: Whether its weights are needed, and not only its settings.
        """
        if importlib.util.find_spec(LIBRARY) is None:
            raise WeightsError("Presets of KerasHub need keras-hub, which is not installed.", f"Run: {INSTALL}")
        if self.place is None:
            if not download:
                raise WeightsError(
                    f"The preset {self.name} is not on this machine.",
                    "Set backbone.download=true to fetch it from Kaggle, or backbone.folder to where you have it.",
                    received=f"nothing below {_cache()}",
                )
            return
        if missing := self.lacks(self.place, weights=weights):
            raise WeightsError(
                f"This folder holds no preset that can be used, since it has no {missing}.",
                "Name one that KerasHub's save_to_preset has written.",
                received=self.place,
            )
        if not str(_read(self.place / CONFIG).get("registered_name", "")).startswith(OWN):
            raise WeightsError(
                "The network of this preset is none of KerasHub's own.",
                f"Name a folder whose {CONFIG} is of a network of KerasHub.",
                received=self.place / CONFIG,
            )

    def network(self, *, pretrained: bool, download: bool, **changed: Any) -> Any:
        """Return KerasHub's backbone of the preset, with its weights or, unless `pretrained`, with random ones.

        Args:
            pretrained, download: Whether its weights are loaded, and whether it may be fetched.
            changed: Settings of the network in place of the preset's, where it has them.

        Raises:
            WeightsError: Where it cannot be had, or its files do not fit each other.
        """
        self.require(download=download, weights=pretrained)
        import keras_hub

        kept = {name: value for name, value in changed.items() if name in self.config}
        try:
            return keras_hub.models.Backbone.from_preset(str(self.place or self.name), load_weights=pretrained, **kept)
        except UNREADABLE as error:
            raise self.unusable(error) from None

    def unusable(self, error: Exception) -> WeightsError:
        """Return the error to raise where KerasHub could not use the preset."""
        said = printable(" ".join(str(error).split())[:200])
        if self.place is None:
            why, what_next = (
                f"The preset {self.name} could not be fetched",
                "Check its name and the network, or set backbone.folder to where you have it",
            )
        else:
            why, what_next = f"KerasHub {_version()} cannot load this preset", "Write it anew with KerasHub's save_to_preset"
        return WeightsError(f"{why} ({said}).", f"{what_next}.", received=self.place or self.name)

    def provenance(self, licence: str, learned_from: str) -> Provenance:
        """Return where the weights come from, with the sha256 of their files."""
        place = self.place or Path(self.name)
        files = [place / WEIGHTS[0]] if (place / WEIGHTS[0]).is_file() else sorted(place.glob("*.weights.h5"))
        return Provenance(f"preset of KerasHub, {place}", licence, learned_from, digest_of(files))


def digest_of(files: Sequence[Path]) -> str:
    """Return the sha256 of a file, or one over those of several, in their order."""
    found = [file_digest(file) for file in files]
    return found[0] if len(found) == 1 else hashlib.sha256(b"".join(map(bytes.fromhex, found))).hexdigest()


def _cached(name: str) -> list[Path]:
    """Return the folders of a preset in the cache of Kaggle's library, the newest version first."""
    found = _cache().glob(f"models/*/*/keras/{name}/*/{CONFIG}")
    return sorted((file.parent for file in found), key=lambda place: (len(place.name), place.name), reverse=True)


def _cache() -> Path:
    return settings.absolute(os.environ.get("KAGGLEHUB_CACHE") or "~/.cache/kagglehub")


def _read(file: Path) -> dict[str, Any]:
    """Return the content of a JSON file; nothing where it is none."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _version() -> str:
    import keras_hub

    return str(keras_hub.__version__)
