"""What a model card says of a finished run (Mitchell et al. 2019, arXiv 1810.03993), in plain facts."""

from dataclasses import dataclass

import numpy as np

from tl_core.analysis import convergence
from tl_core.analysis.metrics import confusions
from tl_core.analysis.statistics import Interval, wilson
from tl_core.backbones import backbones
from tl_core.data.examples import Modality
from tl_core.data.label_kinds import CLASSES, NUMBERS
from tl_core.recipe import shown_size_of, things_of, titles_of
from tl_core.result import Predictions, Result
from tl_core.runs import artifacts, evaluations
from tl_core.runs.evaluations import Evaluation, Testable
from tl_core.runs.score import task_of
from tl_core.runs.store import Run
from tl_core.strategies import strategies

PIPELINES = {Modality.IMAGES: "image-classification", Modality.TEXTS: "text-classification"}
WORST = 5
"""So many classes, and pairs of classes, are named."""
FEW_IMAGES = 30
"""Of a class with fewer test images its recall is known to twenty points at best."""


@dataclass(frozen=True)
class ClassRecall:
    """A class by name, how many of its test examples there are, and how many of them were found."""

    name: str
    examples: int
    correct: int

    @property
    def share(self) -> float:
        """Return the recall, 0..1."""
        return self.correct / self.examples

    @property
    def interval(self) -> Interval:
        """Return its 95% Wilson interval."""
        return wilson(self.correct, self.examples)


@dataclass(frozen=True)
class Mistake:
    """How many test examples of one class were taken for another one."""

    true: str
    taken: str
    examples: int


@dataclass(frozen=True)
class Card:
    """A finished run, its result, and what is worth knowing of its model: the titles of dataset, backbone and strategy, and what
    the strategy does (`approach`); what examples are called, and the size of an input; the task, and what Hugging Face calls it
    (`pipeline`; empty where it has no name); where it fails most, of classes alone; how many classes have few test examples;
    warnings on its training; its tests on other data; and whether the stored model is its head alone, since only the features of
    its network are known."""

    run: Run
    result: Result
    titles: tuple[str, str, str]
    approach: str
    things: str
    input_size: str
    task: str
    pipeline: str
    worst: tuple[ClassRecall, ...]
    mistakes: tuple[Mistake, ...]
    rarely_tested: int
    warnings: tuple[str, ...]
    evaluations: tuple[Evaluation, ...]
    head_alone: bool


def card_of(found: Testable) -> Card:
    """Return the card of a finished run. Raises `RunError` where its predictions are lost."""
    run, folder, result = found
    task, strategy = task_of(run), strategies.parts().get(run.spec.strategy.name)
    backbone = backbones.parts().get(run.spec.backbone.name)
    recalls, mistakes = _failures(result, artifacts.read_predictions(folder)) if task.label_kind == CLASSES else ((), ())
    return Card(
        run=run,
        result=result,
        titles=titles_of(run.spec),
        approach=strategy.summary() if strategy else "",
        things=things_of(run.spec),
        input_size=shown_size_of(run.spec),
        task=task.title,
        pipeline=PIPELINES.get(backbone.accepts, "") if backbone and task.label_kind != NUMBERS else "",
        worst=tuple(sorted(recalls, key=lambda found: (found.share, -found.examples))[:WORST]),
        mistakes=mistakes[:WORST],
        rarely_tested=sum(found.examples < FEW_IMAGES for found in recalls),
        warnings=tuple(convergence.warnings(result, things_of(run.spec))),
        evaluations=evaluations.read(folder),
        head_alone=backbone is not None and backbone.features_only,
    )


def _failures(result: Result, said: Predictions) -> tuple[tuple[ClassRecall, ...], tuple[Mistake, ...]]:
    """Return the recall of each class that was tested, and the mistakes, the most frequent first."""
    names, labels, predicted = result.class_names, said.labels, said.probabilities.argmax(axis=1)
    examples, right = (np.bincount(each, minlength=len(names)).tolist() for each in (labels, labels[labels == predicted]))
    recalls = (ClassRecall(*found) for found in zip(names, examples, right, strict=True))
    pairs = zip(*(each.tolist() for each in confusions(labels, predicted)), strict=True)
    mistakes = tuple(Mistake(names[true], names[taken], count) for true, taken, count in pairs if true != taken)
    return tuple(found for found in recalls if found.examples), mistakes
