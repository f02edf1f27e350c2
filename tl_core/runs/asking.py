"""What-ifs asked in a process of their own; the answers are kept, and can be watched as they come."""

import time
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Self

from pydantic import TypeAdapter

from tl_core.events import Event, Stage
from tl_core.questions import Answer, Question
from tl_core.recipe import Recipe
from tl_core.runs import apart
from tl_core.spec import RunSpec

WRITING_SECONDS = 0.5


@dataclass(frozen=True)
class Inquiry:
    """A question about a dataset, backbone and image size, and the answers so far. `images_per_second` is told while features
    are computed; `seconds` is what all of it took; `error` says why there are no answers."""

    question: Question
    stage: str = "Starting Python and Keras"
    images_per_second: float | None = None
    answers: tuple[Answer, ...] = ()
    seconds: float = 0.0
    finished: bool = False
    error: str = ""

    @classmethod
    def read(cls, home: Path, recipe: Recipe) -> Self | None:
        """The last one about the recipe's data and network; None where there is none, or its process has gone without an end."""
        return apart.read(_file(home, recipe), cls)

    @property
    def share(self) -> float:
        """How much of it is done, 0..1, once there are answers."""
        return min(1.0, len(self.answers) / max(1, self.question.answers))


def is_at_work(home: Path, recipe: Recipe) -> bool:
    """Whether something is being asked about the recipe's data and network."""
    return apart.is_at_work(_file(home, recipe))


def request(home: Path, recipe: Recipe, question: Question) -> None:
    """Ask it in the background, unless something is being asked about the same. Raises what `apart.start` does."""
    file = _file(home, recipe)
    command = ["ask", recipe.spec().model_dump_json(), TypeAdapter(Question).dump_json(question).decode()]
    apart.start(home, file, command, lambda: apart.write(file, Inquiry(question)))


def ask(home: Path, spec_json: str, question_json: str) -> None:
    """Answer it, keeping what is known every half second."""
    spec = RunSpec.model_validate_json(spec_json)
    question = TypeAdapter(Question).validate_json(question_json)
    file = _file(home, Recipe.of(spec))
    began, watch = time.monotonic(), _Watch(file, Inquiry(question))

    def answered() -> None:
        from tl_core.features.cache import cache_of
        from tl_core.what_ifs import answers

        for answer in answers(spec, question, watch, cache_of(home)):
            watch.add(answer)

    error = apart.attempt(answered, spec, file.parent)
    apart.write(file, replace(watch.now, error=error, finished=True, seconds=time.monotonic() - began))


class _Watch:
    """Gathers what is reported and answered."""

    def __init__(self, file: Path, inquiry: Inquiry) -> None:
        self.now = inquiry
        self._file, self._written = file, 0.0

    def __call__(self, event: Event) -> None:
        if isinstance(event, Stage):
            self._change(replace(self.now, stage=event.title, images_per_second=event.images_per_second))

    def add(self, answer: Answer) -> None:
        """One more."""
        self._change(replace(self.now, answers=(*self.now.answers, answer)))

    def _change(self, now: Inquiry) -> None:
        self.now = now
        if time.monotonic() - self._written > WRITING_SECONDS:
            apart.write(self._file, now)
            self._written = time.monotonic()


def _file(home: Path, recipe: Recipe) -> Path:
    """By the data but for the number of labels, the network, and what is done with its features."""
    spec = recipe.spec()
    dataset = recipe.dataset.model_dump(mode="json") | {"name": recipe.dataset.name, "labels_per_class": None}
    normalise = recipe.strategy.model_dump().get("normalise", True)
    decisive = [dataset, spec.backbone, spec.image_size, spec.arithmetic, normalise]
    key = sha256(TypeAdapter(list).dump_json(decisive)).hexdigest()[:16]
    return home / "what_ifs" / f"{key}.json"
