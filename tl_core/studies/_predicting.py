"""A finished run's model on pictures that somebody gives it: what it says, where it sees that, and which training images are the
nearest."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tl_core.analysis.out_of_distribution import Threshold
from tl_core.analysis.thresholds import threshold_values
from tl_core.data.decoding import UndecodableError
from tl_core.data.formats.pictures import Pictures, pictures_at
from tl_core.data.label_kinds import NUMBERS
from tl_core.data.resizing import CORES, OVERSAMPLING
from tl_core.events import Activity, Reporter, Stage
from tl_core.features.cache import cache_of
from tl_core.notes import Note, NoteKind
from tl_core.recipe import Recipe
from tl_core.runs import artifacts
from tl_core.runs.evaluations import Testable
from tl_core.studies._heat_maps import HeatMaps, heat_maps
from tl_core.studies._neighbours import Neighbours, looked_at
from tl_core.studies._predicted import PredictedPicture, Shown
from tl_core.studies._saved_model import SavedModel


class Answer(NamedTuple):
    """What is said of the pictures; see `PredictionResult`. `shown` is None where none is shown."""

    pictures: tuple[PredictedPicture, ...]
    threshold: Threshold | None
    notes: tuple[Note, ...]
    map_size: tuple[int, int] | None = None
    shown: Shown | None = None


def predict(asked: Testable, given: Sequence[Path], report: Reporter, home: Path, *, top: int, most_shown: int) -> Answer:
    """Return what the model of a run says of the pictures at the paths `given`. Raises `DataError` where there are none,
    `RunError` where the model cannot be loaded, and what `report` raises.

    Args:
        asked: The run.
        given: As `pictures_at` takes them.
        report: Is told what happens.
        home: Where features are kept, and archives are unpacked.
        top: So many classes are told of each.
        most_shown: Of so many it is told where the network sees what it says.
    """
    report(Stage(Activity.READING_IMAGES, 0.0))
    recipe = Recipe.of(asked.run.spec)
    pictures, preprocessor = pictures_at(given, home), recipe.preprocessor()
    reasons = _reasons(pictures, OVERSAMPLING * preprocessor.shape[0])
    said = [PredictedPicture(name, reason) for name, reason in zip(pictures.names, reasons, strict=True)]
    readable = [number for number, reason in enumerate(reasons) if not reason]
    if not readable:
        return Answer(tuple(said), None, pictures.notes)
    images, own = pictures.images(readable), looked_at(asked)
    count = len(images) + (sum(map(len, own.splits.values())) if own else 0)
    file = asked.folder / artifacts.MODEL
    graph = recipe.backbone.graph(recipe.input_size)
    network = SavedModel(file, preprocessor, asked.result.precision, count, report, cache=cache_of(home), graph=graph)
    features = network.features(images)
    outputs = network.outputs(features)
    neighbours = Neighbours.of(np.asarray(features, np.float64), own, network) if own else None
    for place, number in enumerate(readable):
        near = neighbours.facts(place) if neighbours else {}
        said[number] = replace(said[number], **_said(asked, outputs[place], top), **near)
    found = Answer(tuple(said), neighbours.threshold if neighbours else None, (*pictures.notes, *_unknown(neighbours)))
    if not most_shown:
        return found
    with network.stages.stage(Activity.DRAWING_HEAT_MAPS):
        maps = heat_maps(network.model, images.take(np.arange(len(images))[:most_shown]), outputs[:most_shown], asked)
        return _with_maps(found, readable[:most_shown], maps, neighbours)


def _with_maps(found: Answer, numbers: Sequence[int], maps: HeatMaps, neighbours: Neighbours | None) -> Answer:
    """Return an answer with what is shown of the pictures of these `numbers`, the first ones that could be read."""
    pictures = list(found.pictures)
    for number, each in zip(numbers, maps.areas, strict=False):  # there are none of a number
        pictures[number] = replace(pictures[number], areas=each)
    nothing = np.zeros((len(numbers), 0, 0, 0, 3), np.uint8)
    near = np.stack([neighbours.pixels(place) for place in range(len(numbers))]) if neighbours else nothing
    shown = Shown(np.array(numbers), maps.pixels, maps.heat, near)
    return found._replace(pictures=tuple(pictures), map_size=maps.size, shown=shown)


def _reasons(pictures: Pictures, least: int) -> list[str]:
    """Return why each picture cannot be read, in the way in which it will be read again; empty where it can."""
    images = pictures.images(range(len(pictures.files)))

    def reason(index: int) -> str:
        try:
            images.picture(index, least)
        except UndecodableError as error:
            return error.reason
        return ""

    with ThreadPoolExecutor(CORES, thread_name_prefix="look") as pool:
        return list(pool.map(reason, range(len(images))))


def _said(asked: Testable, outputs: NDArray[np.float32], top: int) -> dict[str, Any]:
    """Return the fields of a `PredictedPicture` that tell what the model's `outputs` (outputs,) mean."""
    task, result = Recipe.of(asked.run.spec).task, asked.result
    predicted, names = task.of_saved(outputs[None])[0], result.class_names
    if task.label_kind == NUMBERS:
        return {"outputs": ((names[0], float(predicted)),)}
    order = np.argsort(-predicted, kind="stable")[:top]
    best = tuple((names[index], float(predicted[index])) for index in order)
    if task.label_kind.single:
        return {"outputs": best}
    limits = threshold_values(result.thresholds) if result.thresholds else np.full(len(names), 0.5)
    return {"outputs": best, "labels": tuple(names[index] for index in np.flatnonzero(predicted >= limits))}


def _unknown(neighbours: Neighbours | None) -> Iterator[Note]:
    """Yield why it is not known whether a picture lies outside, if it is not."""
    if neighbours is None:
        yield Note(NoteKind.OUTSIDE_UNKNOWN)
    elif neighbours.threshold is None:
        yield Note(NoteKind.TOO_FEW_FOR_OUTSIDE, (len(neighbours.data.train),))
