"""A model whose probabilities are made to mean what they say: its logits are divided by one temperature (Guo et al. 2017, arXiv
1706.04599), fitted to validation examples. That changes no first class, and so no accuracy."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_core.analysis.out_of_distribution import FEWEST, exceeded_at
from tl_core.data.label_kinds import CLASSES, NUMBERS
from tl_core.errors import SettingError
from tl_core.heads.closed_form import temperature
from tl_core.metrics.ece import ExpectedCalibrationError
from tl_core.networks.classifier import HEAD
from tl_core.runs.exported import Calibration
from tl_core.studies._predicted import COVERED, Fitted
from tl_core.tasks import Task

Said = tuple[NDArray[Any], NDArray[Any]]
"""What a model said of examples, probabilities (n, classes), and their labels (n,)."""


def require_calibratable(task: type[Task], validation: int) -> None:
    """Raise the `SettingError` of a run whose probabilities cannot be calibrated, of which there are `validation` examples."""
    if task.label_kind != CLASSES or not validation:
        why = "this run has none" if task.label_kind == CLASSES else f"here labels are {task.label_kind.title}"
        raise SettingError(
            f"A temperature is fitted to classes of validation examples, and {why}.",
            "Export it without calibrated probabilities.",
            received="calibrated",
        )


def calibrate(model: Any, said: NDArray[Any], labels: NDArray[Any], test: Said) -> Calibration:
    """Divide the logits of `model` by the temperature that suits what it `said` of validation examples, (n, classes), with these
    `labels` (n,); and tell how well calibrated it was and is, on these and on the run's `test`, which chooses nothing."""
    heat = temperature(_logits(said), labels)
    head = model.get_layer(HEAD)
    for variable in (head.kernel, head.bias):
        variable.assign(variable / heat)
    return Calibration(
        temperature=heat,
        examples=len(labels),
        validation_error=_errors(said, labels, heat),
        test_error=_errors(*test, heat),
    )


def _errors(probabilities: NDArray[Any], labels: NDArray[Any], heat: float) -> tuple[float, float]:
    """Return the expected calibration error as it is, and with that temperature."""
    pair = probabilities, cooled(probabilities, heat)
    before, after = (ExpectedCalibrationError().value(labels, each) for each in pair)
    return before, after


def cooled(probabilities: NDArray[Any], heat: float) -> NDArray[Any]:
    """Return probabilities (n, classes) whose logits are divided by `heat`."""
    from scipy.special import softmax

    return np.asarray(softmax(_logits(probabilities) / heat, axis=1))


def fitted(task: Task, said: NDArray[Any], labels: NDArray[Any]) -> Fitted | None:
    """Return what a model `said` of validation examples (n, ...) with these `labels` (n, ...) is made to mean what it says with;
    None where there is nothing for that, or these are too few."""
    if len(labels) < FEWEST or not task.label_kind.single:
        return None
    if task.label_kind == NUMBERS:
        return Fitted(len(labels), reach=exceeded_at(1 - COVERED, np.abs(said - labels)))
    return Fitted(len(labels), temperature=temperature(_logits(said), labels))


def _logits(probabilities: NDArray[Any]) -> NDArray[np.float64]:
    return np.log(np.maximum(probabilities.astype(np.float64), np.finfo(np.float32).tiny))
