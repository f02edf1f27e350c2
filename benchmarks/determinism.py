"""What deterministic operations cost while a network trains.

    python -m benchmarks.determinism [--turns 5] [--epochs 4] [--set image_size=96] ...

In each turn the same run (the default data, fine-tuning of all blocks, or whatever `--set` says) trains once with and once
without them, each in a process of its own, since none can go back; which of them is first changes from turn to turn. Told are the
CPU and the wall seconds of an epoch, from the end of the first one on, when all is traced and loaded, and their ratio by turn:
the median, and the least and the greatest.
"""

import argparse
import statistics
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from tl_core.events import Epoch, Event
from tl_core.recipe import Recipe, changed
from tl_core.spec import RunSpec
from tl_core.training.train import train

CLOCKS = {"CPU seconds of an epoch": time.process_time, "wall seconds of an epoch": time.perf_counter}


def main() -> None:
    """Measure the turns, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--set", action="append", default=[])
    asked = parser.parse_args()
    settings = {"strategy": "fine_tuning", "strategy.epochs": asked.epochs} | dict(pair.split("=", 1) for pair in asked.set)
    taken = dict[bool, list[list[float]]]({False: [], True: []})
    for turn in track(range(asked.turns), "Turns"):
        for deterministic in (False, True) if turn % 2 else (True, False):
            with ProcessPoolExecutor(1, get_context("spawn")) as apart:
                taken[deterministic].append(apart.submit(epoch, settings | {"deterministic": deterministic}).result())
    table = Table("", "without", "with", "ratio", "least to greatest")
    for place, title in enumerate(CLOCKS):
        without, given = ([each[place] for each in taken[deterministic]] for deterministic in (False, True))
        ratios = [one / other for one, other in zip(given, without, strict=True)]
        ends = f"{min(ratios):.2f} to {max(ratios):.2f}"
        medians = (statistics.median(without), statistics.median(given), statistics.median(ratios))
        table.add_row(title, *(f"{value:.2f}" for value in medians), ends)
    Console().print(table)


def epoch(settings: Mapping[str, Any]) -> list[float]:
    """Train a run in this process and return, by the `CLOCKS`, the seconds of each of its epochs but for the first."""
    ends = list[list[float]]()

    def hear(event: Event) -> None:
        if isinstance(event, Epoch):
            ends.append([clock() for clock in CLOCKS.values()])

    train(Recipe.of(changed(RunSpec(), settings)).spec(), hear)
    return [(last - first) / (len(ends) - 1) for first, last in zip(ends[0], ends[-1], strict=True)]


if __name__ == "__main__":
    main()
