"""A finished run that teaches: the loss against Keras' own, a run with its teacher, and what is refused."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.tools.interrupting import Attempt, at_step, in_attempts, require_same_outcome, resumed_at
from tests.tools.toy import known
from tl_core.backbones.finished_run import FinishedRun
from tl_core.errors import TransferError
from tl_core.groups.group import Group
from tl_core.notes import Note, NoteKind
from tl_core.phases.teacher import Teacher
from tl_core.runner import control, group_control
from tl_core.runs.store import Store
from tl_core.spec import RunSpec
from tl_core.strategies import Learning
from tl_core.strategies.lp_ft import ProbeThenFineTune
from tl_core.tasks.classification import ClassOutputs
from tl_core.testing._toy import SIZE, finish_example
from tl_core.testing.strategy import IMAGES
from tl_core.training.train import train

CLASSES, N = 4, 6
DRAWN = np.random.default_rng(0)
TEACHES, LEARNS = (DRAWN.normal(0, 3, (N, CLASSES)).astype(np.float32) for _ in range(2))
ONE_HOT = np.eye(CLASSES, dtype=np.float32)[np.arange(N) % CLASSES]


def softmax(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(keras.ops.softmax(logits / temperature)))


@pytest.mark.parametrize("temperature", [1.0, 3.0, 10.0])
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_the_loss_is_that_of_keras_mixed_with_the_cross_entropy(temperature: float, share: float) -> None:
    outputs = ClassOutputs(tuple("abcd"), np.full(CLASSES, 1 / CLASSES))
    learning = Learning(teacher=Teacher("a", temperature, share))
    targets = np.hstack([ONE_HOT, softmax(TEACHES, temperature)])
    by_labels = keras.losses.CategoricalCrossentropy()(ONE_HOT, softmax(LEARNS))
    by_teacher = keras.distillation.LogitsDistillation(temperature, keras.losses.KLDivergence()).compute_loss(TEACHES, LEARNS)
    expected = (1 - share) * float(by_labels) + share * float(by_teacher)
    assert float(outputs.loss(learning)(targets, softmax(LEARNS))) == pytest.approx(expected, rel=1e-4)
    told = {metric.name: float(metric(targets, softmax(LEARNS))) for metric in outputs.metrics(learning)}
    assert outputs.told(told)[0] == pytest.approx(float(by_labels), rel=1e-5)
    assert outputs.told(told)[1] == pytest.approx((LEARNS.argmax(1) == ONE_HOT.argmax(1)).mean())


@pytest.fixture
def student(home: Path) -> Iterator[RunSpec]:
    """A small network that a finished run teaches, which finds all classes alike."""
    finish_example(IMAGES)
    shutil.copytree(FinishedRun.example().folder, home / "runs" / "teacher")
    own = {"strategy": "distillation", "strategy.teacher": "teacher", "strategy.epochs": 1, "strategy.restore_best": False}
    with known() as backbone:
        yield RunSpec(dataset=IMAGES, image_size=SIZE).with_settings({**own, "strategy.batch_size": 12, "backbone": backbone})


def test_a_paused_run_with_a_teacher_goes_on_to_the_same_bits(student: RunSpec, tmp_path: Path) -> None:
    spec = student.with_settings({"strategy.augmentation": "flip"})
    attempts, outcome = in_attempts(spec, tmp_path / "paused", [at_step(3)])
    require_same_outcome(train(spec, Attempt()), outcome)
    assert resumed_at(attempts) == [3]
    assert [phase.remarks for phase in outcome.result.phases] == [(), (Note(NoteKind.TAUGHT_UNCHANGED, (2, 32)),)]


@pytest.mark.full
def test_a_teacher_without_a_share_changes_nothing_and_one_with_it_does(student: RunSpec) -> None:
    alone, taught = (student.with_settings({"strategy.share": share}) for share in (0.0, 1.0))
    settings = {name: value for name, value in alone.strategy.settings.items() if name in ProbeThenFineTune.model_fields}
    plain = alone.with_settings({"strategy": {"name": "lp_ft", "learning_rate": 3e-4, **settings}})
    said, of_teacher, of_lp_ft = (train(spec, Attempt()).predictions.probabilities for spec in (alone, taught, plain))
    np.testing.assert_allclose(said, of_lp_ft, atol=1e-5)
    assert np.abs(of_teacher - said).max() > 1e-4


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no teacher": ({"strategy.teacher": None}, "No run is named to teach the network"),
    "a teacher that is gone": ({"strategy.teacher": "gone"}, "not here, or was deleted.*Received: run gone"),
    "another test": ({"dataset.test_per_class": 3}, "was tested on other examples than these"),
    "other classes": ({"dataset": "digits", "dataset.labels_per_class": 2}, "tells other classes apart than those of these data"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_teach_is_said(name: str, student: RunSpec) -> None:
    settings, said = REFUSED[name]
    spec, store = student.with_settings(settings), Store()
    base = {part: value for part, value in spec.model_dump(mode="json").items() if part != "seed"}
    group = Group(name="x", base=base, axes={"seed": (0, 1)})
    for asked in (lambda: train(spec, Attempt()), lambda: control.start(store, spec), lambda: group_control.start(store, group)):
        with pytest.raises(TransferError, match=said):
            asked()
    assert not store.runs()


def test_a_teacher_that_has_left_no_result_is_said(student: RunSpec, home: Path) -> None:
    (home / "runs" / "teacher" / "result.json").unlink()
    with pytest.raises(TransferError, match="The result of the teacher cannot be read"):
        train(student, Attempt())
