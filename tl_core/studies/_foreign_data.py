"""Data that a run has not learned from, with the labels that it knows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_core.data.class_names import matched
from tl_core.data.examples import Examples
from tl_core.data.label_kinds import CLASSES, NUMBERS, LabelKind
from tl_core.errors import DataError
from tl_core.notes import MOST_NAMED, Note, NoteKind, listed
from tl_core.recipe import Recipe

OF_LEARNING = {
    *(NoteKind.CLASSES_WITHOUT_TRAINING, NoteKind.CLASSES_WITHOUT_TEST, NoteKind.SET_ASIDE, NoteKind.NOT_USED_YET),
    *(NoteKind.LABELS_WITHOUT_TRAINING, NoteKind.LABELS_WITHOUT_TEST),
    *(NoteKind.COLUMN_TELLS_CLASS, NoteKind.COLUMN_TELLS_NUMBER),
}
"""Notes that matter to who learns from the data alone."""


@dataclass(frozen=True)
class ForeignData:
    """Examples to test on, in the splits that they come in, with the label of each in `labels`: its class, of those that the run
    knows, or what another `label_kind` has. `spelled` are pairs of the run's name for a class and the one that these data have,
    where they differ, and `told` is what is to be known of the reading of the data."""

    splits: Mapping[str, Examples]
    labels: Mapping[str, NDArray[Any]]
    spelled: tuple[tuple[str, str], ...]
    has_test: bool
    told: tuple[Note, ...] = ()
    label_kind: LabelKind = CLASSES

    @property
    def images(self) -> int:
        """Return how many there are."""
        return sum(map(len, self.splits.values()))

    def without(self, contents: set[bytes]) -> "ForeignData":
        """Return those whose content is not one of `contents` (sha256). Raises `DataError` for an image that cannot be read."""
        kept = {split: np.flatnonzero([each not in contents for each in images.ids]) for split, images in self.splits.items()}
        splits = {split: images.take(kept[split]) for split, images in self.splits.items() if len(kept[split])}
        return replace(self, splits=splits, labels={split: self.labels[split][kept[split]] for split in splits})

    def notes(self, thing: str, class_names: Sequence[str]) -> Iterator[Note]:
        """Yield which images these are, which classes they lack of `class_names`, and which they spell otherwise. `thing` is what
        several of them are called."""
        kind = NoteKind.TESTED_ON_TEST_SPLIT if self.has_test else NoteKind.TESTED_ON_ALL
        yield Note(kind, (self.images,), tuple(self.splits), (thing,))
        if lacking := self.label_kind.lacking(class_names, np.concatenate(list(self.labels.values()))):
            yield Note.counting(self.label_kind.not_here, lacking)
        if self.spelled:
            names = tuple(chain(*self.spelled[:MOST_NAMED]))
            yield Note(NoteKind.CLASSES_SPELLED_OTHERWISE, (len(self.spelled),), names)


def foreign_data(recipe: Recipe, class_names: Sequence[str]) -> ForeignData:
    """Return the data of `recipe` as a model that knows `class_names` is tested on them. Raises `DataError` for data that cannot
    be read, that hold no image, or that have images of a class which the model does not know, and `SettingError` for those whose
    labels are of another kind."""
    recipe.dataset.require_label_kind()
    names, given, notes, _ = recipe.dataset.for_test(recipe.seed)
    splits = {split: examples for split, examples in given.items() if len(examples)}
    if not splits:
        thing = recipe.dataset.thing
        raise DataError(f"These data have no {thing} to test on.", "Choose others.", received=recipe.dataset.location())
    told = tuple(note for note in notes if note.kind not in OF_LEARNING)
    has_test, kind = list(given) == ["test"], recipe.dataset.label_kind
    places = matched(names, class_names)
    if kind == NUMBERS:
        called = () if places[0] is not None else (Note(NoteKind.NUMBER_OF_ANOTHER_NAME, about=(names[0], class_names[0])),)
        labels = {split: images.labels for split, images in splits.items()}
        return ForeignData(splits, labels, (), has_test, (*told, *called), kind)
    lacking = kind.lacking(names, np.concatenate([images.labels for images in splits.values()]))
    unknown = [name for name, place in zip(names, places, strict=True) if place is None and name not in lacking]
    _require_known(unknown, class_names, kind)
    pairs = ((class_names[place], name) for name, place in zip(names, places, strict=True) if place is not None)
    spelled = tuple((known, name) for known, name in pairs if known != name)
    labels = {split: kind.placed(images.labels, places, len(class_names)) for split, images in splits.items()}
    return ForeignData(splits, labels, spelled, has_test, told, kind)


def _require_known(unknown: Sequence[str], class_names: Sequence[str], kind: LabelKind) -> None:
    """Raise the `DataError` of classes, or labels, of examples that the model does not know, if there are any `unknown`."""
    if unknown:
        raise DataError(
            f"These data have {kind.strata_named} that the run does not know: {listed(unknown)}.",
            "Leave them out, or give them the names that the run has for them.",
            received=f"a run of the {kind.strata_named} {listed(class_names)}",
        )
