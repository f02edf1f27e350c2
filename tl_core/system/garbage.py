"""The search for garbage, spared the objects of imported modules."""

import gc
import sys

_seen = {"modules": 0}


def freeze_imports() -> None:
    """Take what the modules hold that were imported since the last call out of Python's search for garbage.

    Streamlit has Python search after each run of a page and of a live panel, which takes 0.1 s among the 170,000 objects of the
    imports. What becomes garbage later is found as ever, unless it was alive in one of the few calls that find a new module.
    """
    if len(sys.modules) > _seen["modules"]:
        _seen["modules"] = len(sys.modules)
        gc.collect()
        gc.freeze()
