"""Successive halving: when runs are first held against each other, and which of them go on."""

from dataclasses import replace
from math import inf
from typing import Any

import pytest

from tests.groups.test_cost import found
from tests.groups.test_group import GROUP
from tl_core.errors import SettingError
from tl_core.groups import halving, statements
from tl_core.groups.expansion import Member, Shape
from tl_core.groups.group import Group, question
from tl_core.groups.halving import LeftAt
from tl_core.planning.cuts import SplitSizes


def members(**axes: list[Any]) -> tuple[Member, ...]:
    return found(**{"strategy": ["lp_ft", "linear_probe"]} | axes).runs


@pytest.mark.parametrize(("epochs", "rung"), [([2], 1), ([10], 1), ([5, 30], 3), ([90, 5], 10)])
def test_the_first_rung_is_a_ninth_of_the_longest_run(epochs: list[int], rung: int | None) -> None:
    assert halving.first_rung(members(strategy__epochs=[*epochs, 1])) == rung


def test_what_is_computed_at_once_is_not_halved() -> None:
    probes = [each for each in members() if each.settings["strategy"] == "linear_probe"]
    assert halving.first_rung(probes) is None
    assert list(statements.halved(None)) == ["No run trains for more than 1 epoch, so that there is nothing to halve."]


@pytest.mark.parametrize(
    ("values", "on"),
    [
        ([0.1, 0.5, 0.9, 0.7, 0.3, 0.2, 0.8, 0.6, 0.4], [2, 3, 6]),
        ([0.1, 0.5], [1]),
        ([0.5], [0]),
        ([0.5, 0.2, 0.5], [0, 2]),
        ([-inf, 0.1, 0.2, -inf], [2]),
        ([-inf, -inf, -inf], [0, 1, 2]),
    ],
)
def test_the_best_third_goes_on_with_whatever_equals_it(values: list[float], on: list[int]) -> None:
    pytest.importorskip("optuna", reason="Optuna is not installed")
    assert halving.promoted({str(place): value for place, value in enumerate(values)}) == set(map(str, on))


def test_without_validation_images_nothing_is_halved() -> None:
    run = replace(members()[0], shape=Shape(SplitSizes(10, 0, 10), 2))
    with pytest.raises(SettingError, match="a dataset of this group has none"):
        halving.require([run])
    halving.require([replace(run, shape=None)])


def test_a_group_that_is_halved_is_a_file_and_asks_the_same() -> None:
    halved = GROUP.model_copy(update={"successive_halving": True})
    assert Group.from_yaml(halved.to_yaml()) == halved
    assert "successive_halving" not in GROUP.stored()
    assert question(halved.stored()) == question(GROUP.stored())


def test_what_is_left_is_told() -> None:
    left = LeftAt(epochs=3, place=4, of=9, kept=3)
    assert statements.left_at(left) == "Place 4 of 9 settings after 3 epochs, by the validation examples; the best 3 went on."
    (told,) = statements.not_tried_fully([left, LeftAt(epochs=1, place=2, of=2, kept=1)])
    assert told.startswith("2 runs were left after 1 epoch or 3 epochs by successive halving, without a test")
    assert list(statements.not_tried_fully([])) == []
