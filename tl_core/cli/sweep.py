"""Commands about groups of runs: `sweep FILE` starts one, the others look at those that were started and change them."""

import contextlib
import time
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Column, Table
from typer.core import TyperGroup

from tl_core.cli.console import AsJson, app, confirm, err, out, print_json, says_what_is_wrong
from tl_core.cli.format import clocks, exit_code, summary
from tl_core.cli.measuring import measured
from tl_core.cli.progress import Interrupts, watch_all
from tl_core.errors import RunError
from tl_core.groups import statements
from tl_core.groups.expansion import expand, read_shape
from tl_core.groups.group import Group, shown, values_in
from tl_core.planning.estimate import free
from tl_core.runner import group_control, group_plan, service
from tl_core.runner.group_plan import Plan
from tl_core.runs import deletion, groups, rungs
from tl_core.runs.groups import StoredGroup
from tl_core.runs.score import score
from tl_core.runs.states import State
from tl_core.runs.store import Run, Store

POLL_SECONDS = 0.25


class FileFirst(TyperGroup):
    """Takes what is none of its commands for the file of a group to start."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the command `start` in front of a file."""
        known = {*self.commands, *ctx.help_option_names}
        return super().parse_args(ctx, ["start", *args] if args and args[0] not in known else args)


sweep = typer.Typer(cls=FileFirst, no_args_is_help=True, help="Start a group of runs from a file, and look after groups.")
app.add_typer(sweep, name="sweep")
GroupName = Annotated[str, typer.Argument(metavar="GROUP", help="Its name, its id, or the end of one that no other group has.")]


@sweep.command()
@says_what_is_wrong
def start(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A YAML file with a name, base settings, and axes.")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    budget: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Start no more runs than fit into this time, such as 10m; cheap ones first."),
    ] = None,
    successive_halving: Annotated[
        bool, typer.Option("--successive-halving", help="Begin with few epochs; only the better runs go on.")
    ] = False,
    wait: Annotated[bool, typer.Option(help="Wait for the end; without, leave the runs in the queue.")] = True,
    as_json: AsJson = False,
) -> None:
    """Say what the group in a file would take, queue those of its runs that are not there yet, and wait for them. Ctrl-C stops
    them."""
    store, group = Store(), Group.read(file)
    given = {"budget": budget, "successive_halving": successive_halving or None}
    group = Group.parse(group.model_dump() | {name: value for name, value in given.items() if value is not None})
    found = expand(group).readable(read_shape)
    begun = groups.asking(groups.listed(store), group)
    plan = group_plan.plan(store.home, store.runs(), group, found, partial(measured, store.home), begun=begun)
    for sentence in plan.sentences(*free(store.home)):
        err.print(escape(sentence), soft_wrap=True)
    told = _told(plan)
    if dry_run:
        asked = [{"settings": dict(each.settings), "run_id": plan.there.get(each.spec.content)} for each in plan.members]
        if as_json:
            print_json(told | {"runs": asked})
        return
    kept = group_control.start(store, group)
    err.print(f"Group {kept.group_id}: {len(kept.queued)} queued, {len(kept.joined)} there already.")
    runs = _followed(store, groups.one(store, kept.group_id)) if wait else ()
    _tell(store, groups.one(store, kept.group_id), as_json=as_json, told=told)
    raise typer.Exit(max(map(exit_code, runs), default=0))


def _told(plan: Plan) -> dict[str, Any]:
    return {
        "new": plan.new,
        "there": len(plan.there),
        "cost": asdict(plan.cost),
        "used": plan.used,
        "not_started": list(map(asdict, plan.left)),
        "dropped": [{"settings": dict(each.settings), "reason": each.reason} for each in plan.found.dropped],
    }


@sweep.command("list")
@says_what_is_wrong
def list_all(as_json: AsJson = False) -> None:
    """List the groups, the newest first."""
    store = Store()
    every = groups.listed(store)
    states = {run.id: run.state for run in store.runs()}
    done = {each.id: sum(states.get(run_id) is State.DONE for run_id in each.runs) for each in every}
    if as_json:
        print_json([_facts(each) | {"runs": len(each.runs), "done": done[each.id]} for each in every])
    elif every:
        table = Table(Column("Group", no_wrap=True), "Name", "Axes", Column("Done", justify="right"), box=None)
        for each in every:
            axes = ", ".join(f"{axis} ({len(values)})" for axis, values in each.group.axes.items())
            table.add_row(each.id, escape(each.group.name), escape(axes), f"{done[each.id]} of {len(each.runs)}")
        out.print(table)
    else:
        out.print("No groups yet. Start one with: python -m tl_core sweep FILE")


@sweep.command()
@says_what_is_wrong
def show(group: GroupName, as_json: AsJson = False) -> None:
    """Show the runs of a group, a row each."""
    store = Store()
    found = groups.named(store, group)
    if any(run.state.alive for run in found.among(store.runs())):
        service.ensure(store.home)
    _tell(store, found, as_json=as_json)


@sweep.command()
@says_what_is_wrong
def pause(group: GroupName) -> None:
    """Pause all runs of a group that wait or work."""
    store = Store()
    _say(group_control.pause(store, groups.named(store, group).id), "asked to pause")


@sweep.command()
@says_what_is_wrong
def stop(group: GroupName) -> None:
    """End all runs of a group; those that are done stay as they are."""
    store = Store()
    _say(group_control.stop(store, groups.named(store, group).id), "asked to stop")


@sweep.command()
@says_what_is_wrong
def resume(group: GroupName) -> None:
    """Queue all runs of a group again that are paused, failed, or were stopped."""
    store = Store()
    _say(group_control.resume(store, groups.named(store, group).id), "queued again")


@sweep.command()
@says_what_is_wrong
def extend(
    group: GroupName,
    axis: Annotated[str, typer.Argument(metavar="AXIS", help="One of its axes, such as seed.")],
    values: Annotated[str, typer.Argument(metavar="VALUES", help="Further values, separated by commas.")],
) -> None:
    """Give an axis of a group further values, and queue the runs that are new."""
    store = Store()
    kept = group_control.extend(store, groups.named(store, group).id, axis, values_in(values))
    err.print(f"Group {kept.group_id}: {len(kept.queued)} queued, {len(kept.joined)} there already.")


@sweep.command()
@says_what_is_wrong
def delete(
    group: GroupName,
    runs: Annotated[bool, typer.Option("--runs", help="Its runs go, too, but for those of other groups.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete a group. Its runs stay, unless they shall go, too: then none may be at work."""
    store = Store()
    found = groups.named(store, group)
    if not yes:
        what = f"{found.group.name} with its runs ({len(found.runs)})" if runs else found.group.name
        confirm(f"Delete the group {what}? This cannot be undone.")
    deletion.delete_group(store, found.id, with_runs=runs)
    err.print(f"Group {found.id} is deleted.")


@sweep.command()
@says_what_is_wrong
def export(group: GroupName) -> None:
    """Print the file of a group, which starts it anywhere."""
    typer.echo(groups.named(Store(), group).group.to_yaml(), nl=False)


def _say(runs: list[str], what: str) -> None:
    out.print(f"{len(runs)} run{'s' if len(runs) != 1 else ''} {what}.")


def _followed(store: Store, found: StoredGroup) -> list[Run]:
    with Interrupts() as interrupts:
        try:
            while True:
                runs = watch_all(store, list(found.runs), err, interrupts)
                if not (found.group.successive_halving and rungs.decisions(store, runs)):
                    return runs
                time.sleep(POLL_SECONDS)  # the runner will see to it
        except KeyboardInterrupt:
            with contextlib.suppress(RunError):  # all have just ended
                group_control.stop(store, found.id)
            return watch_all(store, list(found.runs), err, interrupts)


def _facts(found: StoredGroup) -> dict[str, Any]:
    return {"group_id": found.id} | found.group.model_dump(mode="json", include={"name", "axes"})


def _row(found: StoredGroup, run: Run) -> dict[str, Any]:
    return {"settings": found.runs[run.id], "waits_at": run.rung if rungs.is_at_rung(run) else None} | summary(run)


def _tell(store: Store, found: StoredGroup, *, as_json: bool, told: dict[str, Any] | None = None) -> None:
    """Print the runs of a group with their values of the axes, as a table or as JSON with what else is `told`."""
    runs = found.among(store.runs())
    if as_json:
        rows = [_row(found, run) for run in runs]
        missing = {"not_started": list(map(asdict, found.not_started)), "deleted": list(found.lost)}
        print_json(_facts(found) | missing | (told or {}) | {"runs": rows})
        return
    table = Table(*found.group.axes, "State", "Test", "Waited + ran", Column("Run", no_wrap=True), box=None)
    for run in runs:
        settings = [shown(found.runs[run.id][axis]) if axis in found.runs[run.id] else "" for axis in found.group.axes]
        table.add_row(*map(escape, settings), rungs.standing(run) or run.state, score(run), clocks(run), run.id)
    out.print(table)
    why = [f"{run.id}: {run.error}" for run in runs if run.error]
    why += [f"{run.id}: {statements.left_at(run.left_at)}" for run in runs if run.left_at]
    for text in (*why, *rungs.not_tried_fully(runs), *statements.missing(found.group, found.not_started, found.lost)):
        out.print(escape(text), soft_wrap=True)
