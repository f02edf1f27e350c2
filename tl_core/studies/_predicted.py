"""What a finished run says of pictures that somebody gives it: plain values, and the pictures that are shown with them."""

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tl_core.analysis.heat_check import Areas
from tl_core.errors import RunError
from tl_core.system.files import write_whole


@dataclass(frozen=True)
class TrainingImage:
    """A training image, by its name, what it is (its class, its labels, its number) and its distance (0..2) to a picture."""

    name: str
    label: str
    distance: float


@dataclass(frozen=True)
class PredictedPicture:
    """What is said of one picture.

    `reason` is why it could not be read, and then nothing is said. `outputs` are the most probable classes or labels, the most
    probable first, each with its probability (0..1); or the name of the number with its value. Of several labels `labels` are
    those that it is said to have. `nearest` are the nearest training images, the nearest first. `distance` (0..2) is that by
    which `is_outside` says whether it lies outside of what was trained on; both are None where that is not known. `areas` tell
    whether its heat map points at what matters.
    """

    name: str
    reason: str = ""
    outputs: tuple[tuple[str, float], ...] = ()
    labels: tuple[str, ...] | None = None
    nearest: tuple[TrainingImage, ...] = ()
    distance: float | None = None
    is_outside: bool | None = None
    areas: Areas | None = None


@dataclass(frozen=True)
class Shown:
    """Of the pictures that are shown: their numbers among all that were given (m,), how the network sees them, `pixels` (m, s, s,
    3), and their nearest training images, `nearest` (m, k, s, s, 3), none where these are not known, all uint8. `heat` (m, s, s),
    uint8, is where the network sees what it says; empty (0, s, s) for a network that cannot tell."""

    numbers: NDArray[np.int64]
    pixels: NDArray[np.uint8]
    heat: NDArray[np.uint8]
    nearest: NDArray[np.uint8]

    def write(self, file: Path) -> None:
        """Keep it in `file`, which ends in .npz. Raises `StorageError`."""
        write_whole(file, lambda path: np.savez_compressed(path, **vars(self)))

    @classmethod
    def read(cls, file: Path) -> "Shown":
        """Return what is kept in `file`. Raises `RunError` where it cannot be read."""
        try:
            with np.load(file, allow_pickle=False) as arrays:
                return cls(**arrays)
        except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise RunError(f"These pictures cannot be read any more ({error}).", "Predict them again.") from None
