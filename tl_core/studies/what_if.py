"""What-ifs: what a linear probe would reach with other labels, asked about many numbers of them at once."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import BeforeValidator, Field, field_validator

from tl_core.analysis.learning_curve import Point, points
from tl_core.analysis.what_if import Answer, Question
from tl_core.errors import SettingError
from tl_core.features.cache import cache_of
from tl_core.jobs.background import ResultWriter
from tl_core.metrics import metric_of
from tl_core.metrics.accuracy import Accuracy
from tl_core.recipe import Recipe
from tl_core.studies import Study, StudyResult, register, with_all_labels

Value = TypeVar("Value", int, float)
ALL, CHOSEN = "all", "chosen"


def listed(text: str, kind: Callable[[str], Value], nothing: str) -> tuple[Value | None, ...]:
    """Return the positive numbers in `text`, separated by commas; the word `nothing` stands for None. Raises `SettingError`."""
    words = [word.strip() for word in text.split(",")]
    try:
        values = tuple(None if word == nothing else kind(word) for word in words)
    except ValueError:
        values = ()
    if not values or any(value is not None and not 0 < value < float("inf") for value in values):
        raise SettingError("These are no positive numbers.", f"Separate them by commas, or say {nothing}.", received=text)
    return values


def _current(stored: Any) -> Any:
    """Return a stored answer as it is today: while there was no other metric, it told how many test images were right."""
    if not isinstance(stored, dict) or "correct" not in stored:
        return stored
    found = Accuracy().of_counts(stored["correct"], stored["test_images"])
    return {name: value for name, value in stored.items() if name not in ("correct", "test_images")} | {"found": found}


StoredAnswer = Annotated[Answer, BeforeValidator(_current)]


@dataclass(frozen=True)
class WhatIfResult(StudyResult):
    """A question about a dataset, backbone and image size, and the answers so far."""

    question: Question = field(default=Question((), (), 0))
    answers: tuple[StoredAnswer, ...] = ()

    @property
    def points(self) -> list[Point]:
        """Return what the answers say together."""
        return points(self.answers, metric_of(self.answers[0].found).ends) if self.answers else []

    @property
    def share(self) -> float:
        """Return how much of it is done, 0..1, once there are answers."""
        return min(1.0, len(self.answers) / max(1, self.question.answers))


@register("what_if")
class WhatIf(Study[WhatIfResult]):
    """Say what a linear probe would reach with other labels: many answers after one pass of the frozen network."""

    title: ClassVar[str] = "What if there were other labels?"
    folder: ClassVar[str] = "what_ifs"

    labels: str = Field(
        "2,5,10,20,50", title="Labels a class", description="Numbers of labels a class, with commas; all for all there are."
    )
    strengths: str = Field(
        "chosen,1,10,100",
        title="Inverse penalties C",
        description="Inverse penalties C, with commas; chosen for the one that validation images choose.",
    )
    seeds: int = Field(5, ge=1, le=100, title="Draws", description="How many times the labels are drawn anew.")

    @field_validator("labels")
    @classmethod
    def _counts(cls, text: str) -> str:
        listed(text, int, ALL)
        return text

    @field_validator("strengths")
    @classmethod
    def _penalties(cls, text: str) -> str:
        listed(text, float, CHOSEN)
        return text

    @property
    def question(self) -> Question:
        """Return the settings as numbers."""
        return Question(listed(self.labels, int, ALL), listed(self.strengths, float, CHOSEN), self.seeds)

    def first(self) -> WhatIfResult:
        return WhatIfResult(question=self.question)

    def decisive(self, recipe: Recipe) -> Sequence[Any]:
        spec = recipe.spec()
        how = spec.image_size, spec.precision, recipe.strategy.normalises
        is_usual = recipe.deciding_metric == recipe.task.primary() and not recipe.metric_chooses
        return with_all_labels(recipe.dataset), spec.backbone, *how, *(() if is_usual else (spec.metric,))

    def run(self, recipe: Recipe, home: Path, writer: ResultWriter[WhatIfResult]) -> None:
        from tl_core.studies._linear_probes import answers

        for answer in answers(recipe.spec(), self.question, writer.report, cache_of(home)):
            writer.update(answers=(*writer.now.answers, answer))

    def rows(self, found: WhatIfResult) -> Iterator[dict[str, Any]]:
        for point in found.points:
            yield {
                "labels": ALL if point.labels is None else point.labels,
                "C": CHOSEN if point.strength is None else point.strength,
                "train_images": point.train_images,
                f"test_{point.found.name}": point.found.value,
                "low": point.found.low,
                "high": point.found.high,
                "draws": len(point.draws),
            }
