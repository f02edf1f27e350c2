"""The command that starts the dashboard."""

import os
import sys
from pathlib import Path

import typer

import tl_core
from tl_core.cli.console import app

PACKAGE = Path(tl_core.__file__).parent


@app.command("app", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def dashboard(context: typer.Context) -> None:
    """Start the dashboard, from any folder. Streamlit takes all options, such as --server.port 8600."""
    # In place of this process, so that a signal reaches the server; -P: no module of the folder it is started in is imported.
    os.execv(sys.executable, [sys.executable, "-P", "-m", "streamlit", "run", str(script()), *context.args])  # noqa: S606


def script() -> Path:
    """Return the dashboard's app.py: within the package where it was installed (setup.py puts it there), beside it in a clone."""
    installed = PACKAGE / "dashboard" / "app.py"
    return installed if installed.is_file() else PACKAGE.parent / installed.name
