"""How a run ended, in a sentence that says what can be done about it."""

import signal
from pathlib import Path

from tl_core.executors import LOG, build
from tl_core.jobs.failures import CRASH, MEMORY_WORDS, OUT_OF_MEMORY, out_of_memory
from tl_core.machine.telemetry import oom_kills
from tl_core.runs.store import Run, Store

_SCARCE = 0.03
"""Where less than this share of the machine's memory was available at the last sample, memory is what ran out."""


def of_death(store: Store, run: Run, last_words: str) -> tuple[str, str]:
    """Return the sentence and the kind of a process that is gone without a word of its own."""
    if _memory_ran_out(store, run, last_words):
        return out_of_memory("The system ended this run because memory ran out.", run.spec), OUT_OF_MEMORY
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
    return bool(MEMORY_WORDS.search(_tail(store.folder(run.id) / LOG)))


def _tail(log: Path, size: int = 4000) -> str:
    try:
        return log.read_bytes()[-size:].decode("utf-8", errors="replace")
    except OSError:
        return ""
