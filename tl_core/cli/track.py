"""The command by which runs are sent to a tracker."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.markup import escape

from tl_core import trackers
from tl_core.cli.console import AsJson, app, err, out, print_json, says_what_is_wrong
from tl_core.cli.settings import Parts, Settings, given_part, with_parts
from tl_core.errors import RunError, SettingError
from tl_core.runs import tracked
from tl_core.runs.store import Run, Store
from tl_core.trackers import Tracker


@app.command()
@says_what_is_wrong
@with_parts("tracker")
def track(
    run: Annotated[list[str] | None, typer.Argument(metavar="[RUN]...", help="Without, all that have changed.")] = None,
    *,
    parts: Parts,
    settings: Settings = None,
    register: Annotated[
        str | None, typer.Option(metavar="NAME", help="Make the one run's network a version of this model.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Send runs to MLflow or TensorBoard. Where an environment variable names one, the runner does so by itself."""
    store = Store()
    wanted = [store.run(store.named(name)) for name in run or ()]
    if unbegun := next((each for each in wanted if each.started is None), None):
        raise RunError("This run has not begun, and there is nothing to send.", "Wait for it.", received=unbegun.id)
    asked = _asked(parts, settings)
    if register is not None:
        version = _registered(store, asked, wanted, register)
        if as_json:
            print_json({asked[0].name: [wanted[0].id], "version": version})
        else:
            out.print(escape(f"The run was sent to {asked[0].title}; its network is version {version} of {register}."))
        return
    found = {tracker.name: _sent(store, tracker, wanted) for tracker in asked}
    if as_json:
        print_json(found)
        return
    for tracker in asked:
        out.print(_told(found[tracker.name], tracker.title))


def _registered(store: Store, asked: Sequence[Tracker], wanted: Sequence[Run], name: str) -> int:
    """Return the version that the network of the one run is of the model `name`, once both were sent."""
    if len(asked) != 1 or len(wanted) != 1:
        raise SettingError("A model is one run's, in one tracker.", "Name one run, and --tracker.", received=name)
    return tracked.register_model(store, asked[0], wanted[0], name)


def _told(ids: Sequence[str], title: str) -> str:
    if not ids:
        return f"{title} has everything already."
    return f"{'1 run was' if len(ids) == 1 else f'{len(ids)} runs were'} sent to {title}."


def _asked(parts: Parts, settings: list[str] | None) -> tuple[Tracker, ...]:
    """Return the trackers that are named, or else those of the environment. Raises `SettingError` where there is none."""
    spec = given_part("tracker", parts, settings)
    found = (trackers.build(spec),) if spec else trackers.configured()
    if not found:
        variables = " or ".join(part.variable for part in trackers.trackers.parts().values())
        raise SettingError(
            "No tracker is named.", f"Give --tracker mlflow --set tracker.to=URI, or set {variables} for all runs to come."
        )
    for tracker in found:
        tracker.require_installed()
    return found


def _sent(store: Store, tracker: Tracker, wanted: Sequence[Run]) -> list[str]:
    """Send the `wanted` runs, or where none is wanted all that have changed, and return their ids."""
    sent, ids = tracked.sent_to(store, tracker), []
    for run in tracked.send(store, tracker, wanted or tracked.behind(store, sent), sent):
        ids.append(run.id)
        err.print(escape(f"{tracker.title}: {run.id}"))
    return ids
