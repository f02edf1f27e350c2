"""Which runs a group comes to, and what is said of those that it does not."""

from pathlib import Path
from typing import Any

import pytest

from tests.helpers import FEW_CROPS, write_images
from tl_core.errors import SettingError
from tl_core.groups.expansion import Expansion, expand, read_shape
from tl_core.groups.group import Group
from tl_core.recipe import Recipe
from tl_core.spec import RunSpec

SCRATCH = {"backbone": "small_cnn", "backbone.width": 4, "strategy": "from_scratch", "image_size": 32}


def of(base: dict[str, Any], **axes: list[Any]) -> Expansion:
    return expand(Group.parse({"name": "x", "base": base, "axes": {name.replace("__", "."): axes[name] for name in axes}}))


def test_a_run_is_what_its_settings_say() -> None:
    found = of(SCRATCH | FEW_CROPS, strategy__epochs=[1, 2], seed=[0, 1])
    assert [dict(each.settings) for each in found.runs] == [
        {"strategy.epochs": epochs, "seed": seed} for epochs in (1, 2) for seed in (0, 1)
    ]
    last = RunSpec().with_settings(SCRATCH | FEW_CROPS | {"strategy.epochs": 2, "seed": 1})
    assert found.runs[-1].spec == Recipe.of(last).spec()
    assert (found.dropped, found.lacking) == ((), {})


def test_a_setting_that_a_strategy_does_not_have_is_none_of_its_axes() -> None:
    found = of({}, strategy=["linear_probe", "lp_ft"], strategy__learning_rate=[1e-4, 1e-3], seed=[0, 1])
    probes = [each.settings for each in found.runs if each.recipe.strategy.name == "linear_probe"]
    assert probes == [{"strategy": "linear_probe", "seed": seed} for seed in (0, 1)]
    assert len(found.runs) == 6
    assert found.lacking == {("strategy", "linear_probe"): ("strategy.learning_rate",)}


def test_a_value_of_an_axis_goes_before_the_base() -> None:
    found = of({"strategy.epochs": 9}, strategy=[{"name": "lp_ft", "epochs": 3}, "fine_tuning"])
    assert [each.spec.strategy.settings["epochs"] for each in found.runs] == [3, 9]


def test_equal_runs_appear_once() -> None:
    found = of({}, strategy=["linear_probe", {"name": "linear_probe", "solver": "logistic"}], seed=[0, 1])
    assert len(found.runs) == 2


def test_what_makes_no_sense_is_dropped_with_the_reason() -> None:
    found = of({}, backbone=["efficientnet_lite0", "small_cnn", "efficientnet_lite9"], seed=[0, 1])
    assert [each.spec.backbone.name for each in found.runs] == ["efficientnet_lite0"] * 2
    reasons = [each.reason for each in found.dropped]
    assert reasons[0] == reasons[1]
    assert "no pretrained weights" in reasons[0]
    assert "Did you mean efficientnet_lite" in reasons[2]
    nothing = of({"backbone": "small_cnn"}, seed=[0, 1])
    with pytest.raises(SettingError, match=r"No combination.*no pretrained weights"):
        nothing.require_runs()


def test_data_that_cannot_be_read_are_dropped_with_the_reason(tmp_path: Path) -> None:
    here = write_images(tmp_path / "pets", each=8)
    base = SCRATCH | {"dataset": "image_folder"}
    found = of(base, dataset__path=[str(here), str(tmp_path / "none")], seed=[0, 1]).readable(read_shape)
    assert len(found.runs) == len(found.dropped) == 2
    shapes = [each.shape for each in found.runs]
    assert all(shape and shape.classes == 3 and shape.images.train for shape in shapes)


@pytest.mark.parametrize(
    ("base", "axes", "said"),
    [
        ({}, {"strategy__epoch": [1, 2]}, "No strategy of this group has such a setting.*strategy.epoch"),
        ({"backbone.depth": 3}, {"seed": [1, 2]}, "No backbone of this group has such a setting.*backbone.depth"),
    ],
)
def test_a_setting_that_nothing_has_is_a_mistake(base: dict[str, Any], axes: dict[str, list[Any]], said: str) -> None:
    with pytest.raises(SettingError, match=said):
        of(base, **axes)


def test_names_of_data_make_no_other_run() -> None:
    spec = RunSpec().with_settings({"dataset": "image_folder", "dataset.path": "x"})
    assert spec.with_settings({"dataset.display_name": "Pets"}).content == spec.content
    assert spec.with_settings({"dataset.path": "y"}).content != spec.content
