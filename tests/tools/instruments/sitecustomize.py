"""Python imports this when it starts, where a test has put its folder on the path: nothing in the product knows of it.

`BREAK_AT` ("event:text") halts the process at the first audit event of Python of that name with that text in its arguments,
until the test lets it go; so a test can kill this or another process at an instant that no waiting would hit.
`SHORT_TRAINING` puts a training without Keras in the place of the real one, for tests of everything around it.
"""

import importlib.util
import os
import sys
import time
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

event_name, _, text = os.environ.get("BREAK_AT", "").partition(":")
place = Path(os.environ.get("BREAK_PLACE", "/nowhere"))


def halt(event: str, arguments: tuple[Any, ...]) -> None:
    """Leave a mark with this process' number, and wait until the test takes it away."""
    if event != event_name or text not in str(arguments):
        return
    mark = place / "halted"
    try:
        descriptor = os.open(mark, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    except OSError:
        return  # only the first one halts, and only while the test wants it
    os.write(descriptor, str(os.getpid()).encode())
    os.close(descriptor)
    while mark.exists():
        time.sleep(0.01)


class Short:
    """Finds the short training where the real one is asked for."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """The short one's spec, under the real one's name."""
        if name != "tl_core.training.train":
            return None
        return importlib.util.spec_from_file_location(name, Path(__file__).parents[1] / "short_training.py")


if event_name:
    sys.addaudithook(halt)
if os.environ.get("SHORT_TRAINING"):
    sys.meta_path.insert(0, Short())
