"""A format that says something else than the network, how one is checked in this process, and what is found of a good one."""

from pathlib import Path
from typing import ClassVar

from tests.tools.answering import answered
from tl_core.exports import Contents, ExportFormat
from tl_core.recipe import Recipe
from tl_core.runs.exported import Parity
from tl_core.runs.store import Store
from tl_core.studies.export_check import ExportCheck, ExportResult

GOOD = Parity(
    at=1.8e9,
    examples=200,
    largest_difference=3e-8,
    agreeing=200,
    correct=178,
    own_correct=178,
    file_bytes=13_600_000,
    seconds_alone=0.0042,
    seconds_in_batch=0.0011,
)


def checked(run: str, name: str) -> ExportResult:
    """What the study finds, in this process."""
    return answered(ExportCheck(run_id=run, format=name), Store().home, Recipe.of(Store().run(run).spec))


class Wrong(ExportFormat):
    """Another network than the one that it was given."""

    title: ClassVar[str] = "Wrong"
    file: ClassVar[str] = "model.txt"
    packages: ClassVar[str] = "nothing"
    imports: ClassVar[str] = "import math"
    loads: ClassVar[str] = "def predict(inputs):\n    return np.full((len(inputs), 3), 1 / 3)\n"

    def write(self, contents: Contents, place: Path) -> None:
        place.write_text(contents.card)
