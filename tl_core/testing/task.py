"""What every task keeps to: a head that ends in its outputs, a loss that fits them, and scores of what is predicted."""

import subprocess
import sys
from functools import lru_cache
from math import isfinite
from typing import Any, NamedTuple

import keras
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tl_core import strategies
from tl_core.backbones import BlockOutline
from tl_core.errors import SettingError
from tl_core.heads import Head
from tl_core.metrics import measure
from tl_core.networks.classifier import HEAD, Classifier
from tl_core.strategies import Learning, Phase
from tl_core.tasks import Outputs, Task
from tl_core.testing._toy import Known, ToyBackbone

FEATURES, N = 4, 40
PLAIN = Learning()
BLOCKS = tuple(BlockOutline(f"block {n}", layers=3, parameters=100, norm_parameters=20, multiply_adds=1000) for n in range(3))
LISTED = "import importlib, sys; importlib.import_module(sys.argv[1]); print(sorted({'keras', 'tensorflow'} & set(sys.modules)))"


class Fit(NamedTuple):
    """Labels of a task, features that know them, and a model of one layer that was trained on both."""

    outputs: Outputs
    labels: NDArray[Any]
    features: NDArray[np.float32]
    model: Any
    losses: list[float]

    @property
    def given(self) -> NDArray[np.float32]:
        """Return what the model gives of the features."""
        return np.asarray(self.model.predict_on_batch(self.features))


def check_is_listed_without_keras(part: type[Task]) -> None:
    """Check that pages can list it without waiting for Keras."""
    done = subprocess.run(
        [sys.executable, "-c", LISTED, part.__module__],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert (done.stdout, done.returncode) == ("[]\n", 0), done.stderr


def check_scores_suit_its_labels(part: type[Task]) -> None:
    """Check that its primary metric is one of labels of its kind, and by default."""
    assert part.primary.label_kind == part.label_kind
    assert part.primary.by_default
    assert part.panels


def check_has_an_output_for_each_name(part: type[Task]) -> None:
    """Check that a model has as many outputs as the labels have names, whatever a strategy's head ended in."""
    fit = _fit(part)
    assert fit.given.shape == (N, len(fit.outputs.names))
    assert fit.model.layers[-1].name == HEAD


def check_training_lowers_what_is_told(part: type[Task]) -> None:
    """Check that the loss falls, and that an accuracy is told if, and only if, the task says so."""
    fit = _fit(part)
    assert fit.losses[-1] < 0.5 * fit.losses[0]
    means = _told(fit)
    assert len(means) == 1 + part.has_accuracy
    assert all(map(isfinite, means))
    if part.has_accuracy:
        assert 0.9 < means[1] <= 1


def check_a_computed_head_is_told_of_as_a_trained_one(part: type[Task]) -> None:
    """Check that the same head has the same loss and the same outputs, whether within its network or alone."""
    fit = _fit(part)
    kernel, bias = (np.asarray(each, np.float64) for each in fit.model.get_layer(HEAD).get_weights())
    head = Head(kernel, bias)
    np.testing.assert_allclose(fit.outputs.of_logits(head.logits(fit.features)), fit.given, rtol=1e-4, atol=1e-6)
    sums = fit.outputs.sums_of_head(head, fit.features, fit.labels)
    np.testing.assert_allclose(sums / N, _told(fit), rtol=1e-4, atol=1e-6)


def check_the_saved_model_gives_what_is_predicted(part: type[Task]) -> None:
    """Check that what is stored of the test images is what the finished model gives."""
    fit = _fit(part)
    predicted = fit.outputs.predicted(fit.given)
    finished = part.example().of_saved(np.asarray(fit.outputs.finished(fit.model).predict_on_batch(fit.features)))
    assert finished.shape == predicted.shape
    np.testing.assert_allclose(finished, predicted, rtol=1e-5, atol=1e-5)


def check_what_is_predicted_is_scored(part: type[Task]) -> None:
    """Check that a good model is measured as one by the primary metric, and its mistakes are ranked."""
    fit, task = _fit(part), part.example()
    predicted = fit.outputs.predicted(fit.given)
    before = fit.outputs.predicted(np.roll(fit.given, 1, axis=0))
    good, bad = (
        next(value.value for value in measure(fit.labels, each, kind=part.label_kind) if value.name == part.primary.name)
        for each in (predicted, before)
    )
    assert good > bad if part.primary.better == "higher" else good < bad
    badness = task.badness(fit.labels, predicted)
    assert badness.shape == (N,)
    assert badness.mean() < task.badness(fit.labels, before).mean()
    right = task.right(fit.labels, predicted)
    assert (right is not None) == part.has_accuracy
    assert right is None or (right.shape == (N,) and right.mean() > 0.9)


def check_every_strategy_fits_or_is_refused_in_a_sentence(part: type[Task]) -> None:
    """Check that phases of all strategies are either phases for this task or a `SettingError`, which says what to do."""
    task, fitting = part.example(), 0
    for strategy in (each.example() for each in strategies.strategies.parts().values()):
        backbone = Known() if strategy.pretrained else ToyBackbone()
        for phase in strategy.phases(backbone, BLOCKS, 32):
            try:
                made = task.phase(phase)
            except SettingError as error:
                assert "Received: " in str(error)
                break
            assert isinstance(made, Phase)
            assert made.solver is None or made.solver.title
        else:
            fitting += 1
    assert fitting


def _told(fit: Fit) -> tuple[float, ...]:
    targets = fit.outputs.targets(fit.labels, PLAIN)
    return fit.outputs.told(fit.model.test_on_batch(fit.features, targets, return_dict=True))


@lru_cache(maxsize=1)
def _fit(part: type[Task]) -> Fit:
    task = part.example()
    names, labels = task.label_kind.read(pd.Series(task.label_kind.texts(N), name="label"))
    outputs = task.outputs(names, labels)
    rng = np.random.default_rng(0)
    # Softened, class indices are shares of classes: a feature for each output.
    known = np.asarray(outputs.targets(labels, Learning(label_smoothing=1e-9)), np.float32).reshape(N, -1)
    features = np.concatenate([known, 0.05 * rng.normal(size=(N, FEATURES))], axis=1).astype(np.float32)
    keras.utils.set_random_seed(0)
    inputs = keras.Input((features.shape[1],))
    model = outputs.joined(Classifier.on(inputs, inputs, len(names))).model
    model.compile(optimizer=keras.optimizers.Adam(0.1), loss=outputs.loss(PLAIN), metrics=outputs.metrics(PLAIN))
    targets = outputs.targets(labels, PLAIN)
    losses = [outputs.told(model.train_on_batch(features, targets, return_dict=True))[0] for _ in range(60)]
    return Fit(outputs, labels, features, model, losses)
