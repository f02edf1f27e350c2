"""Studies: answers about a recipe that are found in the background and are no runs. A study is one module of this package.

A study says what decides its answer and how it is found. The rest stands here once: a process of its own, the line for a device,
a result that grows and stays, and its end on request.
"""

import os
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from tl_core.data.label_kinds import CLASSES
from tl_core.datasets import Dataset
from tl_core.errors import SettingError
from tl_core.events import Activity, Event, Reporter, Stage
from tl_core.jobs import background, device_queue
from tl_core.jobs.background import ResultWriter
from tl_core.machine import backends
from tl_core.recipe import Recipe
from tl_core.registry import Part, Registry
from tl_core.spec import PartSpec, RunSpec

COMMAND = "work-study"
"""The hidden command that is the process of a study."""


@dataclass(frozen=True)
class StudyResult:
    """What a study has found, as far as it has come. Each study adds its own fields, all with defaults.

    `stage` is what it does, as `events.encoded` has it, or in the study's own words.
    `place` is its place in the line for a device, from 1, while it waits there. `images_per_second` is told while a network sees
    images, `seconds` is what it took, waiting not counted, and `error` says why there is no answer.
    """

    stage: str = Activity.STARTING_PYTHON
    place: int | None = None
    images_per_second: float | None = None
    seconds: float = 0.0
    finished: bool = False
    error: str = ""

    @property
    def share(self) -> float:
        """Return how much of it is done, 0..1; 0 where nobody knows."""
        return 0.0

    @property
    def seconds_left(self) -> float | None:
        """Return how many seconds it will take from now on, None where nobody knows."""
        return None


@dataclass(frozen=True)
class SharedResult(StudyResult):
    """One that tells how much is `done`, 0..1."""

    done: float = 0.0

    @property
    def share(self) -> float:
        """Return how much of it is done, 0..1."""
        return self.done


R = TypeVar("R", bound=StudyResult)


class Study(Part, Generic[R]):
    """A question about a recipe. Its fields are its settings."""

    folder: ClassVar[str]
    """Where results are kept, below the home."""
    needs_keras: ClassVar[bool] = True
    """Whether it computes with a network, and so waits for a GPU where there are any."""
    needs_classes: ClassVar[bool] = False
    """Whether it makes no sense where the labels are no classes."""

    @abstractmethod
    def first(self) -> R:
        """Return the result before anything is known."""

    @abstractmethod
    def decisive(self, recipe: Recipe) -> Sequence[Any]:
        """Return what decides the answer, as plain values or pydantic models: results of the same are kept in one file."""

    def spec_for(self, recipe: Recipe) -> RunSpec:
        """Return what its process is told of a recipe: all that was chosen, and what follows from it written out."""
        return recipe.spec()

    def require_possible(self, recipe: Recipe) -> None:
        """Raise the `TransferError` that it would meet, where it can be known now."""
        recipe.require_runnable()

    def require_suitable(self, recipe: Recipe) -> None:
        """Raise the `SettingError` of a study that makes no sense for the labels of the recipe's task, or what `require_possible`
        does."""
        kind = recipe.dataset.label_kind
        if self.needs_classes and kind != CLASSES:
            raise SettingError(
                f"{self.title} looks at classes, and the labels here are {kind.title}.",
                "Choose the task classification for it.",
                received=f"{self.name} with {recipe.task.name}",
            )
        self.require_possible(recipe)

    @abstractmethod
    def run(self, recipe: Recipe, home: Path, writer: ResultWriter[R]) -> None:
        """Find the answer, and tell `writer` what is known as it grows. Raises `TransferError` for what the user can mend."""

    @abstractmethod
    def rows(self, found: R) -> Iterator[dict[str, Any]]:
        """Yield what was found as named numbers and texts, for tables: each row has the same names."""

    def conclusion(self, found: R) -> str:
        """Return in a sentence what follows from a finished result; an empty text of a study whose numbers speak alone."""
        return ""

    def place(self, home: Path) -> Path:
        """Return the folder that holds the results."""
        return home / self.folder

    def file(self, home: Path, recipe: Recipe) -> Path:
        """Return the file that holds the result."""
        return background.file_for(self.place(home), *self.decisive(recipe))

    def read(self, home: Path, recipe: Recipe) -> R | None:
        """Return the result that grows, or else the last finished one; None where there is none."""
        return background.read(self.file(home, recipe), type(self.first()))

    def is_at_work(self, home: Path, recipe: Recipe) -> bool:
        """Return whether it is being answered, or waits for a device."""
        return background.is_at_work(self.file(home, recipe))

    def request(self, home: Path, recipe: Recipe) -> None:
        """Start to answer it in the background, unless it is at work. Raises `StorageError`, and `SettingError` where Keras is
        needed and cannot be imported."""
        if self.needs_keras:
            backends.require_importable()
        command = [COMMAND, self.spec_for(recipe).model_dump_json(), self.spec().model_dump_json()]
        background.start(home, self.file(home, recipe), command, self.first())

    def cancel(self, home: Path, recipe: Recipe) -> None:
        """End it, waiting or working; what an earlier one has found stays."""
        background.cancel(self.file(home, recipe))

    def answer(self, home: Path, recipe: Recipe, runs_before: Callable[[float], int]) -> None:
        """Wait for a device, answer it in this process, and keep how it ended. `runs_before` as in `device_queue.wait`."""
        writer = ResultWriter(self.file(home, recipe), self.first())

        def work() -> None:
            if self.needs_keras:
                lease = device_queue.wait(home, runs_before, lambda place: writer.update(place=place))
                os.environ.update(lease.environment() if lease else {})
                writer.start_clock()
                writer.update(place=None, stage=Activity.STARTING_KERAS)
            self.run(recipe, home, writer)

        writer.carry_out(work, recipe.spec())


def reporter(writer: ResultWriter[Any]) -> Reporter:
    """Return what tells a `SharedResult` what happens, and how much is done."""

    def report(event: Event) -> None:
        writer.report(event)
        if isinstance(event, Stage):
            writer.update(done=event.done)

    return report


def with_all_labels(dataset: Dataset) -> dict[str, Any]:
    """Return what a dataset is but for how many of its labels are used, as one of the values that decide; what labels are read as
    is one of these where they are no classes."""
    kind = {} if dataset.label_kind == CLASSES else {"label_kind": dataset.label_kind.title}
    return dataset.spec().content.settings | {"name": dataset.name, "labels_per_class": None} | kind


studies: Registry[Study[Any]] = Registry("study", "tl_core.studies")
register = studies.register
build = studies.build


def answer(home: Path, recipe: str, study: str, runs_before: Callable[[float], int]) -> None:
    """Answer a study (a part as JSON) about a recipe (its spec as JSON) in this process; see `Study.answer`."""
    part = build(PartSpec.model_validate_json(study))
    part.answer(home, Recipe.of(RunSpec.model_validate_json(recipe)), runs_before)
