"""The command by which a model leaves."""

import shutil
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Column, Table

from tl_core.cli.console import AsJson, RunId, app, out, print_json, says_what_is_wrong
from tl_core.cli.study import answered
from tl_core.errors import RunError, SettingError, StorageError
from tl_core.exports._answers import SCRIPT
from tl_core.recipe import Recipe
from tl_core.runs import exported
from tl_core.runs.store import Store
from tl_core.studies.export_check import ExportCheck


@app.command()
@says_what_is_wrong
def export(
    run: RunId,
    name: Annotated[str, typer.Option("--format", metavar="NAME", help="The format; see: python -m tl_core parts")],
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="A folder that is empty, or not there yet.")],
    calibrated: Annotated[
        bool, typer.Option("--calibrated", help="Divide the logits by a temperature that is fitted to the validation examples.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write the model of a finished run in a format that runs elsewhere, once it was found to say the same there."""
    store = Store()
    run_id = store.named(run)
    require_free(to)
    study = ExportCheck(run_id=run_id, format=name, calibrated=calibrated)
    found = answered(study, Recipe.of(store.run(run_id).spec))
    if found.parity is None:
        raise RunError("The export was ended before it was done.", "Ask again.")
    if not found.parity.is_good:
        raise RunError(study.conclusion(found), "Choose another format.", received=name)
    copy(exported.place(store.folder(run_id), name), to)
    if as_json:
        interval = found.parity.interval
        accuracy = {
            "accuracy_interval": interval and [interval.low, interval.high],
            "greatest_loss": found.parity.greatest_loss,
        }
        print_json({"run_id": run_id, "format": name, "folder": str(to)} | found.parity.model_dump(mode="json") | accuracy)
        return
    table = Table("", Column("", justify="right"), box=None, show_header=False)
    for title, value in study.described(found).items():
        table.add_row(title, value)
    out.print(table)
    out.print(escape(f"{study.conclusion(found)} It is in {to}, where {SCRIPT} loads it."), soft_wrap=True)


def require_free(to: Path) -> None:
    """Raise `SettingError` where there is something in the way."""
    try:
        is_taken = to.exists() and (not to.is_dir() or any(to.iterdir()))
    except OSError as error:
        raise StorageError(f"This folder cannot be read ({error.strerror}).", "Choose another one.", received=to) from error
    if is_taken:
        raise SettingError("This needs a folder of its own, and something is here.", "Choose another one.", received=to)
    if to.resolve() == Path.cwd():  # what appears whole takes the place of the folder, in which the shell stands
        raise SettingError("The current folder cannot be replaced.", "Name a folder in it.", received=to)


def copy(source: Path, to: Path) -> None:
    """Copy the folder `source`; it is there whole or not at all. Raises `StorageError`."""
    partial = to.with_name(f".partial-{to.name}")
    try:
        partial.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, partial, ignore=shutil.ignore_patterns(exported.PARITY))
        partial.rename(to)
    except OSError as error:
        raise StorageError(
            f"The files cannot be written ({error}).", "Free some space there, or choose another folder.", received=to
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
