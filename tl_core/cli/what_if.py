"""The command that asks what-ifs."""

from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.table import Table

from tl_core.analysis.learning_curve import Point
from tl_core.analysis.statements import seconds as spoken
from tl_core.cli.console import AsJson, app, out, print_json, says_what_is_wrong
from tl_core.cli.settings import Parts, Settings, chosen, with_parts
from tl_core.cli.study import answered
from tl_core.metrics import Metric
from tl_core.recipe import Recipe, changed
from tl_core.runs.compared import ACCURACY, ends_of, shown
from tl_core.spec import RunSpec
from tl_core.studies.what_if import ALL, CHOSEN, WhatIf

LABELS, STRENGTHS, SEEDS = (WhatIf.model_fields[name] for name in ("labels", "strengths", "seeds"))


@app.command("what-if")
@says_what_is_wrong
@with_parts("dataset", "backbone", "task", "metric")
def what_if(
    *,
    parts: Parts,
    settings: Settings = None,
    labels: Annotated[str, typer.Option(help=LABELS.description)] = LABELS.default,
    strengths: Annotated[str, typer.Option(help=STRENGTHS.description)] = STRENGTHS.default,
    seeds: Annotated[int, typer.Option(min=1, max=100, help=SEEDS.description)] = SEEDS.default,
    as_json: AsJson = False,
) -> None:
    """Say what a linear probe would reach with other labels: many answers after one pass of the frozen network."""
    asked = WhatIf(labels=labels, strengths=strengths, seeds=seeds)
    recipe = Recipe.of(changed(RunSpec(), chosen(parts, settings)))
    found, metric = answered(asked, recipe), recipe.deciding_metric
    if as_json:
        print_json({"metric": metric.name, "seconds": found.seconds, "points": list(map(_as_json, found.points))})
        return
    labelled, things = f"Labels {recipe.dataset.label_kind.drawn_from}".strip(), recipe.dataset.thing.capitalize()
    table = Table(labelled, "C", things, f"Test {metric.in_sentence}, 95 % interval", "Draws", box=None)
    for point in found.points:
        table.add_row(*_row(point, metric))
    out.print(table)
    out.print(f"{len(found.answers)} answers in {spoken(found.seconds)}.")


def _as_json(point: Point) -> dict[str, Any]:
    """Return a point as JSON; it has an accuracy where that is its metric."""
    found, interval = point.found, ends_of(point.found)
    return {
        **{name: getattr(point, name) for name in ("labels", "strength", "train_images", "draws")},
        "value": found.value,
        "accuracy": found.value if found.name == ACCURACY.name else None,
        "interval": interval and asdict(interval),
    }


def _row(point: Point, metric: Metric) -> tuple[str, ...]:
    count = ALL if point.labels is None else f"{point.labels:,}"
    strength = CHOSEN if point.strength is None else f"{point.strength:g}"
    return count, strength, f"{point.train_images:,}", shown(point.found, metric), str(len(point.draws))
