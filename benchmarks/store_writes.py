"""How long a write of a run's events takes while others write, too.

    python -m benchmarks.store_writes [--writers 8] [--seconds 20]

Each writer is a process that does what a run's recorder does: ten events and the progress in one write, twice a second; at
once it is measured with writers that never pause. Told are the write's wall milliseconds at the median and at the 99th
percentile, for one writer and for many, and their ratio.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from tl_core.runs.store import Store
from tl_core.spec import RunSpec

BEAT_SECONDS = 0.5
WRITER = """
import json, random, sys, time
from pathlib import Path
from tl_core.events import Activity, Step
from tl_core.runs.store import Store
home, run_id, seconds, beat = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]), float(sys.argv[4])
store = Store(home)
print("ready", flush=True)
sys.stdin.readline()
time.sleep(random.uniform(0, beat))
took, end, step = [], time.monotonic() + seconds, 0
while time.monotonic() < end:
    events = [(time.time(), Step("head", 1, step + n, 1.0, 0.5, 100.0, 0.5)) for n in range(10)]
    step += 10
    begun = time.perf_counter()
    store.record(run_id, events, done=0.5, stage=Activity.TRAINING, images_per_second=100.0)
    took.append(time.perf_counter() - begun)
    time.sleep(beat)
print(json.dumps(took))
"""


def latencies(writers: int, seconds: float, beat: float) -> np.ndarray:
    """Return the milliseconds of every write."""
    home = Path(tempfile.mkdtemp(prefix="writes"))
    store = Store(home)
    for number in range(writers):
        store.create(str(number), RunSpec())
    command = [sys.executable, "-c", WRITER, str(home)]
    started = [
        subprocess.Popen([*command, str(number), str(seconds), str(beat)], stdin=-1, stdout=-1, text=True)
        for number in range(writers)
    ]
    for process in started:
        assert process.stdout
        process.stdout.readline()
    for process in started:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    return 1000 * np.concatenate([json.loads(process.communicate()[0]) for process in started])


def main() -> None:
    """Measure and print the table."""
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    options.add_argument("--writers", type=int, default=8)
    options.add_argument("--seconds", type=float, default=20.0)
    given = options.parse_args()
    table = Table("writers", "pause, s", "writes", "median, ms", "p99, ms", "most, ms", title="One write of ten events")
    p99 = []
    for writers, beat in ((1, BEAT_SECONDS), (given.writers, BEAT_SECONDS), (given.writers, 0.0)):
        found = latencies(writers, given.seconds, beat)
        p99.append(np.percentile(found, 99))
        figures = (np.median(found), p99[-1], found.max())
        table.add_row(str(writers), str(beat), f"{len(found):,}", *(f"{value:.1f}" for value in figures))
    Console(width=110).print(table, f"The p99 with {given.writers} writers is {p99[1] / p99[0]:.1f} times that with one.")


if __name__ == "__main__":
    main()
