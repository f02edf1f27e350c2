"""What transfer is worth for texts, and what a probe on many of them takes.

    python -m benchmarks.texts [--labels 5 20 100] [--seeds 3] [--kept texts.json]
    python -m benchmarks.texts --table FILE [--texts 5000] [--turns 3]

The first holds MiniLM against words that are counted, the control, and a network from random weights, on the docstrings of SciPy:
test accuracy for so many labels a class, as the mean over the seeds, and how far above the control's, with 95 % intervals. Each
run is kept in a file as it ends, so that an interrupted benchmark goes on. The second takes so many texts of a table (`csv_text`)
and tells what a linear probe on MiniLM takes from the table to its test accuracy, with nothing kept from before, and what
`model.predict` of Keras alone takes for the same tokens, in wall and CPU seconds, in turn.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from tl_core.analysis.statistics import mean_interval
from tl_core.features.cache import ActivationCache
from tl_core.recipe import Recipe, changed
from tl_core.spec import RunSpec
from tl_core.training.train import train

CONTROL = "bag of words, linear probe"
CONTENDERS: dict[str, dict[str, Any]] = {
    "MiniLM, linear probe": {"backbone": "minilm"},
    "MiniLM, probe, then fine-tune all blocks (3 epochs)": {"backbone": "minilm", "strategy": "lp_ft", "strategy.epochs": 3},
    CONTROL: {"backbone": "bag_of_words"},
    "text CNN, from scratch": {"backbone": "text_cnn", "strategy": "from_scratch"},
}
BAR_SECONDS = 60
"""A probe on 5,000 texts takes at most so long on two cores."""


class Took(NamedTuple):
    """Wall and CPU seconds."""

    wall: float
    cpu: float


def main() -> None:
    """Measure what is asked for, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--labels", type=int, nargs="+", default=[5, 20, 100])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--kept", type=Path, default=Path("texts.json"))
    parser.add_argument("--table", type=Path)
    parser.add_argument("--texts", type=int, default=5000)
    parser.add_argument("--turns", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        cache = ActivationCache(Path(scratch, "cache"), 10**10)
        if asked.table:
            found = speed(asked.table, asked.texts, asked.turns)
        else:
            found = accuracy(asked.labels, asked.seeds, asked.kept, cache)
    Console().print(found)


def accuracy(labels: list[int], seeds: int, kept: Path, cache: ActivationCache) -> Table:
    """Return the test accuracy of each contender by labels a class, in percent: the mean over the seeds with its 95 % interval,
    and below it how far that lies above the control's in the same seeds. What is `kept` of runs is not run again."""
    found: dict[str, list[float]] = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    for count, seed, (name, settings) in product(labels, range(seeds), CONTENDERS.items()):
        key = f"{name}, {count} labels, seed {seed}"
        if key not in found:
            given = {"dataset": "docstrings", "dataset.labels_per_class": count, "seed": seed, **settings}
            result = train(changed(RunSpec(), given), _ignore, cache=cache).result
            found[key] = [100 * result.accuracy, result.seconds]
            kept.write_text(json.dumps(found, indent=1), encoding="utf-8")
            print(f"{key}: {found[key][0]:.1f} % in {found[key][1]:.0f} s", flush=True)
    table = Table("Docstrings", *(f"{count} labels a class, %" for count in labels), "Seconds of a run")
    for name in CONTENDERS:
        runs = [[found[f"{name}, {count} labels, seed {seed}"] for seed in range(seeds)] for count in labels]
        control = [[found[f"{CONTROL}, {count} labels, seed {seed}"] for seed in range(seeds)] for count in labels]
        cells = [_cell(own, None if name == CONTROL else other) for own, other in zip(runs, control, strict=True)]
        table.add_row(name, *cells, ", ".join(f"{statistics.median(took for _, took in own):.0f}" for own in runs))
    return table


def _cell(runs: list[list[float]], control: list[list[float]] | None) -> str:
    """Return the mean accuracy of `runs` over the seeds, and by how much it is above that of the `control`."""
    shares = [share for share, _ in runs]
    said = with_interval(shares)
    if control is None:
        return said
    return f"{said}\n{with_interval([own - other for own, (other, _) in zip(shares, control, strict=True)], '+')} above"


def with_interval(values: list[float], sign: str = "") -> str:
    """Return the mean of percentages, or with a `sign` of their differences, with its 95 % interval (Student's t), which one
    alone has not."""
    mean = f"{statistics.mean(values):{sign}.1f}"
    if len(values) < 2:
        return mean
    ends = mean_interval(values, -100.0 if sign else 0.0, 100.0)
    return f"{mean} ({ends.low:{sign}.1f} to {ends.high:{sign}.1f})"


def speed(file: Path, texts: int, turns: int) -> Table:
    """Return the seconds of a probe on so many training texts of a table, and of Keras' own pass over the same tokens."""
    spec = changed(RunSpec(), {"dataset": "csv_text", "dataset.path": str(file), "backbone": "minilm"})
    recipe = Recipe.of(spec)
    data = recipe.dataset.load(0)
    share = recipe.preprocessor()
    tokens = share.encode(data.train, np.arange(min(texts, len(data.train))))
    model = recipe.backbone.load(recipe.input_size, pretrained=True).model
    model.predict(tokens[:64], batch_size=32, verbose=0)
    probes, passes = list[Took](), list[Took]()
    for _ in range(turns):
        with tempfile.TemporaryDirectory() as scratch:
            cold = ActivationCache(Path(scratch), 10**10)
            probes.append(timed(lambda kept=cold: train(spec, _ignore, cache=kept)))  # type: ignore[misc]
        passes.append(timed(lambda: model.predict(tokens, batch_size=32, verbose=0)))
    table = Table(f"{recipe.shown_size} a text", "Texts", "Wall seconds", "CPU seconds")
    total = sum(map(len, data.splits.values()))
    for name, count, took in (("probe", total, probes), ("Keras' model.predict", len(tokens), passes)):
        table.add_row(name, f"{count:,}", *(f"{statistics.median(column):.1f}" for column in zip(*took, strict=True)))
    ratio = statistics.median(probe.wall * len(tokens) / total / own.wall for probe, own in zip(probes, passes, strict=True))
    table.caption = f"Bar for the probe: {BAR_SECONDS} s. A text of the probe takes {ratio:.2f} of one of model.predict."
    return table


def timed(work: Callable[[], object]) -> Took:
    """Return what `work` takes."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Took(time.perf_counter() - wall, time.process_time() - cpu)


def _ignore(event: object) -> None:
    return


if __name__ == "__main__":
    main()
