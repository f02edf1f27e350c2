"""A computed head goes into a network that normalises features as it does, and into no other one."""

from typing import Any

import keras
import numpy as np
import pytest

from tl_core.heads import Head
from tl_core.strategies import Classifier
from tl_core.training.values import get_values

KERNEL = np.random.default_rng(0).normal(size=(4, 3))
BIAS, CENTRE = np.array([0.5, -1.0, 0.0]), np.array([1.0, -2.0, 0.5, 3.0])
FEATURES = np.random.default_rng(1).normal(size=(6, 4)).astype(np.float32)


def classifier(*, normalise: bool) -> Classifier:
    inputs = keras.Input((4,))
    return Classifier.on(inputs, keras.layers.Identity()(inputs), 3, normalise=normalise)


def put(head: Head, made: Classifier) -> Any:
    made.set_head(head.kernel, head.bias, centre=head.centre, groups=head.groups)
    return made.model.predict_on_batch(FEATURES)


@pytest.mark.parametrize("head", [Head(KERNEL, BIAS), Head(KERNEL, BIAS, CENTRE, (4,)), Head(KERNEL, BIAS, None, (4,))])
def test_the_network_gives_what_the_head_does(head: Head) -> None:
    made = classifier(normalise=head.unit)
    assert made.normalises == head.unit
    if head.unit:
        put(Head(KERNEL, BIAS, -CENTRE, (4,)), made)  # of an earlier phase: nothing of it stays
    np.testing.assert_allclose(put(head, made), head.probabilities(FEATURES), atol=1e-6)


@pytest.mark.parametrize(
    ("head", "normalise"),
    [
        (Head(KERNEL, BIAS), True),
        (Head(KERNEL, BIAS, CENTRE), True),
        (Head(KERNEL, BIAS, None, (2, 2)), True),
        (Head(KERNEL, BIAS, None, (4,)), False),
        (Head(KERNEL, BIAS, CENTRE), False),
    ],
)
def test_one_that_normalises_otherwise_is_refused(head: Head, normalise: bool) -> None:
    made = classifier(normalise=normalise)
    before = get_values(made.model.variables)
    with pytest.raises(ValueError, match="unit groups"):
        put(head, made)
    for after, values in zip(get_values(made.model.variables), before, strict=True):
        np.testing.assert_array_equal(after, values)
