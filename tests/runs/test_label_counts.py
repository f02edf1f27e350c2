"""Runs that differ in labels a class are curves: means over seeds, what more labels would bring, and what a transfer saves."""

from dataclasses import replace
from itertools import product

import pytest

from tests.tools.seeded import PROBE, SCRATCH, values
from tl_core.analysis.power_law import PowerLaw, Silence
from tl_core.metrics import MetricValue
from tl_core.runs.compared import ACCURACY
from tl_core.runs.label_counts import label_curves, savings, typical
from tl_core.runs.store import Run
from tl_core.spec import PartSpec, RunSpec

COUNTS, SEEDS, CLASSES = (10, 20, 40, 80), 3, 5


def grown(template: Run, spec: RunSpec, scale: float) -> tuple[list[Run], dict[str, MetricValue]]:
    """Runs whose error is about scale * labels^-0.5, and their accuracies."""
    runs, known = list[Run](), dict[str, float]()
    for labels, seed in product(COUNTS, range(SEEDS)):
        run_id = f"{spec.strategy.name}{labels}-{seed}"
        own = spec.with_settings({"dataset.labels_per_class": labels, "seed": seed})
        runs.append(replace(template, id=run_id, spec=own))
        known[run_id] = 1 - scale * labels**-0.5 * (1 + 0.05 * (seed - 1))
    return runs, dict(values(known))


def test_curves_and_what_a_transfer_saves(template: Run) -> None:
    probes, known = grown(template, PROBE, 1.0)
    scratch, of_scratch = grown(template, SCRATCH, 2.0)
    curves = label_curves([*scratch, *probes], known | of_scratch, ACCURACY, lambda run: CLASSES)
    assert [curve.is_control for curve in curves] == [True, False]
    points = curves[1].points
    assert [point.labels for point in points] == list(COUNTS)
    assert points[0].mean == pytest.approx(1 - 10**-0.5)
    assert points[0].interval and points[0].interval.low < points[0].mean < points[0].interval.high
    assert curves[1].more == 100
    law, foretold = curves[1].law, curves[1].foretold
    assert isinstance(law, PowerLaw)
    assert not isinstance(foretold, Silence)
    assert foretold.low < typical(law, 100, ACCURACY) < foretold.high
    assert typical(law, 100, ACCURACY) == pytest.approx(0.9, abs=0.002)
    ((one, other, found),) = savings(curves, known | of_scratch)
    assert (one, other) == (curves[1], curves[0])
    assert (found.labels, found.factor, found.missed) == (80, pytest.approx(4, rel=1e-6), 0)


def test_one_number_of_labels_or_all_of_them_is_no_curve(template: Run) -> None:
    probes, known = grown(template, PROBE, 1.0)
    assert not label_curves(probes[:SEEDS], known, ACCURACY, lambda run: CLASSES)
    everything = [replace(run, spec=RunSpec(dataset=PartSpec(name="digits"))) for run in probes]
    assert not label_curves(everything, known, ACCURACY, lambda run: CLASSES)
    (curve,) = label_curves(probes[: 2 * SEEDS], known, ACCURACY, lambda run: CLASSES)
    assert (curve.law, curve.foretold) == (Silence.TOO_FEW, Silence.TOO_FEW)
    assert savings([curve], known) == []


def test_of_two_classes_the_next_labels_are_too_far(template: Run) -> None:
    probes, known = grown(template, PROBE, 1.0)
    (curve,) = label_curves(probes[: 3 * SEEDS], known, ACCURACY, lambda run: 2)
    assert curve.foretold is Silence.TOO_FAR
