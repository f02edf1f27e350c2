"""Transfers are found beside those that learned the same from scratch."""

from dataclasses import replace

import pytest

from tests.tools.seeded import IMAGES, PROBE, SCRATCH, several, values
from tl_core.analysis.paired_tests import PairedTest
from tl_core.analysis.transfer import Effect, Reached
from tl_core.runs.store import Run, StoredEvent
from tl_core.runs.twins import twins

KNOWN = values({"p0": 0.9, "p1": 0.88, "p2": 0.91, "s0": 0.8, "s1": 0.81, "s2": 0.84})


def curve(run: Run) -> list[StoredEvent]:
    """Of a transfer one epoch, and of its twin three."""
    numbers = [0.85] if run.id[0] == "p" else [0.3, 0.6, 0.8]
    return [StoredEvent(n, 0.0, "epoch", {"validation_accuracy": value}) for n, value in enumerate(numbers)]


def by_images(one: Run, other: Run) -> PairedTest:
    return PairedTest(IMAGES, 0.1, 0.001, differing=30)


def test_over_seeds(template: Run) -> None:
    (found,) = twins([*several(template, SCRATCH, 3, "s"), *several(template, PROBE, 3, "p")], KNOWN, by_images, curve)
    assert [run.id for run in found.match.others] == ["p0", "p1", "p2"]
    assert (found.gain, found.test.seeds, found.effect) == (pytest.approx(0.08), 3, Effect.HELPS)
    assert found.learning
    assert (found.learning.transfer, found.learning.scratch) == (Reached(1, 0, 3), Reached(3, 0, 3))


@pytest.mark.parametrize(("decides", "ahead"), [("log_loss", 0.5), ("accuracy", 0.55)])
def test_how_both_learn_is_told_by_the_metric_that_decides_them(decides: str, ahead: float, template: Run) -> None:
    scratch, probe = (spec.with_settings({"metric": "log_loss"}) for spec in (SCRATCH, PROBE))
    runs = [*several(template, scratch, 1, "s"), *several(template, probe.with_settings({"metric": decides}), 1, "p")]
    losses = {"s0": [0.9, 0.7], "p0": [0.4]}

    def told(run: Run) -> list[StoredEvent]:
        both = zip(curve(run), losses[run.id], strict=False)
        return [StoredEvent(1, 0.0, "epoch", {**each.data, "validation_metric": loss}) for each, loss in both]

    (found,) = twins(runs, KNOWN, by_images, told)
    assert found.learned_by.name == decides
    assert found.learning
    assert found.learning.jump_start.mean == pytest.approx(ahead)


def test_of_one_seed_the_test_images_decide(template: Run) -> None:
    runs = [*several(template, SCRATCH, 1, "s"), *several(template, PROBE, 1, "p")]
    (found,) = twins(runs, KNOWN, by_images, lambda run: [])
    assert (found.test, found.effect, found.learning) == (by_images(*runs), Effect.HELPS, None)
    lower = {name: value.model_copy(update={"value": 1 - value.value}) for name, value in KNOWN.items()}
    (found,) = twins(runs, lower, by_images, curve)
    assert found.effect is Effect.HARMS


@pytest.mark.parametrize("change", [{"seed": 5}, {"dataset.labels_per_class": 3}, {"task": "regression"}, {}])
def test_other_data_seeds_or_tests_are_no_twins(template: Run, change: dict[str, object]) -> None:
    (probe,), (scratch,) = several(template, PROBE, 1, "p"), several(template, SCRATCH, 1, "s")
    other = replace(scratch, spec=SCRATCH.with_settings(change), test_digest="same" if change else "other")
    assert not twins([probe, other], KNOWN, by_images, curve)
    assert not twins([probe, replace(probe, id="p1")], KNOWN, by_images, curve)
