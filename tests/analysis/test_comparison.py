"""Which run is better, and when that cannot be said."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tl_core.analysis import comparison
from tl_core.analysis.comparison import Contender, RunPoint, differences, frontier, p_text, points, same_data
from tl_core.analysis.paired_tests import PairedTest, by_mcnemar
from tl_core.analysis.statements import percent
from tl_core.analysis.statistics import Interval, wilson
from tl_core.result import Better
from tl_core.spec import RunSpec

IMAGES = 800


def contender(title: str, right: int, *, transfer: bool = True, seconds: float = 6.0, **changes: Any) -> Contender:
    """A run that got the first `right` of the test images."""
    values: dict[str, Any] = {
        "title": title,
        "transfer": transfer,
        "value": right / IMAGES,
        "interval": wilson(right, IMAGES),
        "shown": percent(right / IMAGES, wilson(right, IMAGES)),
        "seconds": seconds,
        "test_digest": "same",
    }
    return Contender(**values | changes)


def verdict(first: Contender, second: Contender) -> str:
    """Of runs on the same images, by the exact McNemar test."""
    right = [np.arange(IMAGES) < round(run.value * IMAGES) for run in (first, second)]
    return comparison.verdict(first, second, by_mcnemar(*right))


PROBE = contender("Linear probe", 680)
SCRATCH = contender("From scratch", 472, transfer=False, seconds=26.0)


def test_transfer_helped() -> None:
    text = verdict(PROBE, SCRATCH)
    assert text.startswith("Transfer helped: Linear probe is better than From scratch by 26 points on the same 800 images")
    assert "p < 0.001" in text
    assert "6.0 s against 26 s" in text
    assert text == verdict(SCRATCH, PROBE)


def test_negative_transfer_is_said_aloud() -> None:
    text = verdict(contender("Linear probe", 400), SCRATCH)
    assert text.startswith("Transfer hurt: from scratch is better by 9.0 points")


def test_with_other_labels_nothing_is_said_of_transfer() -> None:
    """What has more labels is better for that, too."""
    assert verdict(PROBE, contender("From scratch", 472, transfer=False, data="fewer")).startswith("Linear probe is better than")


def test_no_difference() -> None:
    text = verdict(contender("Linear probe", 475), SCRATCH)
    assert text.startswith("No detectable difference: ")
    assert "cannot be told apart on the same 800 images" in text
    assert "p = 0.25" in text


def test_too_few_seeds_to_show_anything_are_said_to_be() -> None:
    found = PairedTest(IMAGES, 0.01, 0.9, Interval(-0.98, 1.0), seeds=3)
    text = comparison.verdict(PROBE, SCRATCH, found)
    assert "cannot be told apart over 3 seeds on the same 800 images, which are too few to show any (" in text


def test_two_transfers_are_not_called_help() -> None:
    text = verdict(contender("Fine-tuning", 720), PROBE)
    assert text.startswith("Fine-tuning is better than Linear probe by 5.0 points")


def test_different_images_are_not_tested_against_each_other() -> None:
    text = verdict(PROBE, contender("From scratch", 472, transfer=False, test_digest="other"))
    assert text.startswith("Tested on different images, so that only their intervals can be compared")
    texts = verdict(PROBE, contender("Bag of words", 472, test_digest="other", thing="texts"))
    assert texts.startswith("Tested on images and on texts, so that only")
    assert "do not overlap" in text
    assert "Transfer" not in text
    assert "McNemar" not in text


def test_lost_predictions_leave_the_intervals() -> None:
    assert "single predictions are missing" in comparison.verdict(PROBE, contender("Fine-tuning", 690), None)


LOSSES: dict[str, Any] = {"better": Better.LOWER, "interval": None, "metric": "log loss", "is_share": False}
BALANCED: dict[str, Any] = {"metric": "balanced accuracy"}
GOOD = contender("Linear probe", 0, value=0.5, shown="0.500", **LOSSES)
POOR = contender("Fine-tuning", 0, value=0.62, shown="0.620", **LOSSES)


def test_of_a_loss_the_lower_one_is_better_where_the_bootstrap_says_so() -> None:
    found = PairedTest(IMAGES, 0.12, interval=Interval(0.04, 0.2))
    for pair in ((GOOD, POOR), (POOR, GOOD)):
        text = comparison.verdict(*pair, found)
        assert text.startswith(
            "Linear probe is better than Fine-tuning by 0.120 in log loss on the same 800 images (0.500 against"
        )
        assert "95 % interval of the difference by a paired bootstrap 0.040 to 0.200;" in text


def test_an_interval_that_holds_nothing_shows_no_difference() -> None:
    pair = contender("Linear probe", 680, **BALANCED), contender("Fine-tuning", 690, **BALANCED)
    text = comparison.verdict(*pair, PairedTest(IMAGES, 0.012, interval=Interval(-0.004, 0.02)))
    assert "cannot be told apart on the same 800 images" in text
    assert "paired bootstrap \N{MINUS SIGN}0.4 to 2.0 points" in text
    assert "1.2 points in balanced accuracy apart, which has no interval" in comparison.verdict(*pair, PairedTest(IMAGES, 0.012))


def test_without_intervals_other_images_are_not_held_side_by_side() -> None:
    text = comparison.verdict(GOOD, contender("Fine-tuning", 0, value=0.62, shown="0.620", test_digest="other", **LOSSES), None)
    assert text.startswith("Tested on different images")
    assert text.endswith("not both have one.")


@pytest.mark.parametrize(
    ("p_value", "text"), [(1e-9, "p < 0.001"), (0.0123, "p = 0.012"), (0.0496, "p < 0.05"), (0.34, "p = 0.34")]
)
def test_p_text(p_value: float, text: str) -> None:
    assert p_text(p_value) == text


@pytest.mark.parametrize(("difference", "text"), [(-0.26, "26 points"), (0.0251, "2.5 points"), (0.0999, "10 points")])
def test_points(difference: float, text: str) -> None:
    assert points(difference) == text


RUNS = st.lists(st.tuples(st.integers(0, 5), st.integers(1, 5)), max_size=12).map(
    lambda pairs: [RunPoint(str(n), "", "", a / 5, 0, 1, float(s)) for n, (a, s) in enumerate(pairs)]
)


@given(RUNS)
def test_frontier_is_what_nothing_beats(runs: list[RunPoint]) -> None:
    best = frontier(runs)
    for run in runs:
        beaten = any((b.value > run.value and b.cost <= run.cost) or (b.value >= run.value and b.cost < run.cost) for b in best)
        assert beaten != (run in best)
    assert [run.cost for run in best] == sorted(run.cost for run in best)
    assert [run.value for run in best] == sorted(run.value for run in best)
    upside_down = [RunPoint(run.run_id, "", "", -run.value, 0, 1, run.cost) for run in runs]
    assert [run.run_id for run in frontier(upside_down, Better.LOWER)] == [run.run_id for run in best]


def test_differences_are_only_those_that_tell_runs_apart() -> None:
    one = RunSpec().dotted() | {"strategy.epochs": 40, "strategy.blocks": None}
    other = one | {"strategy": "from_scratch", "strategy.blocks": 3}
    del other["strategy.epochs"]
    table = differences({"a": one, "b": other})
    assert set(table.index) == {"strategy", "strategy.epochs", "strategy.blocks"}
    assert list(table.loc["strategy.epochs"]) == ["40", "\N{EN DASH}"]
    assert list(table.loc["strategy.blocks"]) == ["none", "3"]
    assert differences({"a": one, "b": one}).empty
    assert differences({}).empty


def test_same_data() -> None:
    spec = RunSpec()
    assert same_data(spec, spec.with_settings({"strategy": "from_scratch", "backbone": "small_cnn", "image_size": 32}))
    assert not same_data(spec, spec.with_settings({"seed": 1}))
    assert not same_data(spec, spec.with_settings({"dataset": "digits"}))


def test_scipy_is_loaded_only_when_a_test_is_made() -> None:
    code = (
        "import sys, tl_core.analysis.comparison, tl_core.analysis.metrics; print(sorted({'scipy', 'keras'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
