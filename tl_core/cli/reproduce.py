"""The command that writes a run as a script which needs Keras and not this package."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from tl_core.analysis.statements import size
from tl_core.cli.console import AsJson, RunId, app, out, print_json, says_what_is_wrong
from tl_core.cli.export import copy, require_free
from tl_core.cli.study import answered
from tl_core.errors import RunError
from tl_core.recipe import Recipe
from tl_core.runs import evaluations, repetition, scripts
from tl_core.runs.store import Store
from tl_core.studies.keras_script import KerasScript
from tl_core.system.settings import SPEC


@app.command()
@says_what_is_wrong
def reproduce(
    run: RunId,
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="A folder that is empty, or not there yet.")],
    as_json: AsJson = False,
) -> None:
    """Write a finished run as a script and a notebook that need Keras and not this package, and say how to repeat it with it."""
    store = Store()
    found = evaluations.finished(store, store.named(run))
    require_free(to)
    files = answered(KerasScript(run_id=found.run.id), Recipe.of(found.run.spec)).files
    if files is None:
        raise RunError("The script was ended before it was done.", "Ask again.")
    copy(scripts.place(found.folder), to)
    command = repetition.command(found.run.spec, found.result)
    if as_json:
        print_json({"run_id": found.run.id, "folder": str(to), "files": files, "command": command})
        return
    for name, taken in files.items():
        out.print(f"{name}: {size(taken)}")
    out.print(escape(f"Run {to / scripts.SCRIPT}; with Transfer Lab, the same is: {command}"), soft_wrap=True)
    out.print(escape(f"or: python -m tl_core train --spec {to / SPEC}"), soft_wrap=True)
