"""The script that repeats a finished run without this package: a folder within that of the run, with all that it reads."""

from pathlib import Path

FOLDER, FILES, ASKED = "script", "files", "asked"
"""Where it is kept in a run's folder, and below that the files themselves, and what is known of one that is being written."""
SCRIPT, NOTEBOOK = "train.py", "train.ipynb"


def place(folder: Path) -> Path:
    """Return where the files are kept for the run of `folder`."""
    return folder / FOLDER / FILES
