"""A finished run's model on data that it has not learned from: what it says of them, and how they differ from its own test."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tl_core.checks.domain_shift import MOST, domain_auc
from tl_core.checks.what_differs import LOOKED_AT, looks_differ, numbers_differ, same_mix, shares_differ, shift_note
from tl_core.data.examples import Examples
from tl_core.data.images import Images
from tl_core.data.label_kinds import CLASSES
from tl_core.datasets import Data
from tl_core.errors import DataError
from tl_core.events import Activity, Reporter, Stage
from tl_core.features.cache import cache_of
from tl_core.features.inputs import CachedInputs
from tl_core.metrics import measure
from tl_core.notes import Note, NoteKind
from tl_core.recipe import Recipe
from tl_core.result import Result
from tl_core.runs import artifacts
from tl_core.runs.evaluations import ClassCount, Evaluation, Said, Testable, differences
from tl_core.studies._foreign_data import ForeignData, foreign_data
from tl_core.studies._saved_model import SavedModel, own_data, preprocessor_of


class Side(NamedTuple):
    """Examples of one test, split after split, with what the network makes of them and their labels (n, ...)."""

    splits: list[Examples]
    features: list[CachedInputs]
    labels: NDArray[Any]

    def pictures(self, chosen: NDArray[np.intp]) -> list[tuple[Images, int]]:
        """Return where the examples at `chosen`, ascending, are, if they are images."""
        places = [(self.splits[part], index) for part, indices in self._parts(chosen) for index in indices.tolist()]
        return [(examples, index) for examples, index in places if isinstance(examples, Images)]

    def values(self, chosen: NDArray[np.intp]) -> NDArray[np.float32]:
        """Return the features of the images at `chosen`, ascending: (m, d)."""
        return np.concatenate([self.features[part].batch(indices) for part, indices in self._parts(chosen)])

    def groups(self, chosen: NDArray[np.intp]) -> list[bytes] | None:
        """Return the groups of the images at `chosen`, None where they are not known."""
        known = [images.groups for images in self.splits]
        flat = [group for groups in known if groups is not None for group in groups]
        return None if None in known else [flat[index] for index in chosen]

    def _parts(self, chosen: NDArray[np.intp]) -> Iterator[tuple[int, NDArray[np.intp]]]:
        begin = 0
        for part, images in enumerate(self.splits):
            inside = chosen[(chosen >= begin) & (chosen < begin + len(images))] - begin
            if len(inside):
                yield part, inside
            begin += len(images)


def evaluate(recipe: Recipe, tested: Testable, report: Reporter, home: Path) -> Evaluation:
    """Return what the model of a run says of the data of `recipe`, with what differs from its own test. When it ended and how
    long it took are left to who asked. Raises a `TransferError` for what the user can mend, and whatever `report` raises."""
    result, thing = tested.result, recipe.dataset.thing
    report(Stage(Activity.READING_DATASET, 0.0))
    found = foreign_data(recipe, result.class_names)
    own, notes_on_own = own_data(tested)
    fresh, leaks = _unlearned(found, own, thing)
    notes = [*fresh.notes(thing, result.class_names), *leaks, *found.told, *notes_on_own]
    compared = 0 if own is None else min(fresh.images, len(own.test), MOST)
    preprocessor = preprocessor_of(tested, None if notes_on_own else own)
    file, count = tested.folder / artifacts.MODEL, fresh.images + compared
    network = SavedModel(file, preprocessor, result.precision, count, report, cache=cache_of(home))
    here = _side(network, list(fresh.splits.values()), np.concatenate(list(fresh.labels.values())))
    outputs = np.concatenate([network.outputs(features) for features in here.features])
    record = network.take_record()
    if own is not None:
        notes += _differing(network, here, own, result)
    predicted = recipe.task.of_saved(outputs)
    said = Said(here.labels, predicted, measure(here.labels, predicted, kind=recipe.task.label_kind))
    there = _own_test(recipe, tested, here.labels)
    right, own_right = (recipe.task.right(each.labels, each.predicted) for each in (said, there))
    return Evaluation(
        at=0.0,
        dataset=recipe.dataset.spec(),
        title=recipe.dataset.shown_name,
        splits={split: len(images) for split, images in found.splits.items()},
        images=len(here.labels),
        correct=None if right is None else int(right.sum()),
        own_images=len(there.labels),
        own_correct=None if own_right is None else int(own_right.sum()),
        digest=_digest(here),
        metrics=tuple(said.metrics),
        differences=tuple(differences(said, there)),
        classes=() if right is None else _by_class(here.labels, right, result.class_names),
        notes=tuple(notes),
        seconds=0.0,
        frozen_part=record,
        own_metrics=tuple(there.metrics),
    )


def _unlearned(found: ForeignData, own: Data | None, thing: str) -> tuple[ForeignData, list[Note]]:
    """Return the images that the run has not learned from, and notes on those that it has. Raises `DataError` where none is
    left."""
    if own is None:
        return found, []
    fresh, notes = found.without({*own.train.ids, *own.validation.ids}), list[Note]()
    if not fresh.images:
        raise DataError(
            f"The run was trained or validated on all of these {thing}, so they say nothing new of it.",
            "Choose data that it has not seen.",
            received=f"{found.images:,} {thing}",
        )
    if learned := found.images - fresh.images:
        notes.append(Note(NoteKind.ALREADY_TRAINED_ON, (learned, found.images), about=(thing,)))
    tested = set(own.test.ids)
    if again := sum(each in tested for images in fresh.splits.values() for each in images.ids):
        notes.append(Note(NoteKind.ALSO_IN_OWN_TEST, (again,), about=(thing,)))
    return fresh, notes


def _differing(network: SavedModel, here: Side, own: Data, result: Result) -> list[Note]:
    """Return notes on how the images differ from those of the run's own test, which the network has not learned from either."""
    if own.class_names != result.class_names:
        return []
    kind, learned = own.label_kind, own.train.labels
    _, groups = kind.strata(result.class_names, here.labels, own.test.labels)
    _, own_groups = kind.strata(result.class_names, own.test.labels, own.test.labels)
    chosen, others = same_mix(groups, own_groups, MOST)
    there = _side(network, [own.test.take(others)], own.test.labels[others])
    every = np.arange(len(others))
    with network.stages.stage(Activity.COMPARING_TESTS):
        known = here.groups(chosen), there.groups(every)
        shift = domain_auc(there.values(every), here.values(chosen), known[::-1]) if len(chosen) else None
        some = np.linspace(0, len(others) - 1, min(LOOKED_AT, len(others))).astype(np.intp)
        looks = looks_differ(here.pictures(chosen[some]), there.pictures(some))
        labels = here.labels, own.test.labels
        mix = shares_differ(*labels, result.class_names) if kind == CLASSES else numbers_differ(*labels, learned)
        return [shift_note(shift), *looks, *mix]


def _side(network: SavedModel, splits: list[Examples], labels: NDArray[Any]) -> Side:
    return Side(splits, [network.features(examples) for examples in splits], labels)


def _digest(side: Side) -> str:
    """Return the sha256 over the labels and the content of the images, in order."""
    contents = b"".join(each for images in side.splits for each in images.ids)
    return hashlib.sha256(side.labels.tobytes() + contents).hexdigest()


def _own_test(recipe: Recipe, tested: Testable, labels: NDArray[Any]) -> Said:
    """Return what the run said of its own test, of the classes that are among `labels`, with its metrics: as they were stored, or
    measured of its predictions where classes are missing, or where it is of before there were any."""
    said, kind = artifacts.read_predictions(tested.folder), recipe.task.label_kind
    same = np.isin(said.labels, labels) if kind == CLASSES else np.ones(len(said.labels), bool)
    if not same.any():
        raise DataError("The run's own test has no image of these classes, so there is nothing to compare with.")
    there, predicted = said.labels[same], said.probabilities[same]
    stored = tested.result.metrics if same.all() else ()
    return Said(there, predicted, stored or measure(there, predicted, kind=kind))


def _by_class(labels: NDArray[Any], right: NDArray[np.bool_], names: Sequence[str]) -> tuple[ClassCount, ...]:
    return tuple(
        ClassCount(name=name, examples=int((labels == label).sum()), correct=int(right[labels == label].sum()))
        for label, name in enumerate(names)
    )
