"""A network small enough to do a step of training by hand: four numbers, a hidden layer with a norm, a head."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tl_core.backbones._untrained import RANDOM
from tl_core.networks.blocks import Block
from tl_core.networks.outline import Network
from tl_core.strategies import HEAD, Learning, Phase, Strategy
from tl_core.tasks.classification import ClassOutputs
from tl_core.training.prepare import PhasePreparer

Values = dict[str, NDArray[np.float64]]

RATE, CLASSES = 0.1, 3
OUTPUTS = ClassOutputs(tuple(map(str, range(CLASSES))), np.full(CLASSES, 1 / CLASSES))
SGD = Learning(optimizer="sgd")
INPUTS = np.random.default_rng(1).normal(size=(8, 4)).astype(np.float32)
LABELS = np.arange(8, dtype=np.int64) % CLASSES


def network() -> Network:
    """Dense 4 to 5, BatchNorm with statistics that are not those of a batch, ReLU."""
    keras.utils.set_random_seed(3)
    x = inputs = keras.Input((4,), name="numbers")
    layers = [keras.layers.Dense(5, name="below"), keras.layers.BatchNormalization(name="norm"), keras.layers.ReLU(name="relu")]
    for layer in layers:
        x = layer(x)
    drawn = np.random.default_rng(2)
    layers[1].set_weights([drawn.uniform(0.5, 1.5, 5) for _ in range(4)])
    return Network(keras.Model(inputs, x), (Block("below", tuple(layers), x),), RANDOM)


@dataclass
class Step:
    """A step of training: the values of all variables before it and after it, by path."""

    before: Values
    after: Values

    @property
    def moved(self) -> set[str]:
        """Which of them changed."""
        return {path for path, value in self.before.items() if not np.array_equal(value, self.after[path])}


def step_of(strategy: Strategy, phase: Phase, prepare: Any = lambda model: None, *, steps: int = 1) -> tuple[Step, Any]:
    """One step of `phase`, or all of its `steps`, each on all inputs, after `prepare` has changed the model (not its start); and
    the model."""
    made = network()
    classifier = strategy.join(made, OUTPUTS.names)
    preparer = PhasePreparer(classifier, made, made.outline().blocks, [phase], OUTPUTS)
    prepare(classifier.model)
    frozen = preparer.freeze(phase)
    preparer.compile(classifier.model, phase, frozen, preparer.rates(phase, classifier.model), steps=steps)
    before = values(classifier.model)
    for _ in range(steps):
        classifier.model.train_on_batch(INPUTS, OUTPUTS.targets(LABELS, phase.learning))
    assert frozen.unchanged(classifier.model) == len(frozen.before)
    return Step(before, values(classifier.model)), classifier.model


def values(model: Any) -> Values:
    return {weight.path: keras.ops.convert_to_numpy(weight).astype(np.float64) for weight in model.weights}


def gradients(
    now: Values, kernel: NDArray[np.float64], inputs: NDArray[np.float32] = INPUTS, labels: NDArray[np.int64] = LABELS
) -> Values:
    """Of the mean cross-entropy, by the chain rule written out. `kernel` is what the lower layer multiplies by."""
    spread, normed = normed_of(now, kernel, inputs)
    shifted = normed * now["norm/gamma"] + now["norm/beta"]
    hidden = np.maximum(shifted, 0)
    logits = hidden @ now[f"{HEAD}/kernel"] + now[f"{HEAD}/bias"]
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    wrong = (shares - np.eye(CLASSES)[labels]) / len(labels)
    above = (wrong @ now[f"{HEAD}/kernel"].T) * (shifted > 0)
    lower = above * now["norm/gamma"] / spread
    return {
        f"{HEAD}/kernel": hidden.T @ wrong,
        f"{HEAD}/bias": wrong.sum(axis=0),
        "norm/gamma": (above * normed).sum(axis=0),
        "norm/beta": above.sum(axis=0),
        "below/kernel": inputs.astype(np.float64).T @ lower,
        "below/bias": lower.sum(axis=0),
    }


def normed_of(now: Values, kernel: NDArray[np.float64], inputs: NDArray[np.float32]) -> tuple[Any, Any]:
    """The spread (5,) that the norm divides by, and what it makes of `inputs` (n, 4) before it scales and shifts them (n, 5)."""
    below = inputs.astype(np.float64) @ kernel + now["below/bias"]
    spread = np.sqrt(now["norm/moving_variance"] + 1e-3)
    return spread, (below - now["norm/moving_mean"]) / spread


def features_of(now: Values, inputs: NDArray[np.float32]) -> NDArray[np.float64]:
    """What the network makes of `inputs` (n, 4): features (n, 5)."""
    _, normed = normed_of(now, now["below/kernel"], inputs)
    return np.maximum(normed * now["norm/gamma"] + now["norm/beta"], 0)
