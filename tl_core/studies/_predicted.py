"""What a finished run says of pictures that somebody gives it: plain values, and the pictures that are shown with them."""

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tl_core.analysis.heat_check import Areas
from tl_core.errors import RunError
from tl_core.studies._text_words import TextWords
from tl_core.system.files import write_whole

COVERED = 0.95
"""The share of true numbers that lie within the interval of a prediction."""


@dataclass(frozen=True)
class TrainingExample:
    """A training example: its name, or how it begins, what it is (its class, its labels, its number), and its distance (0..2) to
    one that is asked about."""

    name: str
    label: str
    distance: float


@dataclass(frozen=True)
class PredictedExample:
    """What is said of one picture, or of one text, whose `name` is how it begins.

    `reason` is why it could not be read, and then nothing is said. `outputs` are the most probable classes or labels, the most
    probable first, each with its probability (0..1); or the name of the number with its value, and its 95% `interval` where that
    is known. Of several labels `labels` are those that it is said to have. `nearest` are the nearest training examples, the
    nearest first. `distance` (0..2) is that by which `is_outside` says whether it lies outside of what was trained on; both are
    None where that is not known. `areas` tell whether its heat map points at what matters, and `words` what carried the decision
    on a text.
    """

    name: str
    reason: str = ""
    outputs: tuple[tuple[str, float], ...] = ()
    interval: tuple[float, float] | None = None
    labels: tuple[str, ...] | None = None
    nearest: tuple[TrainingExample, ...] = ()
    distance: float | None = None
    is_outside: bool | None = None
    areas: Areas | None = None
    words: TextWords | None = None


@dataclass(frozen=True)
class Fitted:
    """What was fitted to so many validation `examples`, so that what is said means what it says: of classes the `temperature` by
    which logits are divided, and of a number its `reach`, within which of it `COVERED` of the true ones lie."""

    examples: int
    temperature: float | None = None
    reach: float | None = None


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
