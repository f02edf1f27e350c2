"""No chart grows without end: each stays small with thousands of classes, runs and epochs, and with very long names."""

from collections.abc import Callable

import numpy as np
import plotly.graph_objects as go
import pytest

from tests.ui.test_charts import (
    BLOCKS,
    CHARTS,
    LAW,
    MAE,
    PICTURE,
    by_labels,
    epochs,
    gpu,
    measures,
    planned,
    samples,
    steps,
    used,
)
from tl_core.analysis.comparison import Cost, RunPoint
from tl_core.analysis.learning_curve import points
from tl_core.analysis.metrics import confusion_matrix, most_confused
from tl_core.analysis.rates import RateCurve
from tl_core.analysis.what_if import Answer
from tl_core.checks.projection import MOST, ImageMap
from tl_core.events import Activity
from tl_core.groups.group import MOST_RUNS, MOST_VALUES
from tl_core.result import Timing
from tl_core.runs.compared import ACCURACY
from tl_core.strategies import Phase, nothing
from tl_core.tasks.regression import Regression
from tl_core.ui import confusion
from tl_core.ui.charts import (
    comparing,
    curves,
    data,
    groups,
    image_map,
    label_counts,
    labels,
    learning_curve,
    machine,
    network,
    numbers,
    outcome,
    parallel,
    predicted,
    rates,
    sizes,
    theme,
)
from tl_core.ui.charts.groups import Axis, GroupPoint

MANY, LONG = 5000, "a class of a very long name " * 40
NAMES = [f"{LONG}{n}" for n in range(MANY)]
IDS = [f"{n:032}" for n in range(MANY)]


def confused(classes: int, most: int) -> go.Figure:
    """Every class taken for all kinds of others."""
    generator = np.random.default_rng(0)
    labels, predicted = generator.integers(0, classes, (2, 60_000))
    drawn = most_confused(labels, predicted, classes, most)
    images = np.bincount(labels, minlength=classes)[drawn]
    matrix = confusion_matrix(labels, predicted, drawn)
    return outcome.confusion(matrix, [NAMES[index] for index in drawn], images=images, classes=classes)


def mapped() -> ImageMap:
    count = sum(MOST.values())
    fields = {
        "x": [0.1234567 * n for n in range(count)],
        "y": [0.7654321 * n for n in range(count)],
        "labels": [n * 7 % MANY for n in range(count)],
        "splits": ["train"] * count,
        "names": [LONG] * count,
        "class_names": NAMES,
    }
    return ImageMap(**(dict.fromkeys(ImageMap.__dataclass_fields__) | fields))  # type: ignore[arg-type]  # of no matter here


def trained() -> list[Timing]:
    """The seconds of many phases."""
    return [Timing(activity=Activity.TRAINING, phase=name, seconds=1.0) for name in NAMES]


SCORES = np.random.default_rng(0).random((20_000, 40), dtype=np.float32)
MEASURED = np.arange(60_000.0)
REACHED = [GroupPoint(run, n % MOST_VALUES, NAMES[n], n > 0, 0.5, NAMES[n]) for n, run in enumerate(IDS[:MOST_RUNS])]
LARGE: dict[str, Callable[[], go.Figure]] = {
    "learning_curves": lambda: curves.learning_curves(steps(MANY, tuple(NAMES)), epochs(MANY), LONG[:32]),
    "telemetry": lambda: machine.telemetry(samples(MANY, gpus=[gpu(f"{LONG}{n}") for n in range(8)]), 100.0, 2),
    "usage_bars": lambda: machine.usage_bars([(name, used(cpu_seconds=9.0)) for name in NAMES]),
    "phase_chart": lambda: network.phase_chart(planned([Phase(n, 5, 1e-3, 32, nothing) for n in NAMES], BLOCKS * 20), 20_496),
    "rate_chart": lambda: rates.rate_chart(RateCurve(*[tuple(1e-8 * 1.01**n for n in range(1500))] * 2), 1e-4, "40"),
    "learning_curve": lambda: learning_curve.learning_curve(
        points(
            [
                Answer(n, c, seed, n, ACCURACY.of_counts(30, 50))
                for n in range(1, 100)
                for c in (None, 1.0, 9.0)
                for seed in range(20)
            ],
            (),
        ),
        "5",
        ACCURACY,
        "labelled images a class",
    ),
    "metric_by_labels": lambda: label_counts.metric_by_labels([by_labels(LAW)] * MANY, NAMES, ACCURACY),
    "sample_grid": lambda: data.sample_grid([[PICTURE] * 8] * MANY, NAMES),
    "class_balance": lambda: data.class_balance({split: dict.fromkeys(NAMES, 3) for split in theme.SPLITS}),
    "confusion": lambda: confused(MANY, confusion.FEW),
    "confusion_of_all": lambda: confused(outcome.MOST_CLASSES, outcome.MOST_CLASSES),
    "seconds_bar": lambda: outcome.seconds_bar(trained(), 3.0),
    "image_grid": lambda: outcome.image_grid(np.stack([PICTURE] * 24), NAMES[:24], NAMES[:24]),
    "image_map": lambda: image_map.image_map(mapped()),
    "image_sizes": lambda: sizes.image_sizes([(n, 2 * n) for n in range(1, 161)]),
    "curves": lambda: curves.learning_curves(steps(MANY), epochs(MANY), "run", measures(Regression, MAE)),
    "predicted_against_true": lambda: numbers.predicted_against_true(MEASURED, MEASURED, LONG),
    "residuals": lambda: numbers.residuals(MEASURED, MEASURED, LONG),
    "output_bars": lambda: predicted.output_bars([(name, 0.1) for name in NAMES[:5]], NAMES),
    "precision_recall": lambda: labels.precision_recall(SCORES > 0.7, SCORES[:, ::-1], np.full(40, 0.5), NAMES[:40]),
    "spread": lambda: numbers.spread(dict.fromkeys(theme.SPLITS, MEASURED), LONG),
    "parallel_coordinates": lambda: parallel.parallel_coordinates(
        dict.fromkeys(NAMES[:40], NAMES), SCORES[:MANY, 0].tolist(), ACCURACY
    ),
    "group_chart": lambda: groups.group_chart(REACHED, Axis(LONG, range(MOST_VALUES)), NAMES[:MOST_RUNS], ACCURACY, "g"),
    "metric_against_cost": lambda: comparing.metric_against_cost(
        [RunPoint(run, NAMES[n], f"family {n % 30}", n / MANY, 0.0, 1.0, 1.0 + n) for n, run in enumerate(IDS)],
        ACCURACY,
        Cost.SECONDS,
    ),
    "overlaid_curves": lambda: comparing.overlaid_curves(
        dict.fromkeys(IDS, epochs(900)), dict(zip(IDS, NAMES, strict=True)), curves.ACCURACY, IDS[-1]
    ),
}
FIXED = {"speed_chart", "split_bar", "backbone_scatter", "ranked_networks", "similar_networks", "reached_against_foretold"}
"""Charts of what the product itself has so many of."""


def kind(name: str) -> str:
    """The chart of one of the cases in test_charts."""
    special = {"trained_and_validated": "learning_curves", "many_phases": "learning_curves", "first_batch": "learning_curves"}
    special |= {"phases_without_blocks": "phase_chart", "one_run": "metric_against_cost"}
    return special.get(name, name.split("_of_")[0].split("_after_")[0])


@pytest.mark.parametrize("name", sorted(LARGE))
def test_a_chart_of_thousands_is_small(name: str) -> None:
    chart = LARGE[name]()
    assert len(chart.to_json()) < theme.MOST_BYTES
    assert chart.layout.height <= 2200
    assert len(chart.data) < 100
    assert len(chart.layout.title.text) <= 60


def test_every_chart_is_tried() -> None:
    assert {kind(name) for name in CHARTS} <= set(LARGE) | FIXED


def test_what_is_left_out_is_said() -> None:
    titles = {name: LARGE[name]().layout.title.text for name in ("confusion", "metric_against_cost", "overlaid_curves")}
    assert titles == {
        "confusion": "The 40 most confused of 5,000 classes",
        "metric_against_cost": "Accuracy against time, 500 of 5,000 runs",
        "overlaid_curves": "Accuracy of 24 of 5,000 runs",
    }


def test_the_chosen_run_and_the_best_ones_are_never_left_out() -> None:
    many = LARGE["overlaid_curves"]()
    assert [trace.line.width for trace in many.data].count(4) == 1
    runs = [RunPoint(f"{n}", "x", "linear_probe", 0.5, 0.4, 0.6, 10.0 + n) for n in range(2000)]
    best = RunPoint("best", "x", "linear_probe", 0.9, 0.8, 1.0, 9999.0)
    drawn = comparing.metric_against_cost([*runs, best], ACCURACY, Cost.SECONDS)
    assert "best" in {run for trace in drawn.data for run in trace.customdata or ()}


def test_a_percentage_is_of_all_images_of_the_class() -> None:
    chart = outcome.confusion(np.array([[1, 1], [0, 2]]), ["cat", "dog"], images=np.array([10, 2]), classes=1500)
    assert chart.data[0].z.tolist() == [[10.0, 10.0], [0.0, 100.0]]
    assert "1 of 10, 10 %" in chart.data[0].text[0][1]


def test_samples_of_some_classes_say_how_many_more_there_are() -> None:
    drawn = data.sample_grid([[PICTURE]] * 20, NAMES[:1500])
    assert drawn.layout.title.text == "Samples of each class, and 1,480 more classes"
