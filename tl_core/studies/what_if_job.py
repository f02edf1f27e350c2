"""What-ifs asked in a process of their own; the answers are kept, and can be watched as they come."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import TypeAdapter

from tl_core.analysis.what_if import Answer, Question
from tl_core.jobs import background
from tl_core.recipe import Recipe
from tl_core.spec import RunSpec


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
        return background.read(_file(home, recipe), cls)

    @property
    def share(self) -> float:
        """How much of it is done, 0..1, once there are answers."""
        return min(1.0, len(self.answers) / max(1, self.question.answers))


def is_at_work(home: Path, recipe: Recipe) -> bool:
    """Whether something is being asked about the recipe's data and network."""
    return background.is_at_work(_file(home, recipe))


def request(home: Path, recipe: Recipe, question: Question) -> None:
    """Ask it in the background, unless something is being asked about the same. Raises what `apart.start` does."""
    file = _file(home, recipe)
    command = ["ask", recipe.spec().model_dump_json(), TypeAdapter(Question).dump_json(question).decode()]
    background.start(home, file, command, lambda: background.write(file, Inquiry(question)))


def ask(home: Path, spec_json: str, question_json: str) -> None:
    """Answer it, keeping what is known every half second."""
    spec = RunSpec.model_validate_json(spec_json)
    question = TypeAdapter(Question).validate_json(question_json)
    file = _file(home, Recipe.of(spec))
    watch = background.Watch(file, Inquiry(question))

    def answered() -> None:
        from tl_core.features.cache import cache_of
        from tl_core.studies.what_if import answers

        for answer in answers(spec, question, watch.hear, cache_of(home)):
            watch.change(answers=(*watch.now.answers, answer))

    watch.carry_out(answered, spec)


def _file(home: Path, recipe: Recipe) -> Path:
    """By the data but for the number of labels, the network, and what is done with its features."""
    spec = recipe.spec()
    normalise = recipe.strategy.model_dump().get("normalise", True)
    dataset = background.with_all_labels(recipe.dataset)
    return background.file_for(home / "what_ifs", dataset, spec.backbone, spec.image_size, spec.precision, normalise)
