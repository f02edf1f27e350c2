"""The control has a way of its own: that of its network, which nobody's older run loses."""

from typing import ClassVar

import pytest

from tests.helpers import python
from tests.tools.toy import ToyBackbone
from tl_core import backbones, strategies
from tl_core.backbones import ScratchDefaults
from tl_core.backbones.article_mlp import ArticleMLP
from tl_core.phases.schedules import CONSTANT, cosine, one_cycle
from tl_core.spec import PartSpec
from tl_core.strategies import Phase
from tl_core.strategies._by_gradient import SCHEDULES
from tl_core.strategies.from_scratch import FromScratch


class Particular(ToyBackbone):
    """One that is trained in a way of its own."""

    scratch: ClassVar[ScratchDefaults] = ScratchDefaults(epochs=7, learning_rate=0.02, batch_size=5, schedule="one_cycle")


def only(strategy: FromScratch, backbone: ToyBackbone | ArticleMLP) -> Phase:
    (phase,) = strategy.phases(backbone, (), 32)
    return phase


def test_what_is_left_empty_is_as_suits_the_network() -> None:
    phase = only(FromScratch(), Particular())
    assert (phase.epochs, phase.learning_rate, phase.batch_size) == (7, 0.02, 5)
    assert phase.learning.schedule == one_cycle()
    assert only(FromScratch(), ToyBackbone()).learning.schedule == cosine()


def test_the_articles_network_keeps_the_articles_way() -> None:
    phase = only(FromScratch(), ArticleMLP())
    assert phase.learning.schedule == CONSTANT
    assert phase.learning.optimizer == "adam"


@pytest.mark.parametrize("name", list(SCHEDULES))
def test_what_is_said_counts(name: str) -> None:
    said = strategies.build(
        PartSpec.model_validate({"name": "from_scratch", "schedule": name, "epochs": 3, "learning_rate": 0.5})
    )
    assert isinstance(said, FromScratch)
    phase = only(said, Particular())
    assert (phase.epochs, phase.learning_rate, phase.learning.schedule) == (3, 0.5, SCHEDULES[name])


def test_every_network_names_a_schedule_that_there_is() -> None:
    assert {part.scratch.schedule for part in backbones.backbones.parts().values()} <= set(SCHEDULES)


def test_a_stored_run_of_before_stays_what_it_was() -> None:
    """It says all of its settings, the constant rate among them."""
    stored = {"name": "from_scratch", "batch_size": None, "schedule": "constant", "weight_decay": 0.0, "clip_norm": None}
    stored |= {"patience": None, "balanced": False, "label_smoothing": 0.0, "augmentation": "none", "views": None}
    stored |= {"mixup": 0.0, "cutmix": 0.0, "epochs": None, "learning_rate": None}
    strategy = strategies.build(PartSpec.model_validate(stored))
    assert isinstance(strategy, FromScratch)
    phase = only(strategy, ToyBackbone())
    assert phase.learning.schedule == CONSTANT
    assert "trial" not in phase.described(())  # so that an interrupted one finds itself again


PROTOCOL = """
from benchmarks.digits_transfer import DigitsCNN, settings_of
from tl_core.recipe import Recipe
from tl_core.spec import RunSpec
for settings in settings_of(5).values():
    strategy = Recipe.of(RunSpec().with_settings(settings)).strategy
    last = list(strategy.phases(DigitsCNN(), (), 20))[-1]
    learning = last.learning
    print(strategy.name, *(() if last.solver else (learning.optimizer, last.learning_rate, learning.schedule.is_constant)))
"""


@pytest.mark.process
def test_the_digits_protocol_keeps_its_constant_rates() -> None:
    done = python(PROTOCOL)
    assert done.out.splitlines() == [
        "from_scratch adam 0.001 True",
        "linear_probe",
        "fine_tuning adam 0.001 True",
        "lp_ft adam 0.0003 True",
    ], done.err
