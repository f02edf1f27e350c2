"""The ends of a strategy's numbers are those of what they set: schedules, optimizers, augmentation, penalties, heads."""

import inspect
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pytest
from pydantic import ValidationError

from tests.test_field_ends import numeric_fields
from tests.tools.one_step import step_of
from tests.tools.toy import FEW, SIZE, Known, known
from tl_core import strategies
from tl_core.backbones import BlockOutline
from tl_core.heads import Problem
from tl_core.spec import RunSpec
from tl_core.strategies import Phase, Strategy
from tl_core.training.augmentation import Augmenter
from tl_core.training.train import train

BLOCKS = (BlockOutline("below", layers=3, parameters=100, norm_parameters=20, multiply_adds=1000),)
CLASSES, DRAWN = 3, np.random.default_rng(0)
PICTURES = DRAWN.uniform(0, 255, (6, SIZE, SIZE, 3)).astype(np.float32)
LABELS = np.arange(6, dtype=np.int64) % CLASSES
FEATURES = DRAWN.normal(size=(6, 4)).astype(np.float32)
EPOCHS = 2
"""Of a real run; more say nothing new about an end."""


def declaring(part: type[Strategy], field: str) -> type[Any]:
    """The class whose declaration of `field` counts for `part`."""
    return next(each for each in part.__mro__ if field in inspect.get_annotations(each))


def field_ends() -> Iterator[tuple[str, str, float]]:
    """Each declaration of a numeric field once, on the plainest strategy that has it, at both of its ends."""
    told = set()
    for name, part in sorted(strategies.strategies.parts().items(), key=lambda item: len(item[1].model_fields)):
        for field, ends in numeric_fields(part):
            if (declaration := (declaring(part, field), field)) not in told:
                told.add(declaration)
                yield from ((name, field, end.last) for end in ends)


ENDS = list(field_ends())
ALIKE = {(field, value): (name, field, value) for name, field, value in reversed(ENDS)}.values()
"""Of fields that share a name and an end, the plainest strategy's."""


@pytest.fixture
def eagerly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps that nothing is compiled for."""
    monkeypatch.setattr(keras.Model, "run_eagerly", property(lambda model: True, lambda model, value: None))


def at_end(name: str, field: str, value: float) -> Strategy:
    """The strategy's example with `field` at an end."""
    part = strategies.strategies.part(name)
    return part.model_validate(part.example().model_dump() | {field: value})


@pytest.mark.parametrize(("name", "field", "value"), ALIKE)
def test_what_an_end_sets_can_be_made(name: str, field: str, value: float, eagerly: None) -> None:
    strategy = at_end(name, field, value)
    phases = list(strategy.phases(Known(), BLOCKS, len(LABELS)))
    assert len({phase.name for phase in phases}) == len(phases)
    for phase in {id(phase): phase for phase in (phases[0], phases[-1])}.values():
        assert phase.epochs >= 1
        make_head(phase) if phase.solver else make_step(strategy, phase)


def make_head(phase: Phase) -> None:
    """Compute the head of `phase`, which has finite numbers."""
    assert phase.solver
    head = phase.solver.solve(Problem((FEATURES, LABELS), CLASSES))
    assert np.isfinite(head.kernel).all()
    assert np.isfinite(head.bias).all()


def make_step(strategy: Strategy, phase: Phase) -> None:
    """Do a step of `phase` on numbers, and change pictures as it says."""
    step_of(strategy, phase)
    if phase.learning.augments:
        pixels, shares = Augmenter(phase.learning, SIZE, (0,))(PICTURES, np.eye(CLASSES, dtype=np.float32)[LABELS], (0, 0))
        assert np.isfinite(pixels).all()
        np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-5)


def test_cutmix_ends_where_its_layer_does() -> None:
    with pytest.raises(ValidationError, match="cutmix"):
        at_end("lp_ft", "cutmix", 1.1)
    with pytest.raises(ValueError, match="factor"):
        keras.layers.CutMix(1.1)


@pytest.mark.full
@pytest.mark.parametrize(("name", "field", "value"), [end for end in ENDS if end[1] != "epochs"])
def test_a_run_at_an_end_comes_to_a_result(name: str, field: str, value: float) -> None:
    strategy = at_end(name, field, value)
    more = {"strategy.epochs": EPOCHS} if "epochs" in type(strategy).model_fields else {}
    with known() as backbone:
        network = backbone if strategy.pretrained else "small_cnn"
        spec = RunSpec(strategy=strategy.spec()).with_settings(FEW | more | {"backbone": network, "image_size": SIZE})
        assert train(spec, lambda event: None).result.test_images
