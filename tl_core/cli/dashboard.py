"""The command that starts the dashboard."""

import os
import sys

import typer

from tl_core.cli.console import app
from tl_core.system.dashboard import script


@app.command("app", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def dashboard(context: typer.Context) -> None:
    """Start the dashboard, from any folder. Streamlit takes all options, such as --server.port 8600."""
    # In place of this process, so that a signal reaches the server; -P: no module of the folder it is started in is imported.
    os.execv(sys.executable, [sys.executable, "-P", "-m", "streamlit", "run", str(script()), *context.args])  # noqa: S606
