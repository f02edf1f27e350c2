"""Every chart: it serialises, says what it shows, stays small, and shows text from outside letter by letter."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tl_core.analysis.audit import Audit, Held, by_score
from tl_core.analysis.comparison import Cost, RunPoint
from tl_core.analysis.learning_curve import points
from tl_core.analysis.power_law import PowerLaw, Silence, fitted
from tl_core.analysis.ranking import Candidate, Scored
from tl_core.analysis.rates import RateCurve
from tl_core.analysis.statistics import Interval
from tl_core.analysis.usage import Usage
from tl_core.analysis.what_if import Answer
from tl_core.backbones import BlockOutline, CatalogueEntry
from tl_core.checks.projection import ImageMap
from tl_core.events import Activity, Telemetry
from tl_core.metrics import Metric
from tl_core.metrics.balanced_accuracy import BalancedAccuracy
from tl_core.metrics.mae import MeanAbsoluteError
from tl_core.planning import cost_model
from tl_core.planning.cuts import CutPlan, SplitSizes
from tl_core.precision import CHOICES, Speed, Speeds
from tl_core.result import Timing
from tl_core.runs.compared import ACCURACY
from tl_core.runs.label_counts import LabelCurve, LabelPoint
from tl_core.runs.store import StoredEvent
from tl_core.strategies import BatchNorm, Phase, everything, last_blocks, nothing
from tl_core.tasks import Task
from tl_core.tasks.classification import Classification
from tl_core.tasks.regression import Regression
from tl_core.ui.charts import (
    choices,
    comparing,
    curves,
    data,
    foretold,
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
    ranking,
    rates,
    speeds,
    theme,
)
from tl_core.ui.charts.groups import Axis, GroupPoint

MAE = MeanAbsoluteError()
HOSTILE = ("<b onload=alert(1)>x</b>", "two\nlines", "y" * 300, "\u0639\u0631\u0628\u064a \u202ereversed", "%{x} &amp; $a$")
K = len(HOSTILE)
NETWORKS = [
    Candidate(name, "a", multiply_adds=4**place * 10**6 * (place > 0), control=place == 0, scores={"linear_probe": Scored(0.7)})
    for place, name in enumerate(HOSTILE)
]
RATES = tuple(10.0**-n for n in range(12, 0, -1))


REACHED = [
    GroupPoint(name, x, name, name != HOSTILE[0], 0.5 + seed / 10, name) for name in HOSTILE for x in (2, 50) for seed in (0, 1)
]


def steps(count: int, phases: tuple[str, ...] = ("head",)) -> list[StoredEvent]:
    of = lambda n: {"phase": phases[n * len(phases) // count], "epoch": 1, "step": n + 1, "loss": 1.0, "accuracy": 0.5}  # noqa: E731
    return [StoredEvent(n, 100.0 + n, "step", of(n)) for n in range(count)]


def epochs(count: int, validation: float | None = 0.6) -> list[StoredEvent]:
    added = dict.fromkeys(("validation_loss", "validation_accuracy", "validation_metric"), validation) | {"seconds": 1.0}
    return [StoredEvent(e.id, e.at, "epoch", e.data | added) for e in steps(count)]


def measures(task: type[Task], metric: Metric, told: Sequence[StoredEvent] = (), images: int = 9) -> tuple[curves.Measure, ...]:
    """What a run with so many validation images reports, which has told so much."""
    return curves.measures_of(task, metric, [StoredEvent(0, 1.0, "plan", {"validation_images": images})], told)


def samples(count: int, since: float = 99.0, **more: Any) -> list[StoredEvent]:
    values = Telemetry(cpu_percent=150.0, memory_bytes=2 * 10**9, since=since, **more).values()
    return [StoredEvent(n, since + 1 + n, "telemetry", values) for n in range(count)]


def gpu(name: str, **more: Any) -> dict[str, Any]:
    figures = {"percent": 50.0, "memory_bytes": 10**9, "memory_total_bytes": 10**10, "watts": 250.0, "celsius": 60.0}
    return {"uuid": f"GPU-{name}", "name": name} | figures | more


def used(**more: Any) -> Usage:
    return Usage(**(dict.fromkeys(Usage.__dataclass_fields__) | more))


def listing(title: str, accuracy: float | None, *, here: bool = True) -> CatalogueEntry:
    return CatalogueEntry(title, {}, 3_000_000, accuracy, "a paper", "ImageNet-1k", "MIT", here, "somewhere")


BLOCKS = [BlockOutline(name, 3, 1000, 40, 10**6) for name in HOSTILE]
PHASES = [
    Phase("head", 20, 3e-3, 32, nothing),
    Phase(HOSTILE[0], 5, 3e-4, 32, last_blocks(2)),
    Phase("all", 1, 3e-5, 32, everything, BatchNorm.ADAPTS),
]


def planned(phases: Sequence[Phase], blocks: Sequence[BlockOutline] = BLOCKS) -> cost_model.Costs:
    """What the charts are drawn from, for 100 training images."""
    return cost_model.Costs(CutPlan(tuple(phases), blocks, SplitSizes(100, 0, 0), room=0))


ANSWERS = [
    Answer(count, strength, seed, 10 * (count or 100), ACCURACY.of_counts(30 + seed, 50))
    for count in (1, 10, None)
    for strength in (None, 1.0, 1000.0)
    for seed in range(3)
]
PICTURE = np.full((20, 30, 3), 128, np.uint8)
POINTS = [
    RunPoint(f"id{n}", name, family, 0.8, 0.7, 0.9, 5.0 * 3**n)
    for n, (name, family) in enumerate(zip(HOSTILE, HOSTILE, strict=True))
]


def trained() -> list[Timing]:
    """The seconds of phases with names of which some are hostile."""
    return [Timing(activity=Activity.TRAINING, phase=name, seconds=n) for n, name in enumerate(HOSTILE)]


HAS = np.random.default_rng(0).random((60, len(HOSTILE))) < 0.3
SAID = np.random.default_rng(1).random(HAS.shape, dtype=np.float32)
NUMBERS = np.random.default_rng(0).normal(50.0, 10.0, 300)
LAW = fitted([10, 10, 20, 50, 100], [0.4, 0.42, 0.3, 0.18, 0.13])


def by_labels(law: PowerLaw | Silence) -> LabelCurve:
    """Of runs whose numbers of labels a class are 10 to 100."""
    told = law if isinstance(law, Silence) else law.interval(110)
    tried = [LabelPoint(n, 0.8, Interval(0.7, 0.9) if n < 100 else None, (0.8, 0.79)) for n in (10, 20, 50, 100)]
    return LabelCurve((), tuple(tried), law, 110, told, is_control=isinstance(law, Silence))


CHARTS: dict[str, Callable[[], go.Figure]] = {
    "metric_by_labels": lambda: label_counts.metric_by_labels([by_labels(Silence.FLAT), by_labels(LAW)] * 3, HOSTILE, ACCURACY),
    "learning_curves": lambda: curves.learning_curves(steps(2000, HOSTILE), [], "run"),
    "trained_and_validated": lambda: curves.learning_curves(steps(700), epochs(700), "run"),
    "many_phases": lambda: curves.learning_curves(steps(400, tuple(f"top {n}" for n in range(200))), [], "run"),
    "first_batch": lambda: curves.learning_curves(steps(1), [], "run"),
    "telemetry": lambda: machine.telemetry(samples(900, gpus=[gpu(HOSTILE[0])]), 100.0, 2),
    "telemetry_of_gpus": lambda: machine.telemetry(samples(40, gpus=[gpu(name) for name in HOSTILE]), 100.0, 2),
    "telemetry_after_pauses": lambda: machine.telemetry(
        [event for n in range(60) for event in samples(20, since=100.0 * n)], 100.0, 2
    ),
    "usage_bars": lambda: machine.usage_bars([(name, used(cpu_seconds=9.0)) for name in HOSTILE * 8]),
    "phase_chart": lambda: network.phase_chart(planned(PHASES), 20_496),
    "rate_chart": lambda: rates.rate_chart(RateCurve(RATES, RATES), 1e-4, "40"),
    "learning_curve": lambda: learning_curve.learning_curve(
        points(ANSWERS, (0.0, 1.0)), "5", ACCURACY, "labelled images a class"
    ),
    "speed_chart": lambda: speeds.speed_chart(Speeds(HOSTILE[0], 32, {each: Speed(1.0, 0.5, 0.2) for each in CHOICES})),
    "phases_without_blocks": lambda: network.phase_chart(planned(PHASES[:1], ()), 10),
    "backbone_scatter": lambda: choices.backbone_scatter(
        [("a", listing(HOSTILE[0], 0.7)), ("b", listing("B", 0.8, here=False))], "B"
    ),
    "ranked_networks": lambda: ranking.ranked_networks(NETWORKS, "linear_probe", [Interval(0.5, 0.9)] * K, HOSTILE[1]),
    "similar_networks": lambda: ranking.similar_networks(HOSTILE, np.eye(K).tolist()),
    "reached_against_foretold": lambda: foretold.reached_against_foretold(
        [Audit(name, name, (Held(NETWORKS[0], 0.8, Interval(0.7, 0.9), HOSTILE),)) for name in HOSTILE], by_score("linear_probe")
    ),
    "sample_grid": lambda: data.sample_grid([[PICTURE] * 3, [PICTURE], [], [PICTURE], [PICTURE]], HOSTILE),
    "class_balance": lambda: data.class_balance({"train": dict.fromkeys(HOSTILE, 3), "test": dict.fromkeys(HOSTILE, 9)}),
    "split_bar": lambda: data.split_bar(60_000, 10, 10_000),
    "confusion": lambda: outcome.confusion(np.arange(K * K).reshape(K, K), HOSTILE),
    "confusion_of_100": lambda: outcome.confusion(np.eye(100, dtype=np.int64), [f"class {n}" for n in range(100)]),
    "seconds_bar": lambda: outcome.seconds_bar(trained(), 3.0),
    "image_grid": lambda: outcome.image_grid(np.stack([PICTURE] * K), HOSTILE, HOSTILE),
    "metric_against_cost": lambda: comparing.metric_against_cost(POINTS, ACCURACY, Cost.SECONDS),
    "one_run": lambda: comparing.metric_against_cost(POINTS[:1], ACCURACY, Cost.SECONDS),
    "overlaid_curves": lambda: comparing.overlaid_curves(
        {name: epochs(900) for name in HOSTILE}, {HOSTILE[0]: HOSTILE[0]}, curves.ACCURACY, HOSTILE[1]
    ),
}
CHARTS |= {
    "curves_of_numbers": lambda: curves.learning_curves(steps(50), epochs(9), "run", measures(Regression, MAE)),
    "group_chart": lambda: groups.group_chart(REACHED, Axis(HOSTILE[0], (2, 5, 50)), HOSTILE, ACCURACY, "g"),
    "group_chart_of_texts": lambda: groups.group_chart(
        [replace(each, x=each.line, line=None) for each in REACHED], Axis("Strategy", HOSTILE), (), ACCURACY, "g"
    ),
    "predicted_against_true": lambda: numbers.predicted_against_true(NUMBERS, NUMBERS[::-1], HOSTILE[0]),
    "residuals": lambda: numbers.residuals(NUMBERS, NUMBERS[::-1], HOSTILE[0]),
    "output_bars": lambda: predicted.output_bars([(name, 1 / n) for n, name in enumerate(HOSTILE, 1)], HOSTILE[:1]),
    "parallel_coordinates": lambda: parallel.parallel_coordinates(dict.fromkeys(HOSTILE, HOSTILE), NUMBERS[:K].tolist(), MAE),
    "precision_recall": lambda: labels.precision_recall(HAS, SAID, np.full(len(HOSTILE), 0.5), HOSTILE),
    "spread": lambda: numbers.spread(dict.fromkeys(theme.SPLITS, NUMBERS), HOSTILE[0]),
}
EMPTY: dict[str, Callable[[], go.Figure]] = {
    "learning_curves": lambda: curves.learning_curves([], [], "run"),
    "telemetry": lambda: machine.telemetry([], 0.0, 2),
    "usage_bars": lambda: machine.usage_bars([]),
    "phase_chart": lambda: network.phase_chart(planned([]), 10),
    "rate_chart": lambda: rates.rate_chart(RateCurve((), ()), 1e-4, "40"),
    "learning_curve": lambda: learning_curve.learning_curve([], "5", MAE, "labelled images"),
    "speed_chart": lambda: speeds.speed_chart(Speeds("CPU", 32, {})),
    "backbone_scatter": lambda: choices.backbone_scatter([("a", listing("Small CNN", None))], ""),
    "ranked_networks": lambda: ranking.ranked_networks([], "linear_probe", [], ""),
    "similar_networks": lambda: ranking.similar_networks([], []),
    "reached_against_foretold": lambda: foretold.reached_against_foretold([], by_score("linear_probe")),
    "sample_grid": lambda: data.sample_grid([], []),
    "class_balance": lambda: data.class_balance({}),
    "split_bar": lambda: data.split_bar(0, 0, 0),
    "confusion": lambda: outcome.confusion(np.zeros((0, 0), np.int64), []),
    "seconds_bar": lambda: outcome.seconds_bar([], None),
    "image_grid": lambda: outcome.image_grid(np.zeros((0, 8, 8, 3), np.uint8), [], []),
    "metric_against_cost": lambda: comparing.metric_against_cost([], ACCURACY, Cost.SECONDS),
    "predicted_against_true": lambda: numbers.predicted_against_true(NUMBERS[:0], NUMBERS[:0], "side"),
    "residuals": lambda: numbers.residuals(NUMBERS, np.full(len(NUMBERS), np.nan), "side"),
    "output_bars": lambda: predicted.output_bars([], ()),
    "precision_recall": lambda: labels.precision_recall(HAS & False, SAID, np.full(len(HOSTILE), 0.5), HOSTILE),
    "spread": lambda: numbers.spread({}, "side"),
    "overlaid_curves": lambda: comparing.overlaid_curves({"a": epochs(3, None)}, {}, measures(Regression, MAE)[0], None),
    "parallel_coordinates": lambda: parallel.parallel_coordinates({}, [0.5], MAE),
}


@pytest.fixture(params=sorted(CHARTS))
def chart(request: pytest.FixtureRequest) -> go.Figure:
    return CHARTS[request.param]()


def strings(value: Any) -> list[str]:
    """Every text within a figure but pictures and the colours of the template."""
    if isinstance(value, dict):
        return [s for key, inner in value.items() if key not in {"template", "source"} for s in strings(inner)]
    if isinstance(value, list):
        return [s for inner in value for s in strings(inner)]
    return [value] if isinstance(value, str) else []


def test_says_what_it_shows(chart: go.Figure) -> None:
    assert 5 < len(chart.layout.title.text) <= 50
    layout = json.loads(chart.to_json())["layout"]
    axes = [value for key, value in layout.items() if key.startswith(("xaxis", "yaxis"))]
    visible = [axis for axis in axes if axis.get("visible", True) and axis.get("showticklabels", True)]
    named = [axis for axis in visible if axis.get("title", {}).get("text")]
    assert len(named) >= len(visible) - 1  # Rows of classes name themselves.
    assert chart.layout.paper_bgcolor == theme.CLEAR
    assert 90 <= chart.layout.height <= 2000


def test_shows_text_from_outside_letter_by_letter(chart: go.Figure) -> None:
    # Run ids and titles in `customdata` are for the page, which looks them up; Plotly shows only what a template names.
    shown = [text for text in strings(json.loads(chart.to_json())) if text not in HOSTILE]
    for text in shown:
        assert "<b onload" not in text
        assert "\u202e" not in text
        assert "y" * 200 not in text
        assert "\n" not in text
    templates = [getattr(trace, "hovertemplate", None) or "" for trace in chart.data]
    assert not any("%{x} &amp;" in template for template in templates)


def test_names_that_are_drawn_are_escaped(chart: go.Figure) -> None:
    layout = chart.layout
    drawn = [str(note.text) for note in layout.annotations] + [str(trace.name or "") for trace in chart.data]
    for axis in (layout.xaxis, layout.yaxis):
        drawn += [str(text) for text in axis.ticktext or ()]
    for trace in chart.data:
        text = getattr(trace, "text", None)
        drawn += strings(np.asarray(text).tolist()) if text is not None else []
    assert not set(drawn) & set(HOSTILE)


def test_draws_at_most_500_points_a_curve(chart: go.Figure) -> None:
    assert all(len(trace.x) <= theme.MOST_POINTS for trace in chart.data if trace.type == "scatter" and trace.x is not None)


@pytest.mark.parametrize("name", sorted(EMPTY))
def test_empty_says_what_will_be_here(name: str) -> None:
    chart = EMPTY[name]()
    assert len(chart.layout.annotations[0].text) > 10
    assert not chart.data
    chart.to_json()


def test_live_charts_keep_their_zoom() -> None:
    assert CHARTS["learning_curves"]().layout.uirevision == "run"
    assert CHARTS["telemetry"]().layout.uirevision == CHARTS["telemetry"]().layout.uirevision is not None


def test_last_point_of_a_long_curve_is_drawn() -> None:
    chart = curves.learning_curves(steps(3001), [], "run")
    assert chart.data[0].x[-1] == 3001
    assert chart.data[0].customdata[0][0] == "run"


def test_losses_that_are_no_numbers_are_gaps() -> None:
    events = steps(3)
    events[1].data["loss"] = float("nan")
    assert curves.learning_curves(events, [], "run").data[0].y == (1.0, None, 1.0)


def test_telemetry_is_of_the_whole_machine() -> None:
    chart = machine.telemetry(samples(3), 90.0, cores=2)
    assert len(chart.data) == 2
    assert chart.data[0].y == (75.0, 75.0, 75.0)
    assert chart.data[1].y == (2.0, 2.0, 2.0)
    assert chart.data[0].x[0] == 10.0
    assert not chart.layout.showlegend


def test_the_machine_is_the_one_that_ran_and_not_the_one_that_shows() -> None:
    chart = machine.telemetry(samples(3, cores=16), 90.0, cores=2)
    assert chart.data[0].y == (9.375, 9.375, 9.375)


def test_telemetry_of_early_versions_is_drawn() -> None:
    old = {"cpu_percent": 150.0, "memory_bytes": 10**9, "gpu_percent": 50.0, "gpu_memory_bytes": 10**9}
    chart = machine.telemetry([StoredEvent(n, 100.0 + n, "telemetry", old) for n in range(3)], 90.0, cores=2)
    assert [trace.y[0] for trace in chart.data] == [75.0, 1.0, 50.0, 1.0]


def test_a_pause_is_a_gap() -> None:
    chart = machine.telemetry([*samples(2), *samples(2, since=200.0)], 100.0, cores=1)
    assert chart.data[0].y == (150.0, 150.0, None, 150.0, 150.0)
    assert chart.data[0].x == (0.0, 1.0, 1.0, 2.0, 3.0)
    assert chart.layout.xaxis2.title.text == "Seconds since the start, pauses left out"


def test_a_disk_that_hardly_moves_has_no_row() -> None:
    def chart(rate: int) -> go.Figure:
        counts = [samples(1, disk_read_bytes=n * rate, disk_written_bytes=n * rate)[0].data for n in range(4)]
        moved = [StoredEvent(n, 100.0 + n, "telemetry", data) for n, data in enumerate(counts)]
        return machine.telemetry(moved, 100.0, cores=1)

    assert len(chart(400_000).data) == 2
    assert chart(3_000_000).data[2].y == (None, 6.0, 6.0, 6.0)
    assert chart(3_000_000).layout.yaxis3.title.text == "Disk (MB/s)"


def test_each_gpu_has_a_line_where_it_is_measured() -> None:
    divided = gpu("B", percent=None, watts=None)
    chart = machine.telemetry(samples(3, gpus=[divided, gpu("A")]), 100.0, cores=1)
    assert [trace.name for trace in chart.data if trace.showlegend] == ["GPU 2", "GPU 1"]
    titles = {trace.yaxis: chart.layout[trace.yaxis.replace("y", "yaxis")].title.text for trace in chart.data[2:]}
    assert list(titles.values()) == ["GPU (%)", "GPU (GB)", "GPU (W)", "GPU (°C)"]
    assert [trace.name for trace in chart.data[2:]] == ["GPU 2", "GPU 1", "GPU 2", "GPU 2", "GPU 1", "GPU 2"]
    assert len({trace.line.color for trace in chart.data if trace.meta == "GPU 2: A"}) == 1


def test_one_gpu_needs_no_legend() -> None:
    chart = machine.telemetry(samples(3, gpus=[gpu("NVIDIA H100")]), 100.0, cores=1)
    assert not any(trace.showlegend for trace in chart.data)
    assert chart.data[4].meta == "NVIDIA H100"
    assert chart.data[4].hovertemplate.startswith("<b>%{meta}</b><br>%{y:.0f} W")


@pytest.mark.parametrize(
    ("seconds", "unit", "last"), [(599, "Seconds", 599.0), (601, "Minutes", 601 / 60), (36_000, "Hours", 10)]
)
def test_long_runs_are_told_in_minutes_and_hours(seconds: int, unit: str, last: float) -> None:
    (first,) = samples(1)
    chart = machine.telemetry([first, StoredEvent(1, first.at + seconds, first.kind, first.data)], 100.0, cores=1)
    assert chart.layout.xaxis2.title.text == f"{unit} since the start"
    assert chart.data[0].x[-1] == pytest.approx(last)


def test_use_that_was_not_measured_says_so() -> None:
    runs = [
        ("A", used(cpu_seconds=70.0, peak_memory_bytes=2 * 10**9, gpu_energy_joules=4680.0)),
        ("B", used(cpu_seconds=7.0, peak_memory_bytes=5 * 10**7)),
    ]
    chart = machine.usage_bars(runs)
    assert [bar.text[0].strip() for bar in chart.data] == ["1.3 Wh", "1 min 10 s", "2.0 GB"]
    assert [bar.text[1].strip() for bar in chart.data] == ["not measured", "7.0 s", "50 MB"]
    assert [note.text for note in chart.layout.annotations] == ["A", "B"]
    assert machine.usage_bars([("A", used())] * 25).layout.title.text.endswith("; 5 not shown")


def test_phases_are_blue_below_and_orange_above() -> None:
    rows = [trace for trace in network.phase_chart(planned(PHASES), 100).data if trace.type == "heatmap"]
    assert [list(row.z[0]) for row in rows] == [[0] * K + [1], [0] * (K - 2) + [1] * 3, [1] * (K + 1)]
    assert "Frozen" in rows[0].text[0][0]
    assert "BatchNorm: 40 of the parameters, adapts" in rows[2].text[0][0]
    assert network.cost(PHASES[2], planned(PHASES)) == "100 % of a full pass an epoch"


def test_a_phase_says_its_rates_and_what_batch_norm_does() -> None:
    slower = Phase("all", 3, 1e-3, 32, everything, BatchNorm.STATISTICS_FROZEN, rates=lambda names: dict.fromkeys(names, 0.1))
    chart = network.phase_chart(planned([PHASES[0], slower]), 100)
    assert any("learning rates 0.0001 to 0.001" in note.text for note in chart.layout.annotations)
    assert [trace.name for trace in chart.data if trace.type == "scatter"] == ["Frozen", "Trains", "Trains more slowly"]
    told = network.batch_norm([PHASES[0], PHASES[1], slower], BLOCKS)
    assert told == "BatchNorm stays frozen in phases 1 to 2, keeps its statistics and trains scale and shift in phase 3."
    assert network.batch_norm([PHASES[2]], BLOCKS) == "BatchNorm follows the new images."
    assert network.batch_norm(PHASES, []) == "The network has no BatchNorm."
    assert network.cost(PHASES[0], planned(PHASES)) == "33 % of a full pass, once"


def test_a_head_that_was_computed_is_told_in_words() -> None:
    plan = [StoredEvent(0, 1.0, "plan", {"phases": [{"name": "head", "epochs": 1}]})]
    both = [StoredEvent(0, 1.0, "plan", {"phases": [{"name": "head"}, {"name": "all"}]})]
    usual = measures(Classification, ACCURACY)
    said = curves.computed(plan, [], epochs(1), usual)
    assert said.endswith("Loss 1.000 nats (training), 0.600 nats (validation); Accuracy 50.0 % (training), 60.0 % (validation).")
    assert curves.computed(plan, [], epochs(1, None), usual).endswith("Loss 1.000 nats (training); Accuracy 50.0 % (training).")
    in_units = curves.computed(plan, [], epochs(1), measures(Regression, MAE))
    assert in_units.endswith("0.600 share of the variance (validation); Mean absolute error 0.6 (validation).")
    assert not curves.computed(both, [], epochs(1), usual)
    assert not curves.computed(plan, steps(1), epochs(1), usual)
    assert not curves.computed([], [], [], usual)


def test_the_metric_that_decides_is_drawn() -> None:
    """What the validation images say of it, in its own format, in place of the accuracy."""
    chart = curves.learning_curves(steps(50), epochs(9), "run", measures(Classification, BalancedAccuracy()))
    assert chart.layout.yaxis2.title.text == "Balanced accuracy (%)"
    (drawn,) = (trace for trace in chart.data if trace.yaxis == "y2")
    assert (drawn.name, drawn.y[0]) == ("Validation", 60.0)
    assert "%{y:.1f} %" in drawn.hovertemplate
    in_units = curves.learning_curves(steps(50), epochs(9), "run", measures(Regression, MAE))
    assert in_units.layout.yaxis2.title.text == "Mean absolute error"


def test_runs_that_do_not_tell_it_draw_what_they_tell() -> None:
    """Those of before have no such number, and neither have those without validation images."""
    before = [StoredEvent(e.id, e.at, e.kind, {k: v for k, v in e.data.items() if k != "validation_metric"}) for e in epochs(2)]
    usual = measures(Classification, ACCURACY)
    assert measures(Classification, BalancedAccuracy(), before) == usual
    assert measures(Classification, BalancedAccuracy(), images=0) == usual
    assert [each.field for each in measures(Regression, MAE, before)] == ["loss"]
    both = measures(Classification, BalancedAccuracy(), [*before, *epochs(1)])  # paused before, and resumed
    assert curves.learning_curves(steps(3), [*before, *epochs(1)], "run", both).data[-1].y == (None, None, 60.0)


def test_names_of_phases_stand_above_the_curves() -> None:
    chart = curves.learning_curves(steps(400, ("head", "top", "all")), [], "run")
    assert {note.text for note in chart.layout.annotations} == {"head", "top", "all"}
    assert all((note.y, note.yanchor) == (1, "bottom") for note in chart.layout.annotations)


def test_hollow_points_of_a_map_have_a_line_or_webgl_draws_nothing_of_them() -> None:
    splits = ("train", "validation", "test")
    several = ImageMap(("sky", "sea"), (0.0, 1.0, 2.0), (0.0, 1.0, 2.0), ((0,), (0, 1), (1,)), splits, splits)
    for found in (several, replace(several, labels=(0, 0, 1))):
        chart = image_map.image_map(found)
        assert sum(len(trace.x) for trace in chart.data) == 3
        assert all(trace.marker.line.width > 0 for trace in chart.data)


def test_what_ifs_of_numbers_are_drawn_in_their_unit() -> None:
    found = MAE.measure(np.arange(12.0), np.full(12, 4.0))
    chart = learning_curve.learning_curve(points([Answer(10, None, 0, 10, found)], ()), "5", MAE, "labelled texts")
    assert found.high is not None
    assert (chart.data[0].y, chart.data[0].error_y.array) == ((found.value,), (found.high - found.value,))
    assert (chart.layout.xaxis.title.text, chart.layout.yaxis.title.text) == ("Labelled texts", "Test mean absolute error")


def test_names_beside_points_do_not_cover_each_other() -> None:
    near = [RunPoint(f"id{n}", "a network and its strategy", "linear_probe", 0.9 + n / 1000, 0.8, 1.0, 5.0) for n in range(8)]
    (family,) = [
        trace for trace in comparing.metric_against_cost(near, ACCURACY, Cost.SECONDS).data if trace.customdata is not None
    ]
    assert 0 < len([text for text in family.text if text]) < 8
    apart = [RunPoint(f"id{n}", "short", "linear_probe", n / 10, n / 10, n / 10, 5.0) for n in range(8)]
    (family,) = [
        trace for trace in comparing.metric_against_cost(apart, ACCURACY, Cost.SECONDS).data if trace.customdata is not None
    ]
    assert all(family.text)


def test_names_beside_points_are_without_what_all_begin_with() -> None:
    named = [replace(point, label=f"Lite0 · Probe, {n} labels") for n, point in enumerate(POINTS[:2])]
    for runs, texts in ((named, {"0 labels", "1 labels"}), (named[:1], {"Lite0 · Probe, 0 labels"})):
        traces = comparing.metric_against_cost(runs, ACCURACY, Cost.SECONDS).data
        assert {text.strip() for trace in traces if trace.text for text in trace.text} == texts


def test_time_that_a_run_waited_is_told_apart() -> None:
    parts = [Timing(activity=Activity.TRAINING, seconds=35.0)]
    assert outcome.seconds_bar(parts, 5.9).layout.title.text == "Where the 35 s went, after 5.9 s of waiting"
    assert outcome.seconds_bar(parts, None).layout.title.text == "Where the 35 s went"


def test_grids_say_what_they_leave_out() -> None:
    many = data.sample_grid([[PICTURE]] * 25, [str(n) for n in range(25)])
    assert many.layout.title.text.endswith("and 5 more classes")
    balance = data.class_balance({"train": {str(n): n for n in range(100)}})
    assert balance.layout.title.text == "Images of the 15 largest and 15 smallest classes"
    assert list(balance.data[0].x) == [*range(99, 84, -1), *range(14, -1, -1)]


def test_classes_named_alike_keep_their_own_rows() -> None:
    names = ["a" * 40 + "1", "a" * 40 + "2"]
    assert list(data.class_balance({"train": dict(zip(names, (5, 3), strict=True))}).data[0].y) == [0, 1]


def test_confusion_is_of_the_true_class() -> None:
    chart = outcome.confusion(np.array([[3, 1], [0, 0]]), ["cat", "dog"])
    assert chart.data[0].z.tolist() == [[75.0, 25.0], [0.0, 0.0]]
    assert "1 of 4, 25 %" in chart.data[0].text[0][1]


def test_numbers_read_on_the_page_they_are_on() -> None:
    matrix = np.array([[9, 1], [4, 6]])
    assert [trace.textfont.color for trace in outcome.confusion(matrix, "ab").data[1:]] == [None, "white"]
    on_a_telephone = outcome.confusion(np.eye(12, dtype=np.int64), "abcdefghijkl").data[-1]
    assert set(on_a_telephone.text) == {"100"}
    assert set(on_a_telephone.textfont.size) == {8}


def test_runs_are_known_by_their_id() -> None:
    chart = comparing.metric_against_cost([RunPoint("r1", "A", "from_scratch", 0.5, 0.4, 0.6, 9.0)], ACCURACY, Cost.SECONDS)
    scratch = next(trace for trace in chart.data if trace.customdata is not None)
    assert (list(scratch.customdata), scratch.marker.color, scratch.name) == (["r1"], theme.SCRATCH, "From scratch")
    chosen = comparing.overlaid_curves({"r1": epochs(4), "r2": epochs(4)}, {"r2": "Two"}, curves.ACCURACY, "r2").data[1]
    assert (chosen.line.color, chosen.name, chosen.customdata[0][0]) == (theme.CHOSEN, "Two", "r2")
    assert chosen.y[0] == 60.0


@pytest.mark.parametrize(
    ("cost", "of_one", "x", "told"),
    [
        (Cost.FLOPS, 2.5e12, 2500.0, "FLOPs: 2,500 billion"),
        (Cost.ENERGY, 4680.0, 4680.0, "GPU energy: 1.3 Wh"),
        (Cost.CPU_SECONDS, 90.0, 90.0, "CPU time: 1 min 30 s"),
    ],
)
def test_a_cost_is_told_in_its_unit(cost: Cost, of_one: float, x: float, told: str) -> None:
    chart = comparing.metric_against_cost([RunPoint("r1", "A", "from_scratch", 0.5, 0.4, 0.6, of_one)], ACCURACY, cost)
    (run,) = [trace for trace in chart.data if trace.customdata is not None]
    assert (run.x, run.hovertext[0].split("<br>")[-1]) == ((x,), told)


@given(st.text(max_size=80), st.integers(1, 60))
def test_plain_text(text: str, most: int) -> None:
    shown = theme.plain(text, most)
    assert "<" not in shown
    assert ">" not in shown
    assert "&" not in shown.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "")
    assert "\n" not in shown


@given(st.lists(st.integers(), max_size=2000), st.integers(2, 500))
def test_thinning_keeps_the_ends(items: list[int], most: int) -> None:
    kept = theme.thin(items, most)
    assert len(kept) == min(len(items), most)
    assert kept[:1] == items[:1]
    assert kept[-1:] == items[-1:]


def test_charts_load_nothing_heavy() -> None:
    modules = ", ".join(
        f"tl_core.ui.charts.{name}" for name in ("curves", "machine", "network", "choices", "data", "outcome", "comparing")
    )
    code = f"import sys, {modules}; print(sorted({{'streamlit', 'keras', 'tensorflow', 'scipy'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
