"""A finished run's model on pictures or texts that somebody gives it: what it says, what carried that, and which training
examples are the nearest."""

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
from tl_core.data.examples import Examples
from tl_core.data.formats.pictures import Pictures, pictures_at
from tl_core.data.formats.written import Written
from tl_core.data.label_kinds import NUMBERS
from tl_core.data.resizing import CORES, OVERSAMPLING
from tl_core.events import Activity, Reporter, Stage
from tl_core.features.cache import cache_of
from tl_core.notes import Note, NoteKind
from tl_core.recipe import Recipe
from tl_core.result import Result
from tl_core.runs import artifacts
from tl_core.runs.evaluations import Testable
from tl_core.studies._calibrating import cooled, fitted
from tl_core.studies._heat_maps import HeatMaps, heat_maps
from tl_core.studies._neighbours import Neighbours, looked_at
from tl_core.studies._occlusion import words_of
from tl_core.studies._predicted import Fitted, PredictedExample, Shown
from tl_core.studies._saved_model import SavedModel, own_data, preprocessor_of
from tl_core.tasks import Task


class Answer(NamedTuple):
    """What is said of the examples; see `PredictionResult`. `shown` is None where no picture is shown."""

    examples: tuple[PredictedExample, ...]
    threshold: Threshold | None
    notes: tuple[Note, ...]
    fitted: Fitted | None = None
    map_size: tuple[int, int] | None = None
    shown: Shown | None = None


class Asked:
    """A finished run that is asked about `examples`: what its model gives for each, `outputs` (n, outputs), which training
    `neighbours` each has, and what was `fitted` to validation examples; both None where its data are not there as they were.

    Raises `RunError` where the model cannot be loaded, `DataError` for a network that took its words from data that are not
    there, and what `report` raises.
    """

    def __init__(self, run: Testable, examples: Examples, report: Reporter, home: Path) -> None:
        recipe = Recipe.of(run.run.spec)
        self.run, self.task = run, recipe.task
        data, changed = own_data(run)
        whole = None if changed else data
        self.preprocessor = preprocessor_of(run, whole)
        own = looked_at(whole) if whole else None
        count = len(examples) + (sum(map(len, own.splits.values())) + len(own.validation) if own else 0)
        file, graph = run.folder / artifacts.MODEL, recipe.backbone.graph(recipe.input_size)
        self.network = SavedModel(file, self.preprocessor, run.result.precision, count, report, cache=cache_of(home), graph=graph)
        features = self.network.features(examples)
        self.outputs = self.network.outputs(features)
        self.neighbours = Neighbours.of(np.asarray(features, np.float64), own, self.network) if own else None
        self.fitted = self._fitted(own.validation) if own and len(own.validation) else None

    def _fitted(self, examples: Examples) -> Fitted | None:
        said = self.task.of_saved(self.network.outputs(self.network.features(examples)))
        return fitted(self.task, said, examples.labels)

    def facts(self, place: int, top: int) -> dict[str, Any]:
        """Return the fields of a `PredictedExample` that tell of example number `place`: at most `top` classes."""
        near = self.neighbours.facts(place) if self.neighbours else {}
        return near | _said(self.run.result, self.task, self.outputs[place], self.fitted, top)

    @property
    def threshold(self) -> Threshold | None:
        """Return from which distance on an example lies outside of what the run was trained on."""
        return self.neighbours.threshold if self.neighbours else None

    def notes(self) -> Iterator[Note]:
        """Yield why it is not known whether an example lies outside, if it is not."""
        if self.neighbours is None:
            yield Note(NoteKind.OUTSIDE_UNKNOWN)
        elif self.neighbours.threshold is None:
            yield Note(NoteKind.TOO_FEW_FOR_OUTSIDE, (len(self.neighbours.data.train),))


def predict_texts(run: Testable, given: Written, report: Reporter, home: Path, *, top: int, most_shown: int) -> Answer:
    """Return what the model of a run says of texts, and which words carried that in the first `most_shown` of them.

    Args:
        run, report, home, top: As in `predict_pictures`, which raises the same.
        given: The texts.
        most_shown: Of so many it is told which words carried the decision.
    """
    asked = Asked(run, given.examples(), report, home)
    said = [PredictedExample(name, **asked.facts(place, top)) for place, name in enumerate(given.names)]
    names = run.result.class_names
    if most_shown:
        with asked.network.stages.stage(Activity.LEAVING_OUT_WORDS):
            for place, text in enumerate(given.texts[:most_shown]):
                found = words_of(text, place, asked.preprocessor, asked.network.model, names)
                said[place] = replace(said[place], words=found)
    return Answer(tuple(said), asked.threshold, (*given.notes, *asked.notes()), asked.fitted)


def predict_pictures(run: Testable, given: Sequence[Path], report: Reporter, home: Path, *, top: int, most_shown: int) -> Answer:
    """Return what the model of a run says of the pictures at the paths `given`. Raises `DataError` where there are none, and what
    `Asked` raises.

    Args:
        run: The run.
        given: As `pictures_at` takes them.
        report: Is told what happens.
        home: Where features are kept, and archives are unpacked.
        top: So many classes are told of each.
        most_shown: Of so many it is told where the network sees what it says.
    """
    report(Stage(Activity.READING_IMAGES, 0.0))
    pictures, preprocessor = pictures_at(given, home), Recipe.of(run.run.spec).preprocessor()
    reasons = _reasons(pictures, OVERSAMPLING * preprocessor.shape[0])
    said = [PredictedExample(name, reason) for name, reason in zip(pictures.names, reasons, strict=True)]
    readable = [number for number, reason in enumerate(reasons) if not reason]
    if not readable:
        return Answer(tuple(said), None, pictures.notes)
    images = pictures.images(readable)
    asked = Asked(run, images, report, home)
    for place, number in enumerate(readable):
        said[number] = replace(said[number], **asked.facts(place, top))
    found = Answer(tuple(said), asked.threshold, (*pictures.notes, *asked.notes()), asked.fitted)
    if not most_shown:
        return found
    with asked.network.stages.stage(Activity.DRAWING_HEAT_MAPS):
        first = images.take(np.arange(len(images))[:most_shown])
        maps = heat_maps(asked.network.model, first, asked.outputs[:most_shown], run)
        return _with_maps(found, readable[:most_shown], maps, asked.neighbours)


def _with_maps(found: Answer, numbers: Sequence[int], maps: HeatMaps, neighbours: Neighbours | None) -> Answer:
    """Return an answer with what is shown of the pictures of these `numbers`, the first ones that could be read."""
    pictures = list(found.examples)
    for number, each in zip(numbers, maps.areas, strict=False):  # there are none of a number
        pictures[number] = replace(pictures[number], areas=each)
    nothing = np.zeros((len(numbers), 0, 0, 0, 3), np.uint8)
    near = np.stack([neighbours.pixels(place) for place in range(len(numbers))]) if neighbours else nothing
    shown = Shown(np.array(numbers), maps.pixels, maps.heat, near)
    return found._replace(examples=tuple(pictures), map_size=maps.size, shown=shown)


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


def _said(result: Result, task: Task, outputs: NDArray[np.float32], fitted: Fitted | None, top: int) -> dict[str, Any]:
    """Return the fields of a `PredictedExample` that tell what the model's `outputs` (outputs,) mean.

    Args:
        result: That of the run.
        task: What was asked of its data.
        outputs: What its model gives.
        fitted: What makes them mean what they say.
        top: So many classes are told.
    """
    predicted, names = task.of_saved(outputs[None])[0], result.class_names
    if task.label_kind == NUMBERS:
        value = float(predicted)
        reach = fitted.reach if fitted else None
        return {"outputs": ((names[0], value),), "interval": None if reach is None else (value - reach, value + reach)}
    if fitted and fitted.temperature:
        predicted = cooled(predicted[None], fitted.temperature)[0]
    order = np.argsort(-predicted, kind="stable")[:top]
    best = tuple((names[index], float(predicted[index])) for index in order)
    if task.label_kind.single:
        return {"outputs": best}
    limits = threshold_values(result.thresholds) if result.thresholds else np.full(len(names), 0.5)
    return {"outputs": best, "labels": tuple(names[index] for index in np.flatnonzero(predicted >= limits))}
