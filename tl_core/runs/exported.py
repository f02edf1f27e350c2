"""What left a finished run: its model in other formats, and whether each was found to say the same. Each is a folder within that
of the run, with the file of the format, what is known of the model, and a script that loads it."""

from contextlib import AbstractContextManager
from math import isfinite
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tl_core.analysis.non_inferiority import greatest_loss
from tl_core.analysis.statistics import Interval, wilson
from tl_core.networks.outline import Provenance
from tl_core.result import MetricValue, Threshold
from tl_core.system.files import new_folder, write_whole

FOLDER, ASKED, PARITY = "exports", "asked", "parity.json"
"""Where they are kept in a run's folder, below that what is known of those that are at work, and what was found of one."""
TOLERANCE = 1e-4
"""By how much a probability may differ, or a number in standard deviations of the test's numbers."""
MARGIN = 0.01
"""By how much the accuracy of a quantised model may be lower, as far as the test examples can tell."""


class _Plain(BaseModel):
    model_config = ConfigDict(frozen=True, ser_json_inf_nan="strings")


class Input(_Plain):
    """What the network takes: `shape` of an example, the `dtype` by NumPy's name, and its `size` as people call it."""

    shape: tuple[int, ...]
    dtype: str
    size: str


class Calibration(_Plain):
    """By which `temperature` the logits of a model were divided, fitted to so many validation `examples`, and its expected
    calibration error before and after, on these and on the test examples."""

    temperature: float
    examples: int
    validation_error: tuple[float, float]
    test_error: tuple[float, float]


class About(_Plain):
    """What whoever uses the model elsewhere should know of it. `outputs` are the names of the classes, the labels or the number;
    of several labels each is predicted from its threshold on, from 1/2 where there are no `thresholds`. The `calibration`, where
    there is one, is in the model already."""

    run_id: str
    format: str
    file: str
    task: str
    outputs: tuple[str, ...]
    thresholds: tuple[Threshold, ...]
    input: Input
    dataset: str
    backbone: str
    strategy: str
    provenance: Provenance
    metrics: tuple[MetricValue, ...]
    versions: dict[str, str]
    calibration: Calibration | None = None


class Parity(_Plain):
    """What an export said of test examples in its own runtime, against the run's model in Keras, both in float32.

    `at` is when, in seconds since 1970. `largest_difference` is that of two probabilities, or of two numbers in standard
    deviations of the test's. Of `examples` so many had the same first class (`agreeing`), so many were `correct`, and of the same
    ones so many were in the run's own test (`own_correct`): all None where nothing is right or wrong. `file_bytes` are those of
    the format's file, or files. Seconds are wall seconds for an example on the processor, alone and in a batch of 32. With a
    `calibration` it is compared with the run's model that has the same one. Of a quantised export
    `disagreements` are how many examples only Keras, and only the export, got right.
    """

    at: float
    examples: int
    largest_difference: float
    agreeing: int | None
    correct: int | None
    own_correct: int | None
    file_bytes: int
    seconds_alone: float
    seconds_in_batch: float
    calibration: Calibration | None = None
    disagreements: tuple[int, int] | None = None

    @property
    def is_good(self) -> bool:
        """Return whether it says the same, or is as accurate where it is quantised; not where what it says is no number."""
        if self.greatest_loss is None:
            return self.largest_difference <= TOLERANCE
        return isfinite(self.largest_difference) and self.greatest_loss <= MARGIN

    @property
    def greatest_loss(self) -> float | None:
        """Return the one-sided 95% upper bound of the accuracy (-1..1) that quantising cost; None of a format in float32."""
        return None if self.disagreements is None else greatest_loss(*self.disagreements, self.examples)

    @property
    def interval(self) -> Interval | None:
        """Return the 95% Wilson interval of its accuracy; None where nothing is right or wrong."""
        return None if self.correct is None else wilson(self.correct, self.examples)


def place(folder: Path, name: str) -> Path:
    """Return where the export in the format `name` of the run of `folder` is kept."""
    return folder / FOLDER / name


def new_export(folder: Path, name: str) -> AbstractContextManager[Path]:
    """Return a `new_folder` in the place of an export."""
    return new_folder(place(folder, name))


def write(folder: Path, name: str, content: BaseModel) -> None:
    """Write plain values to the file `name` of an export. Raises `StorageError`."""
    text = content.model_dump_json(indent=2) + "\n"
    write_whole(folder / name, lambda path: path.write_text(text, encoding="utf-8"))


def read(folder: Path) -> dict[str, Parity]:
    """Return what was found of each export of the run of `folder`, by the name of its format."""
    found = {file.parent.name: _read(file) for file in sorted((folder / FOLDER).glob(f"[!.]*/{PARITY}"))}
    return {name: parity for name, parity in found.items() if parity}


def _read(file: Path) -> Parity | None:
    try:
        return Parity.model_validate_json(file.read_bytes())
    except (OSError, ValueError):
        return None
