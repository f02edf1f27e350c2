"""What a trained model says of the test images, and what decided the numbers."""

import os
import platform
from collections.abc import Callable
from dataclasses import replace
from importlib import metadata
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tl_core import __version__
from tl_core.analysis.thresholds import threshold_values
from tl_core.data.examples import Examples
from tl_core.data.images import Pixels
from tl_core.datasets import Images
from tl_core.events import Activity, decoded
from tl_core.features.predict import predict
from tl_core.machine import backends
from tl_core.machine.telemetry import usable_cores
from tl_core.metrics import measure
from tl_core.notes import Note, NoteKind
from tl_core.planning import flops
from tl_core.result import MetricValue, Outcome, Predictions, Result, Threshold, Timing
from tl_core.tasks import Task
from tl_core.training.freezing import count_parameters, digest_of
from tl_core.training.run import Training

COMPUTING = ("numpy", "scipy", "openvino", "pillow")
"""What computes and decodes beside Keras and its backend."""
THREAD_VARIABLES = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "TF_DETERMINISTIC_OPS")
"""By these the libraries are told on how many threads, and in which order, to compute."""
HARDEST = 24
"""How many of the hardest test examples are kept with a run."""


def outcome_of(run: Training) -> Outcome:
    """Test `run` on its test images, once, and gather everything that stays of it."""
    model = run.preparer.inference_model()
    probabilities = run.test(model)
    predictions = gather_predictions(run.recipe.task, run.data.test, probabilities, run.inputs.pictures)
    thresholds, lacking = fitted_thresholds(run, model)
    if run.recipe.task.fits_thresholds:
        predictions = replace(predictions, thresholds=threshold_values(thresholds))
    with run.stages.stage(Activity.TESTING):
        measured = measure(run.data.test.labels, predictions.scores, run.recipe.deciding_metric, run.data.label_kind)
    result = gather_result(run, probabilities, measured)
    notes = (*result.notes, *lacking, *run.recipe.task.remarks(measured))
    result = result.model_copy(update={"thresholds": thresholds, "notes": notes})
    return Outcome(result, predictions, run.outputs.finished(model))


def fitted_thresholds(run: Training, model: Any) -> tuple[tuple[Threshold, ...], tuple[Note, ...]]:
    """Return the thresholds of the task, or of the metric that decides, if either has any, fitted to what `model` says of the
    validation images; and a note where there are none of these."""
    task, metric, held_out = run.recipe.task, run.recipe.deciding_metric, run.data.validation
    if not (task.fits_thresholds or metric.fits_thresholds):
        return (), ()
    if not len(held_out):
        return (), (Note(NoteKind.THRESHOLDS_OF_HALF if task.fits_thresholds else NoteKind.NO_THRESHOLDS),)
    upper, inputs = run.inputs.test(model, held_out)
    with run.stages.stage(Activity.TESTING):
        said = run.outputs.predicted(predict(upper, inputs, lambda _: None))
        return (task if task.fits_thresholds else metric).thresholds(held_out.labels, said), ()


def gather_predictions(
    task: Task, test: Examples, probabilities: NDArray[Any], pixels: Callable[[Images], Pixels]
) -> Predictions:
    """Return the predictions with the `HARDEST` examples, in which `task` finds the largest mistakes; `pixels` gives those of
    images."""
    hardest = np.argsort(-task.badness(test.labels, probabilities), kind="stable")[:HARDEST]
    names = np.array([test.name(index) for index in hardest], dtype=np.str_)
    shown = test.take(hardest)
    pictures = pixels(shown) if isinstance(shown, Images) else np.zeros((0, 0, 0, 3), np.uint8)
    texts = [] if len(pictures) else [shown.excerpt(index) for index in range(len(shown))]
    return Predictions(test.labels, probabilities, hardest, pictures, names, np.array(texts, dtype=np.str_))


def versions() -> dict[str, str]:
    """Return the versions of what decides the numbers, the backend's name, and the numbers of processor cores and of threads."""
    backend = keras.backend.backend()
    return {
        "python": platform.python_version(),
        "keras": keras.__version__,
        backend: metadata.version(backend),
        **{name: metadata.version(name) for name in COMPUTING},
        "backend": backend,
        "cores": str(os.cpu_count()),
        "threads": _threads(),
        "transfer_lab": __version__,
    }


def _threads() -> str:
    """Return on how many cores this process may compute, and what its environment says of threads."""
    said = [f"{name}={os.environ[name]}" for name in THREAD_VARIABLES if name in os.environ]
    return " ".join([str(usable_cores()), *said])


def _timing(stage: str, seconds: float) -> Timing:
    activity, phase = decoded(stage)
    return Timing(activity=activity, phase=phase, seconds=seconds)


def _flops(run: Training) -> float | None:
    outline, epochs = run.network.outline(), [record.epochs for record in run.state.records]
    features, outputs = run.recipe.strategy.feature_size(outline), len(run.data.class_names)
    return flops.of(run.costs, outline, features, outputs, epochs)


def gather_result(run: Training, probabilities: NDArray[Any], measured: tuple[MetricValue, ...]) -> Result:
    """Return what stays of `run`, whose test images have these `probabilities` (n, classes) and `measured` metrics."""
    test = run.data.test
    right = run.recipe.task.right(test.labels, probabilities)
    return Result(
        class_names=run.data.class_names,
        train_images=run.images.train,
        validation_images=run.images.validation,
        train_sizes=()
        if right is None
        else tuple(np.bincount(run.data.train.labels, minlength=len(run.data.class_names)).tolist()),
        test_images=run.images.test,
        test_correct=None if right is None else int(right.sum()),
        test_digest=test.digest(),
        data_digest=run.data.digest(),
        validation_accuracy=run.progress.validation_accuracy,
        total_parameters=run.model.count_params() + (run.network.graph.facts.parameters if run.network.graph else 0),
        trainable_parameters=count_parameters(run.model, run.state.ever_trained),
        phases=tuple(run.state.records),
        timings=tuple(_timing(stage, seconds) for stage, seconds in run.state.seconds.items()),
        provenance=run.network.provenance,
        notes=run.data.notes,
        versions=versions(),
        precision=run.state.precision,
        device=backends.device(),
        resumed=run.state.resumed,
        frozen_part=run.inputs.take_record(),
        metrics=measured,
        weights_digest=digest_of(run.model),
        flops=_flops(run),
    )
