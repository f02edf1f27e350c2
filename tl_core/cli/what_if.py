"""The command that asks what-ifs."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from tl_core.analysis import learning_curve
from tl_core.analysis.learning_curve import Point
from tl_core.analysis.statements import seconds as spoken
from tl_core.cli.console import AsJson, app, out, print_json, says_what_is_wrong
from tl_core.cli.settings import Parts, Settings, chosen, with_parts
from tl_core.cli.study import answered
from tl_core.recipe import Recipe, changed
from tl_core.spec import RunSpec
from tl_core.studies.what_if import ALL, CHOSEN, WhatIf

LABELS, STRENGTHS, SEEDS = (WhatIf.model_fields[name] for name in ("labels", "strengths", "seeds"))


@app.command("what-if")
@says_what_is_wrong
@with_parts("dataset", "backbone")
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
    found = answered(asked, Recipe.of(changed(RunSpec(), chosen(parts, settings))))
    points = learning_curve.points(found.answers)
    if as_json:
        print_json({"seconds": found.seconds, "points": [asdict(point) for point in points]})
        return
    table = Table("Labels a class", "C", "Images", "Test accuracy", "95 % interval", "Draws", box=None)
    for point in points:
        table.add_row(*_row(point))
    out.print(table)
    out.print(f"{len(found.answers)} answers in {spoken(found.seconds)}.")


def _row(point: Point) -> tuple[str, ...]:
    count = ALL if point.labels is None else f"{point.labels:,}"
    strength = CHOSEN if point.strength is None else f"{point.strength:g}"
    interval = f"{100 * point.interval.low:.1f} to {100 * point.interval.high:.1f}"
    return count, strength, f"{point.train_images:,}", f"{100 * point.accuracy:.1f} %", interval, str(len(point.draws))
