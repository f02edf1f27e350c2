"""A head for labels of which an image may have several: each is told from its absence by a head of two classes."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from tl_core.heads.head import ChosenBy, Head
from tl_core.heads.solver import FitsPath, Problem, Score, Solver
from tl_core.heads.space import Labelled
from tl_core.notes import Note, NoteKind


@runtime_checkable
class FitsLabels(Protocol):
    """A solver of heads for classes that, as two classes, tells having a label from not having it."""

    fits_labels: ClassVar[bool]


@dataclass(frozen=True)
class OneVsRest:
    """A head of which the sigmoid of a label's logit is the probability that `solver` gives for having it, as scikit-learn's
    OneVsRestClassifier. Each label has a penalty of its own, chosen by what a score says of that label alone."""

    title: ClassVar[str] = "one label against the rest"
    solver: Solver

    def solve(self, given: Problem) -> Head:
        """Return the head; labels are (images, labels), true where an image has one. A label that all training images have, or
        none, gets a probability that hardly differs from 1, or from 0."""
        return _joined(self.solved(given), np.asarray(given.train[1]))

    def solved(self, given: Problem) -> list[Head]:
        """Return the head of two classes, not to have it and to have it, of each label."""
        return [self.solver.solve(alone) for alone in _of_each_label(given)]

    def path(self, given: Problem, strengths: Sequence[float]) -> Sequence[Head]:
        """Return such a head for each of the `strengths`, which all labels have in common."""
        assert isinstance(self.solver, FitsPath)
        paths = [self.solver.path(alone, strengths) for alone in _of_each_label(given)]
        return [_joined(heads, np.asarray(given.train[1])) for heads in zip(*paths, strict=True)]

    def multiply_adds(self, images: int, features: int, classes: int) -> float:
        """Return those of a head of two classes for each label."""
        return classes * self.solver.multiply_adds(images, features, 2)


def _of_each_label(given: Problem) -> Iterator[Problem]:
    """Yield the problem of two classes that each label is: not to have it, or to have it."""
    train, validation = ((np.asarray(of[0]), np.asarray(of[1])) if of else None for of in (given.train, given.validation))
    assert train
    alone = replace(given, classes=2, score=given.score and partial(_score_of_label, given.score))
    for label in range(given.classes):
        yield replace(alone, train=_of_label(train, label), validation=validation and _of_label(validation, label))


def _joined(heads: Sequence[Head], labels: NDArray[Any]) -> Head:
    """Return one head of the `heads` of all labels, which were fitted to the `labels` (images, labels)."""
    constant = int((labels.all(axis=0) | ~labels.any(axis=0)).sum())
    return replace(
        heads[0],
        kernel=np.stack([head.kernel[:, 1] - head.kernel[:, 0] for head in heads], axis=1),
        bias=np.array([head.bias[1] - head.bias[0] for head in heads]),
        chosen=_ends(heads),
        chosen_by=_by(heads),
        iterations=sum(head.iterations for head in heads),
        converged=all(head.converged for head in heads),
        remarks=(*_remarks(heads), *((Note(NoteKind.CONSTANT_LABELS, (constant,)),) if constant else ())),
    )


def _of_label(images: tuple[NDArray[np.generic], NDArray[np.generic]], label: int) -> Labelled:
    features, labels = images
    return features, labels[:, label].astype(np.intp)


def _score_of_label(score: Score, labels: NDArray[Any], probabilities: NDArray[np.float32]) -> float:
    """Return the `score` of labels that are one column, of the probabilities of not having that label, and of having it."""
    return score(labels[:, None].astype(bool), probabilities[:, 1:])


def _ends(heads: Sequence[Head]) -> dict[str, float]:
    """Return what was chosen for all labels, or the least and the largest of it where they differ."""
    told = dict[str, float]()
    for name in sorted({name for head in heads for name in head.chosen}):
        values = [head.chosen[name] for head in heads if name in head.chosen]
        least, largest = min(values), max(values)
        told |= {name: least} if np.isclose(least, largest) else {f"least {name}": least, f"largest {name}": largest}
    return told


def _by(heads: Sequence[Head]) -> ChosenBy | None:
    """Return what chose for most labels."""
    return next((by for by, _ in Counter(head.chosen_by for head in heads if head.chosen_by).most_common(1)), None)


def _remarks(heads: Sequence[Head]) -> tuple[Note, ...]:
    """Return what is remarked on the fits, once; labels of which there is nothing to tell are counted by whoever has them all."""
    return tuple(dict.fromkeys(note for head in heads for note in head.remarks if note.kind != NoteKind.ONE_CLASS))
