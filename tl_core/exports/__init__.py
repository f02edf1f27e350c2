"""Exports: formats in which a trained model leaves, to be used without this package. A format is one module of this package.

A format says how a Keras model is written, and how its own runtime loads it. It knows nothing of training. To be listed it needs
neither Keras nor its runtime.
"""

import importlib.util
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tl_core.errors import SettingError, TransferError
from tl_core.machine import backends
from tl_core.registry import Part, Registry
from tl_core.system.files import storage_error

__all__ = ["Contents", "ExportFormat", "build", "formats", "register"]

INSTALL = "pip install -r requirements-exports.txt"
SAID_AT_MOST = 300
"""Letters of what a converter says of a network that it cannot convert."""


@dataclass(frozen=True)
class Contents:
    """What an export is made of: the Keras `model`, in float32 and with one input and one output; training `examples` (n, ...) as
    it takes them, for a quantised format alone; the names of its `outputs`, and its `card` in Markdown."""

    model: Any
    examples: NDArray[np.float32 | np.int32]
    outputs: tuple[str, ...]
    card: str


class ExportFormat(Part, ABC):
    """A format in which a trained model leaves. Its docstring says what it is for."""

    file: ClassVar[str]
    """What it writes: a file, or a folder."""
    packages: ClassVar[str]
    """What whoever loads it has to install, as pip calls it."""
    needs: ClassVar[tuple[str, ...]] = ()
    """Modules without which it can be neither written nor checked here, beside those that are always there."""
    quantised: ClassVar[bool] = False
    """Whether it holds numbers of 8 bits. Then it is held to the accuracy of the model, and not to each probability."""
    converts: ClassVar[frozenset[str]] = frozenset({"tensorflow"})
    """The backends of Keras whose networks it can be made of."""
    imports: ClassVar[str]
    """The lines of a script that import its runtime."""
    loads: ClassVar[str]
    """The lines of a script that load it from the folder `HERE` and define `predict`, from inputs (n, ...) to outputs."""

    @classmethod
    def missing(cls) -> str:
        """Return a module that it needs and that is not installed; an empty text where all are."""
        return next((name for name in cls.needs if importlib.util.find_spec(name) is None), "")

    @classmethod
    def require_possible(cls) -> None:
        """Raise the `SettingError` of a format that cannot be written here: something is not installed, or Keras has another
        backend."""
        if missing := cls.missing():
            raise SettingError(f"{cls.title} needs {missing.replace('_', '-')}, which is not installed.", f"Run: {INSTALL}")
        if (backend := backends.wanted()[0]) not in cls.converts:
            raise SettingError(
                f"{cls.title} cannot be made of a network that Keras computes with {backend}.",
                f"Set {backends.BACKEND_VARIABLE}={min(cls.converts)}, or choose another format.",
                received=cls.name,
            )

    @abstractmethod
    def write(self, contents: Contents, place: Path) -> None:
        """Write the model to `place`, which is called `file` and not there yet. What a converter raises for a network that it
        cannot convert may come through."""

    def export(self, contents: Contents, folder: Path) -> None:
        """Write the model into `folder`. Raises `StorageError` where that cannot be written, and the `SettingError` of a
        network that cannot be had in this format."""
        try:
            self.write(contents, folder / self.file)
        except OSError as error:
            raise storage_error(folder, error) from error
        except TransferError:  # which says it already
            raise
        except Exception as error:
            raise self.refused(str(error) or type(error).__name__) from error

    def refused(self, said: str) -> SettingError:
        """Return the error of a network that this format cannot hold, of which somebody `said` why."""
        why = " ".join(said.split())[:SAID_AT_MOST]
        return SettingError(f"This network cannot be had as {self.title} ({why}).", "Choose another format.", received=self.name)


formats: Registry[ExportFormat] = Registry("export", "tl_core.exports")
register = formats.register
build = formats.build
