"""A finished run's model on data that it has not learned from: what it says of them, and how they differ from its own test."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tl_core.checks.domain_shift import MOST, domain_auc
from tl_core.checks.what_differs import (
    LOOKED_AT,
    label_shares_differ,
    looks_differ,
    numbers_differ,
    same_mix,
    shares_differ,
    shift_note,
)
from tl_core.data.examples import Examples
from tl_core.data.images import Images
from tl_core.data.label_kinds import CLASSES, NUMBERS
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
    its = Recipe.of(tested.run.spec)
    graph = its.backbone.graph(its.input_size)
    network = SavedModel(file, preprocessor, result.precision, count, report, cache=cache_of(home), graph=graph)
    here = _side(network, list(fresh.splits.values()), np.concatenate(list(fresh.labels.values())))
    outputs = np.concatenate([network.outputs(features) for features in here.features])
    record = network.take_record()
    if own is not None:
        notes += _differing(network, here, own, result)
    said, there = _both_tests(recipe, tested, here.labels, recipe.task.of_saved(outputs))
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
    kind = own.label_kind
    groups = [kind.strata(result.class_names, labels, own.test.labels)[1] for labels in (here.labels, own.test.labels)]
    codes = np.unique(np.concatenate(groups), axis=0, return_inverse=True)[1].reshape(-1)
    chosen, others = same_mix(codes[: len(here.labels)], codes[len(here.labels) :], MOST)
    there = _side(network, [own.test.take(others)], own.test.labels[others])
    every = np.arange(len(others))
    with network.stages.stage(Activity.COMPARING_TESTS):
        known = here.groups(chosen), there.groups(every)
        shift = domain_auc(there.values(every), here.values(chosen), known[::-1]) if len(chosen) else None
        some = np.linspace(0, len(others) - 1, min(LOOKED_AT, len(others))).astype(np.intp)
        looks = looks_differ(here.pictures(chosen[some]), there.pictures(some))
        labels = here.labels, own.test.labels
        if kind == NUMBERS:
            return [shift_note(shift), *looks, *numbers_differ(*labels, own.train.labels)]
        differ = shares_differ if kind.single else label_shares_differ
        return [shift_note(shift), *looks, *differ(*labels, result.class_names)]


def _side(network: SavedModel, splits: list[Examples], labels: NDArray[Any]) -> Side:
    return Side(splits, [network.features(examples) for examples in splits], labels)


def _digest(side: Side) -> str:
    """Return the sha256 over the labels and the content of the images, in order."""
    contents = b"".join(each for images in side.splits for each in images.ids)
    return hashlib.sha256(side.labels.tobytes() + contents).hexdigest()


def _both_tests(recipe: Recipe, tested: Testable, labels: NDArray[Any], predicted: NDArray[Any]) -> tuple[Said, Said]:
    """Return what is `predicted` of these `labels`, and what the run said of its own test of the classes, or the labels, that are
    among them, each with its metrics: those of its own test as they were stored, or measured of its predictions where something
    is missing here, or where the run is of before there were any."""
    kind, stored = recipe.task.label_kind, artifacts.read_predictions(tested.folder)
    both = replace(stored, labels=labels, probabilities=predicted), stored  # with the run's own thresholds
    here, own = ((each.labels, each.scores) for each in both)
    if kind.single:
        same = np.isin(own[0], labels) if kind == CLASSES else np.ones(len(own[0]), bool)
        if not same.any():
            raise DataError("The run's own test has no image of these classes, so there is nothing to compare with.")
        own = own[0][same], own[1][same]
    else:
        same = np.asarray(labels.any(axis=0))
        here, own = ((true[:, same], said[:, same]) for true, said in (here, own))
    kept = tested.result.metrics if same.all() else ()
    return Said(*here, measure(*here, kind=kind)), Said(*own, kept or measure(*own, kind=kind))


def _by_class(labels: NDArray[Any], right: NDArray[np.bool_], names: Sequence[str]) -> tuple[ClassCount, ...]:
    return tuple(
        ClassCount(name=name, examples=int((labels == label).sum()), correct=int(right[labels == label].sum()))
        for label, name in enumerate(names)
    )
