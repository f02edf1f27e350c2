"""One contender in a process of its own: python -m benchmarks.what_if_parts.child JOB SETTINGS

JOB is the name of a module and of a function in it, SETTINGS the function's arguments as a JSON object. What the function
gives is printed, with what it cost; Python's start and the imports of the module are not in that. Only the standard library
is needed here, so that any interpreter will do.
"""

import gc
import importlib
import json
import resource
import sys
import time
from typing import Any

MARK = "what_ifs: "
"""Begins the line that is meant; libraries print others."""

Moment = dict[str, float]
"""Wall and CPU seconds by some clock."""


def now() -> Moment:
    """Return the present moment in wall and CPU seconds; what child processes took counts once they have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"wall": time.perf_counter(), "cpu": time.process_time() + children.ru_utime + children.ru_stime}


def since(earlier: Moment) -> Moment:
    """Return what has been spent since then."""
    return less(now(), earlier)


def less(one: Moment, other: Moment) -> Moment:
    """Return `one` without `other`."""
    return {kind: one[kind] - other[kind] for kind in one}


def main() -> None:
    """Do the job and print what came of it."""
    started = now()
    module, _, function = sys.argv[1].rpartition(".")
    job = getattr(importlib.import_module(f"{__package__}.{module}"), function)
    settings: dict[str, Any] = json.loads(sys.argv[2])
    gc.freeze()  # as in a run of the product: what was imported is no garbage
    imports, begun = since(started)["wall"], now()
    found = job(**settings)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    print(MARK + json.dumps(since(begun) | {"imports": imports, "peak_gb": peak} | found))


if __name__ == "__main__":
    main()
