"""A head for labels of which an image may have several: each is told from its absence by a head of two classes."""

from collections import Counter
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from tl_core.heads.head import ChosenBy, Head
from tl_core.heads.solver import Problem, Score, Solver
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
        train, validation = ((np.asarray(of[0]), np.asarray(of[1])) if of else None for of in (given.train, given.validation))
        assert train
        alone = replace(given, classes=2, score=given.score and partial(_score_of_label, given.score))
        heads = [
            self.solver.solve(
                replace(alone, train=_of_label(train, label), validation=validation and _of_label(validation, label))
            )
            for label in range(given.classes)
        ]
        kernel = np.stack([head.kernel[:, 1] - head.kernel[:, 0] for head in heads], axis=1)
        bias = np.array([head.bias[1] - head.bias[0] for head in heads])
        constant = int((train[1].all(axis=0) | ~train[1].any(axis=0)).sum())
        return replace(
            heads[0],
            kernel=kernel,
            bias=bias,
            chosen=_ends(heads),
            chosen_by=_by(heads),
            iterations=sum(head.iterations for head in heads),
            converged=all(head.converged for head in heads),
            remarks=(*_remarks(heads), *((Note(NoteKind.CONSTANT_LABELS, (constant,)),) if constant else ())),
        )

    def multiply_adds(self, images: int, features: int, classes: int) -> float:
        """Return those of a head of two classes for each label."""
        return classes * self.solver.multiply_adds(images, features, 2)


def _of_label(images: tuple[NDArray[np.generic], NDArray[np.generic]], label: int) -> Labelled:
    features, labels = images
    return features, labels[:, label].astype(np.intp)


def _score_of_label(score: Score, labels: NDArray[Any], probabilities: NDArray[np.float32]) -> float:
    """Return the `score` of labels that are one column, of the probabilities of not having that label, and of having it."""
    return score(labels[:, None].astype(bool), probabilities[:, 1:])


def _ends(heads: list[Head]) -> dict[str, float]:
    """Return what was chosen for all labels, or the least and the largest of it where they differ."""
    told = dict[str, float]()
    for name in sorted({name for head in heads for name in head.chosen}):
        values = [head.chosen[name] for head in heads if name in head.chosen]
        least, largest = min(values), max(values)
        told |= {name: least} if np.isclose(least, largest) else {f"least {name}": least, f"largest {name}": largest}
    return told


def _by(heads: list[Head]) -> ChosenBy | None:
    """Return what chose for most labels."""
    return next((by for by, _ in Counter(head.chosen_by for head in heads if head.chosen_by).most_common(1)), None)


def _remarks(heads: list[Head]) -> tuple[Note, ...]:
    """Return what is remarked on the fits, once; labels of which there is nothing to tell are counted by whoever has them all."""
    return tuple(dict.fromkeys(note for head in heads for note in head.remarks if note.kind != NoteKind.ONE_CLASS))
