"""How a run ended, in a sentence that says what can be done about it."""

import re
import signal
from pathlib import Path

from tl_core.errors import fault
from tl_core.executors import LOG, build
from tl_core.runs.store import Run, Store
from tl_core.machine.telemetry import oom_kills
from tl_core.spec import RunSpec

OUT_OF_MEMORY = "OutOfMemory"
CRASH = "Crash"
INTERNAL = "InternalError"

_MEMORY_TYPES = {"MemoryError", "ResourceExhaustedError", "OutOfMemoryError"}
_MEMORY_WORDS = re.compile(
    r"RESOURCE_EXHAUSTED|out of memory|bad_alloc|OOM when allocating|Cannot allocate memory", re.IGNORECASE
)
_SCARCE = 0.03
"""Where less than this share of the machine's memory was available at the last sample, memory is what ran out."""


def of_exception(error: Exception, spec: RunSpec, folder: Path) -> tuple[str, str]:
    """The sentence and the kind of an exception that nobody expected."""
    if type(error).__name__ in _MEMORY_TYPES or _MEMORY_WORDS.search(str(error)):
        return _out_of_memory("Memory ran out while this run was at work.", spec), OUT_OF_MEMORY
    return f"{fault(error, 'ended this run')} The log in {folder} has the details.", INTERNAL


def of_death(store: Store, run: Run, last_words: str) -> tuple[str, str]:
    """The sentence and the kind of a process that is gone without a word of its own."""
    if _memory_ran_out(store, run, last_words):
        return _out_of_memory("The system ended this run because memory ran out.", run.spec), OUT_OF_MEMORY
    told = " ".join(
        filter(
            None,
            (
                "The process of this run ended without a word: it was killed, its disk was full, or the machine went down.",
                last_words,
                "Resume goes on from its last checkpoint, or from the start where there is none; its log may say more.",
            ),
        )
    )
    return told, CRASH


def _out_of_memory(what: str, spec: RunSpec) -> str:
    batch = spec.strategy.settings.get("batch_size")  # one that computes its head has none
    smaller = f"a smaller batch size (it was {batch}), or with " if batch else ""
    return f"{what} Run it again with {smaller}smaller images (they were {spec.image_size} px)."


def _memory_ran_out(store: Store, run: Run, last_words: str) -> bool:
    samples = [event.data for event in store.events(run.id, "telemetry")]
    samples = [sample for sample in samples if sample.get("since") == samples[-1].get("since")]  # those of the last attempt
    kills = [sample["oom_kills"] for sample in samples if sample.get("oom_kills") is not None]
    here = build(run.spec.executor).shares_store  # the kernel of another machine counts for itself
    may_be_killed = not last_words or signal.SIGKILL.name in last_words  # it counts all processes of this one
    if here and may_be_killed and kills and (now := oom_kills()) is not None and now > kills[0]:
        return True
    if samples and samples[-1].get("memory_total_bytes"):
        last = samples[-1]
        if last["memory_available_bytes"] < _SCARCE * last["memory_total_bytes"]:
            return True
    return bool(_MEMORY_WORDS.search(_tail(store.folder(run.id) / LOG)))


def _tail(log: Path, size: int = 4000) -> str:
    try:
        return log.read_bytes()[-size:].decode("utf-8", errors="replace")
    except OSError:
        return ""
