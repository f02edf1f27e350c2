"""Every strategy on an encoder of texts: it trains, and what it says is frozen stays so."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.tools.tiny_bert import TinyBert
from tests.tools.variants import UNTAUGHT, variants
from tl_core.errors import SettingError
from tl_core.events import Event
from tl_core.features.cache import ActivationCache
from tl_core.recipe import Recipe
from tl_core.spec import RunSpec
from tl_core.strategies import strategies
from tl_core.training.evaluation import outcome_of
from tl_core.training.train import set_up

FEW = {"dataset": "docstrings", "dataset.labels_per_class": 2, "dataset.test_share": 0.02, "dataset.validation_share": 0.02}


@pytest.mark.parametrize("name", variants(UNTAUGHT, ["linear_probe", "head2toe", "fine_tuning", "lora"]))
def test_it_trains(name: str, tmp_path: Path) -> None:
    recipe = Recipe.of(RunSpec().with_settings({**FEW, "strategy": strategies.part(name).example().spec()}))
    recipe = replace(recipe, backbone=TinyBert())
    told: list[Event] = []
    run = set_up(recipe, told.append, cache=ActivationCache(tmp_path, 10**8))
    for phase in run.remaining_phases():
        run.train_phase(phase)
    result = outcome_of(run).result
    assert all(phase.frozen_tensors == phase.unchanged_tensors for phase in result.phases)
    assert 0 <= result.accuracy <= 1


def test_texts_are_neither_flipped_nor_mixed() -> None:
    settings = FEW | {"strategy": "fine_tuning", "strategy.augmentation": "flip", "backbone": "bag_of_words"}
    with pytest.raises(SettingError, match="is set to change training images, and Bag of words takes texts"):
        Recipe.of(RunSpec().with_settings(settings)).require_runnable()
