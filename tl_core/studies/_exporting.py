"""A finished run's model written in another format, and what that says in its own runtime against what it says in Keras."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tl_core.data.examples import Examples
from tl_core.data.label_kinds import CLASSES, NUMBERS
from tl_core.data.preprocessor import Preprocessor
from tl_core.datasets import Data
from tl_core.errors import DataError
from tl_core.events import Activity
from tl_core.exports import Contents, ExportFormat
from tl_core.exports._answers import SCRIPT, Answers, answers
from tl_core.exports._script import ABOUT, script
from tl_core.features.engines._policies import in_policy
from tl_core.features.inputs import as_taken
from tl_core.machine import backends
from tl_core.precision import Precision
from tl_core.recipe import Recipe
from tl_core.runs import artifacts, exported
from tl_core.runs.card import card_of
from tl_core.runs.card_text import markdown
from tl_core.runs.disk_use import bytes_of
from tl_core.runs.evaluations import Testable
from tl_core.runs.exported import About, Calibration, Input, Parity
from tl_core.runs.score import task_of
from tl_core.studies._calibrating import calibrate, require_calibratable
from tl_core.studies._saved_model import own_data, preprocessor_of
from tl_core.training.trained_model import loaded

COMPARED, COMPARED_QUANTISED = 200, 2_000
"""So many test examples are compared, at most: it takes more to know an accuracy than to see that nothing has changed."""
REPRESENTATIVE = 100
"""By so many training examples, at most, a quantised format measures the ranges of its numbers."""
BATCH = 32


def export(found: Testable, part: ExportFormat, tell: Callable[[Activity], object], *, calibrated: bool = False) -> Parity:
    """Write the model of a run in the format `part`, and keep with the run what was found of it; the model itself only where it
    says the same. Raises a `TransferError` for what the user can mend.

    Args:
        found: The run.
        part: The format.
        tell: Is told what is done.
        calibrated: Whether its logits are divided by a temperature, fitted to the validation examples.
    """
    tell(Activity.LOADING_MODEL)
    backends.compute_in(Precision.FLOAT32)
    model = in_policy(loaded(found.folder / artifacts.MODEL), bfloat16=False)
    tell(Activity.READING_DATASET)
    data = _own_data(found)
    preprocessor = preprocessor_of(found, data)
    places = _evenly(data.test, COMPARED_QUANTISED if part.quantised else COMPARED)
    inputs = preprocessor.encode(data.test, places)
    calibration = _calibrated(model, found, preprocessor, data.validation) if calibrated else None
    seen = as_taken(preprocessor.encode(data.train, _evenly(data.train, REPRESENTATIVE if part.quantised else 0)))
    contents = Contents(model, seen, found.result.class_names, markdown(card_of(found)))
    with exported.new_export(found.folder, part.name) as folder:
        tell(Activity.CONVERTING)
        part.export(contents, folder)
        written = bytes_of(folder)
        exported.write(folder, ABOUT, _about(found, part, inputs, calibration))
        for name, content in {SCRIPT: script(part, preprocessor).encode(), **preprocessor.files()}.items():
            (folder / name).write_bytes(content)
        tell(Activity.CHECKING_EXPORT)
        expected, said = _outputs(model, inputs), answers(part, folder, inputs)
        if said.outputs.shape != expected.shape:
            raise part.refused(f"what it gives has the shape {said.outputs.shape}, and not {expected.shape}")
        known = {"file_bytes": written, "calibration": calibration}
        parity = _parity(found, places, expected, said, quantised=part.quantised, **known)
        if not parity.is_good:
            _empty(folder)
        exported.write(folder, exported.PARITY, parity)
    return parity


def _evenly(examples: Examples, most: int) -> NDArray[np.intp]:
    """Return the places of at most so many examples, from the first to the last one."""
    return np.linspace(0, len(examples) - 1, min(most, len(examples))).astype(np.intp)


def _own_data(found: Testable) -> Data:
    """Return the data of the run. Raises `DataError` where they are not there as they were."""
    data, notes = own_data(found)
    if data is None or notes:
        why = "".join(f": {text}" for note in notes for text in note.about) or "."
        raise DataError(
            f"An export is held against the run on its own test examples, which are not there as they were{why}",
            "Put its data back where they were, and try again.",
            received=Recipe.of(found.run.spec).dataset.location(),
        )
    return data


def _calibrated(model: Any, found: Testable, preprocessor: Preprocessor, validation: Examples) -> Calibration:
    """Calibrate the `model` and return how. Raises the `SettingError` of a run that cannot be."""
    require_calibratable(task_of(found.run), len(validation))
    parts = np.array_split(np.arange(len(validation)), -(-len(validation) // BATCH))
    said = np.concatenate([_outputs(model, preprocessor.encode(validation, part)) for part in parts])
    test = artifacts.read_predictions(found.folder)
    return calibrate(model, said, validation.labels, (test.probabilities, test.labels))


def _outputs(model: Any, inputs: NDArray[Any]) -> NDArray[Any]:
    """Return what Keras says of pixels or tokens, on the processor, where the others compute, too."""
    with keras.device("cpu"):
        parts = (as_taken(inputs[place : place + BATCH]) for place in range(0, len(inputs), BATCH))
        return np.concatenate([keras.ops.convert_to_numpy(model(part, training=False)) for part in parts])


def _about(found: Testable, part: ExportFormat, inputs: NDArray[Any], calibration: Calibration | None) -> About:
    spec, result, recipe = found.run.spec, found.result, Recipe.of(found.run.spec)
    dataset, backbone, strategy = recipe.titles()
    return About(
        run_id=found.run.id,
        format=part.name,
        file=part.file,
        task=spec.task.name,
        outputs=result.class_names,
        thresholds=result.thresholds,
        input=Input(shape=inputs.shape[1:], dtype=str(as_taken(inputs[:1]).dtype), size=recipe.shown_size),
        dataset=dataset,
        backbone=backbone,
        strategy=strategy,
        provenance=result.provenance,
        metrics=result.metrics,
        versions=result.versions,
        calibration=calibration,
    )


def _parity(
    found: Testable, places: NDArray[np.intp], expected: NDArray[Any], said: Answers, *, quantised: bool, **known: Any
) -> Parity:
    task, kept = Recipe.of(found.run.spec).task, artifacts.read_predictions(found.folder)
    labels, own = kept.labels[places], kept.probabilities[places]
    reference, predicted = task.of_saved(expected), task.of_saved(said.outputs)
    unit = (float(kept.labels.std()) or 1.0) if task.label_kind == NUMBERS else 1.0
    first = reference.argmax(axis=1) if task.label_kind == CLASSES else labels
    agreeing, correct, own_correct = (
        _count(task.right(*pair)) for pair in ((first, predicted), (labels, predicted), (labels, own))
    )
    rights = task.right(labels, reference), task.right(labels, predicted)
    return Parity(
        at=time.time(),
        examples=len(places),
        largest_difference=float(np.abs(predicted - reference).max()) / unit,
        agreeing=agreeing,
        correct=correct,
        own_correct=own_correct,
        seconds_alone=said.seconds_alone,
        seconds_in_batch=said.seconds_in_batch,
        disagreements=_disagreements(*rights) if quantised else None,
        **known,
    )


def _count(right: NDArray[np.bool_] | None) -> int | None:
    return None if right is None else int(right.sum())


def _disagreements(first: NDArray[np.bool_] | None, second: NDArray[np.bool_] | None) -> tuple[int, int] | None:
    return None if first is None or second is None else (int((first & ~second).sum()), int((second & ~first).sum()))


def _empty(folder: Path) -> None:
    """Remove what nobody shall use."""
    for each in folder.iterdir():
        shutil.rmtree(each) if each.is_dir() else each.unlink()
