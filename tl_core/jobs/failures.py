"""How work that failed ended, in a sentence that says what can be done about it."""

import re
from pathlib import Path

from tl_core.errors import fault
from tl_core.registry import registry
from tl_core.spec import RunSpec

OUT_OF_MEMORY = "OutOfMemory"


CRASH = "Crash"


INTERNAL = "InternalError"


NO_DETERMINISM = "NoDeterminism"


_MEMORY_TYPES = {"MemoryError", "ResourceExhaustedError", "OutOfMemoryError"}


MEMORY_WORDS = re.compile(r"RESOURCE_EXHAUSTED|out of memory|bad_alloc|OOM when allocating|Cannot allocate memory", re.IGNORECASE)


ORDER_WORDS = re.compile(r"determinis", re.IGNORECASE)


NO_ORDER = "Something in this run cannot be computed in one fixed order on this device, which deterministic operations ask for."


def of_exception(error: Exception, spec: RunSpec, folder: Path) -> tuple[str, str]:
    """Return the sentence and the kind of an exception that nobody expected."""
    if type(error).__name__ in _MEMORY_TYPES or MEMORY_WORDS.search(str(error)):
        return out_of_memory("Memory ran out while this run was at work.", spec), OUT_OF_MEMORY
    if spec.deterministic and ORDER_WORDS.search(str(error)):
        return f"{NO_ORDER} Run it again with deterministic=false, or another network or strategy.", NO_DETERMINISM
    return f"{fault(error, 'ended this run')} The log in {folder} has the details.", INTERNAL


def out_of_memory(what: str, spec: RunSpec) -> str:
    """Return `what` happened, and that smaller images or a smaller batch need less."""
    part = registry("strategy").parts().get(spec.strategy.name)
    batch = part and spec.strategy.settings.get(part.batch_setting)  # one that computes its head has none
    smaller = f"a smaller batch size (it was {batch}), or with " if batch else ""
    inputs = f"smaller images (they were {spec.image_size} px)" if spec.image_size else "shorter texts"
    return f"{what} Run it again with {smaller}{inputs}."
