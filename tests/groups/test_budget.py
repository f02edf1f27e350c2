"""Which runs of a group are started within a budget: the cheap ones first, then those beside the best so far."""

from typing import Any

import pytest

from tests.groups.test_cost import PROFILE, found
from tl_core.groups import budget, cost, statements
from tl_core.groups.budget import NotStarted
from tl_core.groups.group import Group, seconds_in

RUNS = found(strategy=["lp_ft", "linear_probe"], seed=[0, 1]).runs
COSTS = cost.of_each(RUNS, lambda _: PROFILE, 1e9, has_spare=False)
ALL = 1e9
TITLES = {"strategy": "Strategy"}


def started(seconds: float, *best: dict[str, Any]) -> list[tuple[str, int]]:
    runs, left = budget.within(seconds, RUNS, COSTS, best)
    assert len(runs) + len(left) == len(RUNS)
    return [(each.settings["strategy"], each.settings["seed"]) for each in runs]


def test_the_cheap_ones_come_first_and_then_those_beside_the_best() -> None:
    assert started(ALL) == [("linear_probe", 0), ("linear_probe", 1), ("lp_ft", 0), ("lp_ft", 1)]
    assert started(ALL, {"strategy": "lp_ft", "seed": 1}) == [
        ("lp_ft", 1),
        *(("linear_probe", 1), ("lp_ft", 0)),  # one step from it
        ("linear_probe", 0),
    ]


def test_nothing_is_started_beyond_the_budget_and_what_is_shared_counts_once() -> None:
    probes = [each for run, each in zip(RUNS, COSTS, strict=True) if run.settings["strategy"] == "linear_probe" and each]
    both = cost.of(probes)
    assert both.shared_seconds > 0
    assert started(both.seconds) == [("linear_probe", 0), ("linear_probe", 1)]
    assert started(0.999 * both.seconds) == [("linear_probe", 0)]
    assert started(0.999 * probes[0].seconds) == []


def test_what_is_not_started_is_told() -> None:
    _, left = budget.within(1.0, RUNS, [*COSTS[:3], None], [])
    assert [each.seconds is None for each in left] == [False, False, False, True]
    beyond, unknown = statements.not_started(left, 1.0, TITLES)
    assert beyond.startswith("3 runs are not started, as beyond the budget of 1.0 s: strategy linear_probe, seed 0 (about ")
    assert unknown.startswith("1 run is not started within a budget")
    (many,) = statements.not_started([NotStarted(RUNS[0].settings, 60.0)] * 9, 1.0, TITLES)
    assert many.endswith("; and 4 more.")


def test_a_side_of_the_question_that_does_not_fit_is_told() -> None:
    probes = [run for run in RUNS if run.settings["strategy"] == "linear_probe"]
    left = [NotStarted(run.settings, 60.0) for run in RUNS if run not in probes]
    (told,) = statements.unanswered(probes, left, TITLES)
    assert told.startswith("No run has strategy lp_ft, so this group says nothing of it")
    assert list(statements.unanswered(RUNS, [], TITLES)) == []
    assert list(statements.unanswered([*probes, next(run for run in RUNS if run not in probes)], left[1:], TITLES)) == []


@pytest.mark.parametrize(("given", "seconds"), [("90s", 90), ("10m", 600), (" 1.5h ", 5400), (30, 30), ("30", 30)])
def test_a_time_is_read(given: object, seconds: float) -> None:
    assert seconds_in(given) == seconds
    group = Group.parse({"name": "x", "axes": {"seed": [0, 1]}, "budget": given})
    assert Group.from_yaml(group.to_yaml()) == group
