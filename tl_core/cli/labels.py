"""Commands that keep many runs in order: the list of them, and their names, tags, stars, notes, archive and end."""

import contextlib
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Column, Table

from tl_core.analysis.statements import size
from tl_core.cli.console import AsJson, RunId, app, confirm, err, out, print_json, says_what_is_wrong
from tl_core.cli.format import metrics_of, summary, told_evaluation
from tl_core.cli.settings import Parts, Settings, given_part, with_parts
from tl_core.errors import StorageError
from tl_core.metrics import Metric, MetricValue, metrics
from tl_core.recipe import titles_of
from tl_core.runner import service
from tl_core.runner.reconcile import reconcile
from tl_core.runs import compared, deletion, disk_use, evaluations, labels
from tl_core.runs.score import score
from tl_core.runs.store import Run, Store

RunIds = Annotated[list[str], typer.Argument(metavar="RUN...", help="Ids of runs, or ends of them that no other run has.")]
Undo = Annotated[bool, typer.Option("--undo", help="Take it back.")]


@app.command()
@says_what_is_wrong
@with_parts("metric")
def runs(
    *,
    parts: Parts,
    settings: Settings = None,
    archived: Annotated[bool, typer.Option("--archived", help="List the archived ones, too.")] = False,
    tag: Annotated[list[str] | None, typer.Option(help="List only those with this tag; may be given again for others.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the runs, whoever started them: the newest first, or the best first by --metric."""
    store, by = Store(), given_part("metric", parts, settings)
    metric = metrics.build(by) if by else compared.ACCURACY
    reconcile(store)
    with contextlib.suppress(StorageError):  # on a full disk what is known can be shown
        disk_use.measure(store, most=None)
    wanted = {text.casefold() for text in tag or ()}
    found = [run for run in store.runs() if (archived or not run.archived) and wanted <= {text.casefold() for text in run.tags}]
    if any(run.state.alive for run in found):
        service.ensure(store.home)
    values = {run.id: compared.value_of(run, metric, compared.reader(store)) for run in found}
    if by:
        found = compared.ranked(found, values)
    if as_json:
        print_json([_whole(store, run, values[run.id]) for run in found])
    elif found or tag:
        out.print(_table(found, values, metric) if found else "No run has these tags.")
    else:
        out.print("No runs yet. Make one with: python -m tl_core train")


def _whole(store: Store, run: Run, value: MetricValue | compared.Lacks) -> dict[str, Any]:
    """Return all that `--json` prints of a run in the list."""
    measured = {} if isinstance(value, compared.Lacks) else {"metrics": metrics_of((*run.metrics, value))}
    others = list(map(told_evaluation, evaluations.read(store.folder(run.id))))
    about = {"spec": run.spec.model_dump(mode="json"), "created": run.created, "evaluations": others}
    return summary(run) | measured | about


def _lacking(run: Run, metric: Metric) -> str:
    """Return what stands where a run has no such value: in a list that nobody asked to be by a metric, that of its task."""
    return score(run) if metric == compared.ACCURACY else ""


def _table(found: list[Run], values: Mapping[str, MetricValue | compared.Lacks], metric: Metric) -> Table:
    numbers = (Column(title, justify="right") for title in ("Seconds", "Trainable", "Disk"))
    parts = ("State", "Dataset", "Backbone", "Strategy", f"Test {metric.in_sentence}")
    table = Table(Column("Run", no_wrap=True), "Name", "Tags", *parts, *numbers, box=None)
    for run in found:
        name = f"{'* ' if run.starred else ''}{run.name}"
        spec = (titles_of(run.spec)[0], run.spec.backbone.name, run.spec.strategy.name)
        seconds = "" if run.seconds is None else f"{run.seconds:.1f}"
        trainable = "" if run.trainable_parameters is None else f"{run.trainable_parameters:,}"
        disk = "" if run.disk_bytes is None else size(run.disk_bytes)
        said = map(escape, (name, ", ".join(run.tags), "archived" if run.archived else run.state, *spec))
        value = values[run.id]
        measured = _lacking(run, metric) if isinstance(value, compared.Lacks) else compared.shown(value, metric)
        table.add_row(run.id, *said, measured, seconds, trainable, disk)
    return table


@app.command()
@says_what_is_wrong
def rename(run: RunId, name: Annotated[str, typer.Argument(help='The new name; "" takes the name away.')]) -> None:
    """Name a run. Its id stays, and so does every address of it."""
    store = Store()
    labels.rename(store, run_id := store.named(run), name)
    _say(store, run_id)


@app.command()
@says_what_is_wrong
def note(run: RunId, text: Annotated[str, typer.Argument(help='The new note; "" takes the note away.')]) -> None:
    """Write a note on a run, in place of its last one."""
    store = Store()
    labels.annotate(store, run_id := store.named(run), text)
    _say(store, run_id)


@app.command()
@says_what_is_wrong
def tag(
    run: RunId, tags: Annotated[list[str], typer.Argument(metavar="TAG...", help="One or more tags.")], undo: Undo = False
) -> None:
    """Add tags to a run."""
    store = Store()
    labels.tag(store, run_id := store.named(run), **{"remove" if undo else "add": tags})
    _say(store, run_id)


@app.command()
@says_what_is_wrong
def star(run: RunIds, undo: Undo = False) -> None:
    """Mark runs as favourites."""
    _set(labels.star, run, on=not undo)


@app.command()
@says_what_is_wrong
def archive(run: RunIds, undo: Undo = False) -> None:
    """Leave runs out of the lists; nothing of them is lost."""
    _set(labels.archive, run, on=not undo)


@app.command()
@says_what_is_wrong
def delete(run: RunIds, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Delete runs with all their files, after a question. One that works must be stopped first."""
    store = Store()
    reconcile(store)
    found = [store.run(run_id) for run_id in _named(store, run)]
    for each in found:
        deletion.require_deletable(each)
    if not yes:
        _ask(store, found)
    for each in found:
        deletion.delete(store, each.id, each.state)
        err.print(f"Run {each.id} is deleted.")


def _ask(store: Store, found: list[Run]) -> None:
    """Say what is lost, and leave where the user does not say yes."""
    for run in found:
        taken = "" if run.disk_bytes is None else f", {size(run.disk_bytes)}"
        out.print(escape(f"{run.id} {run.name} ({run.state}{taken})"), soft_wrap=True)
        for loss in deletion.losses(store, run):
            out.print(f"    {loss}", soft_wrap=True)
    confirm("Delete?" if len(found) == 1 else f"Delete these {len(found)} runs?")


def _set(change: Callable[..., None], runs: list[str], *, on: bool) -> None:
    """Make the `change` of a label to each of the runs, and say what it is now."""
    store = Store()
    for run_id in _named(store, runs):
        change(store, run_id, on=on)
        _say(store, run_id)


def _named(store: Store, given: list[str]) -> list[str]:
    return list(dict.fromkeys(map(store.named, given)))


def _say(store: Store, run_id: str) -> None:
    run = store.run(run_id)
    marks = [mark for mark, is_set in (("starred", run.starred), ("archived", run.archived)) if is_set]
    facts = [f'"{run.name}"' if run.name else "no name", *(f"#{tag}" for tag in run.tags), *marks]
    err.print(escape(f"Run {run_id}: {', '.join(facts)}."), soft_wrap=True)
