"""The command that asks what-ifs."""

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, TypeVar

import typer
from rich.progress import Progress
from rich.table import Table

from tl_core.analysis import learning_curve
from tl_core.analysis.learning_curve import Point
from tl_core.analysis.statements import seconds as spoken
from tl_core.analysis.what_if import Question
from tl_core.cli.console import AsJson, app, err, out, print_json, says_what_is_wrong
from tl_core.cli.train import Name, Settings, chosen
from tl_core.errors import RunError, SettingError
from tl_core.recipe import Recipe
from tl_core.runs.store import Store
from tl_core.spec import RunSpec
from tl_core.studies import what_if_job
from tl_core.studies.what_if_job import Inquiry

Value = TypeVar("Value", int, float)
POLL_SECONDS = 0.2


@app.command("what-if")
@says_what_is_wrong
def what_if(
    *,
    dataset: Name = None,
    backbone: Name = None,
    settings: Settings = None,
    labels: Annotated[str, typer.Option(help="Numbers of labels a class, with commas; all for all there are.")] = "2,5,10,20,50",
    strengths: Annotated[
        str, typer.Option(help="Inverse penalties C, with commas; chosen for the one that validation images choose.")
    ] = "chosen,1,10,100",
    seeds: Annotated[int, typer.Option(min=1, max=100, help="How many times the labels are drawn anew.")] = 5,
    as_json: AsJson = False,
) -> None:
    """Say what a linear probe would reach with other labels: many answers after one pass of the frozen network."""
    question = Question(listed(labels, int, "all"), listed(strengths, float, "chosen"), seeds)
    recipe = Recipe.of(RunSpec().with_settings(chosen({"dataset": dataset, "backbone": backbone}, settings)))
    recipe.require_runnable()
    home = Store().home
    while what_if_job.is_at_work(home, recipe):  # with somebody else's question
        time.sleep(POLL_SECONDS)
    what_if_job.request(home, recipe, question)
    found = _wait(lambda: Inquiry.read(home, recipe))
    if found.error:
        raise RunError(found.error)
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
    count = "all" if point.labels is None else f"{point.labels:,}"
    strength = "chosen" if point.strength is None else f"{point.strength:g}"
    interval = f"{100 * point.interval.low:.1f} to {100 * point.interval.high:.1f}"
    return count, strength, f"{point.train_images:,}", f"{100 * point.accuracy:.1f} %", interval, str(len(point.draws))


def listed(text: str, kind: Callable[[str], Value], nothing: str) -> tuple[Value | None, ...]:
    """Positive numbers separated by commas; the word `nothing` stands for None. Raises `SettingError`."""
    words = [word.strip() for word in text.split(",")]
    try:
        values = tuple(None if word == nothing else kind(word) for word in words)
    except ValueError:
        values = ()
    if not values or any(value is not None and not 0 < value < float("inf") for value in values):
        raise SettingError("These are no positive numbers.", f"Separate them by commas, or say {nothing}.", received=text)
    return values


def _wait(read: Callable[[], Inquiry | None]) -> Inquiry:
    with Progress(console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("Starting", total=1.0)
        while (found := read()) is not None and not found.finished:
            bar.update(task, completed=found.share, description=found.stage)
            time.sleep(POLL_SECONDS)
    if found is None:
        raise RunError("The process that was to answer has gone.", "Ask again.")
    return found
