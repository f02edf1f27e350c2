"""What the runs of a group take together, in closed form: passes that several share are counted once."""

from collections.abc import Mapping
from typing import Any

import pytest

from tl_core.backbones import BlockOutline, Outline
from tl_core.groups import cost, statements
from tl_core.groups.cost import GroupCost, RunCost
from tl_core.groups.expansion import Expansion, expand, read_shape
from tl_core.groups.group import Group
from tl_core.networks.outline import Provenance
from tl_core.planning.backbone_profile import BackboneProfile
from tl_core.planning.estimate import estimate
from tl_core.recipe import Recipe
from tl_core.runner.group_plan import Plan
from tl_core.system.settings import CACHE_VARIABLE

RATE, NUMBERS = 100.0, 8
"""Images a second through the frozen network, and numbers that it makes of each."""
PROFILE = BackboneProfile(
    outline=Outline((BlockOutline("all", 3, 1000, 0, 10**6, numbers=NUMBERS),), NUMBERS, Provenance("", "", "")),
    frozen_rate=RATE,
    frozen_first=0.5,
    trained_rate=50.0,
    trained_first=2.0,
    starting_seconds=3.0,
    loading_seconds=1.0,
    converting_seconds=1.0,
    head_rate=1e9,
    idle_bytes=10**8,
    frozen_bytes=10**7,
    trained_bytes=10**8,
)
CLASSES, VALIDATION, TEST = 16, 10, 50
"""Of photo patches, the latter two of each class."""


def found(**axes: list[Any]) -> Expansion:
    named = {name.replace("__", "."): values for name, values in axes.items()}
    return expand(Group.parse({"name": "x", "axes": named})).readable(read_shape)


def of(expansion: Expansion, **more: Any) -> GroupCost:
    return cost.of(cost.of_each(expansion.runs, lambda _: PROFILE, 1e9, **{"has_spare": False} | more))


def alone(expansion: Expansion) -> float:
    estimates = [
        estimate(each.recipe, PROFILE, each.shape.images, each.shape.classes, 1e9) for each in expansion.runs if each.shape
    ]
    return sum(each.running_seconds + each.starting_seconds for each in estimates)


@pytest.mark.parametrize(
    ("axes", "shared_images"),
    [
        ({"seed": [0, 1, 2]}, 2 * TEST),  # the test images are the same ones
        ({"strategy": ["linear_probe", "nearest_class_mean"]}, 10 + VALIDATION + TEST),
        ({"dataset__labels_per_class": [2, 10]}, 2 + VALIDATION + TEST),  # two are among the ten
        ({"dataset__test_per_class": [20, 50]}, 0),
        ({"strategy": ["linear_probe", "from_scratch"]}, 0),
    ],
)
def test_a_shared_pass_is_counted_once(axes: Mapping[str, list[Any]], shared_images: int) -> None:
    expansion = found(**axes)
    told = of(expansion)
    assert told.shared_seconds == pytest.approx(CLASSES * shared_images / RATE)
    assert told.seconds + told.shared_seconds == pytest.approx(alone(expansion))


def test_each_network_is_asked_for_once() -> None:
    asked: list[str] = []

    def measured(recipe: Recipe) -> None:
        asked.append(recipe.backbone.name)

    runs = found(strategy=["linear_probe", "nearest_class_mean"], seed=[0, 1]).runs
    assert cost.of_each(runs, measured, 1e9, has_spare=False) == [None] * 4
    assert asked == ["efficientnet_lite0"]  # of one that cannot be measured, each run would wait for it anew


def test_a_spare_has_started_already_and_what_was_not_measured_is_told() -> None:
    expansion = found(seed=[0, 1, 2])
    assert of(expansion, has_spare=True).seconds == pytest.approx(of(expansion).seconds - 3 * PROFILE.starting_seconds)
    unknown = cost.of([None] * 3)
    assert unknown == GroupCost(0.0, 0.0, 0, 0, 3)
    assert list(statements.takes(unknown, 3)) == [
        "3 of 3 runs are not counted: how fast the network is here has not been measured yet, or the data are not here."
    ]


@pytest.mark.parametrize(
    ("where", "told"), [("local", ""), ("ray", "They run elsewhere (Ray cluster)"), ("ray, local", "1 of them runs elsewhere")]
)
def test_what_runs_in_a_cluster_is_not_held_against_this_machine(where: str, told: str) -> None:
    runs = tuple(run for run in found(executor=["ray", "local"]).runs if run.recipe.executor.name in where)
    costs = cost.of([RunCost(1.0, 10**12, 10**12, ())] * len(runs))
    asked = Group.parse({"name": "x", "axes": {"seed": [0, 1]}, "budget": 60})
    lines = Plan(asked, Expansion(runs, (), {}), {}, runs, costs).sentences(1, 1)
    assert any("choose smaller images" in line for line in lines) == ("local" in where)
    assert [line.startswith(told) for line in lines if CACHE_VARIABLE in line] == [True] * bool(told)
    assert {"It fits into the budget of 1 min 0 s.", "All 2 fit into the budget of 1 min 0 s."} & set(lines)


def test_what_the_machine_lacks_is_said() -> None:
    told = GroupCost(100.0, 40.0, memory_bytes=2 * 10**9, disk_bytes=3 * 10**9, unknown=0)
    assert not list(statements.lacks(told, memory=10**10, disk=10**10))
    memory, disk = statements.lacks(told, memory=10**9, disk=10**9)
    assert "2.0 GB of memory, and 1.0 GB is free" in memory
    assert "3.0 GB of disk, and 1.0 GB is free" in disk
    assert next(statements.takes(told, 3)) == (
        "About 1 min 40 s on this machine, one run after the other; 40 s more if each computed the frozen part alone."
    )
