"""From Start to training: what a spare interpreter saves.

    python -m benchmarks.starting [--times 5]

Each time a run is put into the queue of a runner that is there already, once with a spare waiting and once without, in
turn. Told are the seconds from the call that Start makes to the first line inside `train`, and to the first batch, their
ratio, and the CPU seconds of the run's process up to its first batch. A spare's own import, before the start, is not in
them: it is told apart.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from tl_core.runner import control, service
from tl_core.runs.states import State
from tl_core.runs.store import Store
from tl_core.spec import RunSpec
from tl_core.system.settings import SPARE_VARIABLE

POLL_SECONDS = 0.002
MOST_SECONDS = 120.0


@dataclass(frozen=True)
class Start:
    """Wall seconds until `train` was entered and until its first batch, and CPU seconds until then."""

    inside: float
    first_step: float
    cpu: float


def wait_for(condition: Callable[[], object]) -> None:
    """Wait until `condition` is true. Raises `TimeoutError`."""
    end = time.monotonic() + MOST_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(POLL_SECONDS)


def processes(home: Path, command: str) -> list[psutil.Process]:
    """Return this user's processes of one command of `home`."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        arguments = process.info["cmdline"] or []
        if "tl_core" in arguments and command in arguments and process.environ().get("TRANSFER_LAB_HOME") == str(home):
            found.append(process)
    return found


def measure(store: Store, spec: RunSpec) -> Start:
    """Measure one start, and end the run."""
    begun = time.time()
    run_id = control.start(store, spec)
    wait_for(lambda: store.run(run_id).started)
    wait_for(lambda: store.events(run_id, "step"))
    run = store.run(run_id)
    cpu = sum(psutil.Process(int(run.handle or 0)).cpu_times()[:2])
    control.stop(store, run_id)
    wait_for(lambda: not store.run(run_id).state.alive)
    return Start((run.started or 0) - begun, store.events(run_id, "step")[0].at - begun, cpu)


def home_with_runner(spare: bool) -> Store:
    """Return a home whose runner is there and has, or does not have, a spare that is ready."""
    os.environ[SPARE_VARIABLE] = str(int(spare))
    store = Store(Path(tempfile.mkdtemp(prefix="starting")))
    service.ensure(store.home, watched=True)
    wait_for(lambda: processes(store.home, "serve"))
    return store


def ready(store: Store) -> float:
    """Wait until the spare has done its import, and return the CPU seconds it took."""

    def spares() -> list[psutil.Process]:
        service.ensure(store.home, watched=True)  # as a page that is open says now and then
        return processes(store.home, "spare")

    wait_for(spares)
    (spare,) = processes(store.home, "spare")
    before = -1.0
    while (now := sum(spare.cpu_times()[:2])) != before or now < 1.0:
        before = now
        time.sleep(0.5)
    return now


def main() -> None:
    """Measure and print the table."""
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    options.add_argument("--times", type=int, default=5)
    times = options.parse_args().times
    spec = RunSpec().with_settings(
        {"strategy": "from_scratch", "backbone": "small_cnn", "strategy.epochs": 1000, "image_size": 32}
    )
    stores = {"with a spare": home_with_runner(spare=True), "without": home_with_runner(spare=False)}
    starts: dict[str, list[Start]] = {name: [] for name in stores}
    import_cpu = 0.0
    for _ in range(times):
        for name, store in stores.items():
            if name == "with a spare":
                import_cpu = ready(store)
            starts[name].append(measure(store, spec))
    table = Table("", "to train(), s", "to the first batch, s", "CPU s until then", title=f"Start, median of {times}")
    for name, found in starts.items():
        medians = [statistics.median(getattr(start, field) for start in found) for field in ("inside", "first_step", "cpu")]
        table.add_row(name, *(f"{value:.2f}" for value in medians))
    ratio = statistics.median(a.inside / b.inside for a, b in zip(*starts.values(), strict=True))
    Console(width=110).print(
        table, f"To train() with a spare in {ratio:.2f} of the time without. A spare's import: {import_cpu:.1f} CPU s."
    )
    for store in stores.values():
        service.notify(store.home, service.RETIRE)
    assert all(run.state is State.CANCELLED for store in stores.values() for run in store.runs())


if __name__ == "__main__":
    main()
