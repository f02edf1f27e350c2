"""What computing a head costs, by images, features and classes."""

from dataclasses import replace
from typing import Any

import pytest

from tl_core.backbones import BlockOutline, Outline
from tl_core.heads import LogisticRegression, NearestCentroid, RidgeClassifier, SelectedFeatures, Solver
from tl_core.networks.outline import Provenance
from tl_core.planning import estimate
from tl_core.planning.backbone_profile import BackboneProfile
from tl_core.planning.cost_model import head_work
from tl_core.planning.cuts import SplitSizes
from tl_core.recipe import Recipe
from tl_core.spec import RunSpec
from tl_core.strategies import Phase, everything, nothing

OUTLINE = Outline((BlockOutline("all", 3, 3_000_000, 40, 10**8),), 1280, Provenance("here", "MIT", "photos"))


def solved(solver: Solver) -> Phase:
    return Phase("head", 1, 1.0, 32, nothing, solver=solver)


@pytest.mark.parametrize("solver", [LogisticRegression(), RidgeClassifier(), NearestCentroid(), SelectedFeatures()])
def test_more_images_features_and_classes_take_more(solver: Solver) -> None:
    usual = head_work(solved(solver), 3000, 500, 100)
    for more in ((6000, 500, 100), (3000, 1000, 100), (3000, 500, 200)):
        assert head_work(solved(solver), *more) > 1.05 * usual


def test_kinds_of_heads() -> None:
    chosen, given = (head_work(solved(LogisticRegression(each)), 45_000, 1280, 10) for each in (None, 10.0))
    assert given < chosen < 2 * given  # chosen on some of them
    assert head_work(solved(NearestCentroid()), 45_000, 1280, 10) < given / 50
    assert head_work(Phase("all", 5, 1e-3, 32, everything), 45_000, 1280, 10) == 0


def test_the_head_is_in_the_estimate() -> None:
    values: dict[str, Any] = dict.fromkeys(BackboneProfile.__dataclass_fields__, 1)
    probe = BackboneProfile(**(values | {"outline": OUTLINE, "frozen_rate": 1e3, "trained_rate": 300.0, "head_rate": 3e10}))

    def seconds(classes: int, strategy: str = "linear_probe", measured: BackboneProfile = probe) -> float:
        recipe = Recipe.of(RunSpec().with_settings({"strategy": strategy}))
        return estimate.estimate(recipe, measured, SplitSizes(1200, 1200, 1200), classes, 10**9).running_seconds

    assert seconds(1200) - seconds(3) == pytest.approx(32, rel=0.3)
    assert seconds(1200, "nearest_class_mean") - seconds(3, "nearest_class_mean") < 1
    assert seconds(1200, measured=replace(probe, head_rate=6e10)) < seconds(1200)  # a machine that is twice as fast
    assert seconds(1200, "fine_tuning") == pytest.approx(seconds(3, "fine_tuning"), rel=0.01)
