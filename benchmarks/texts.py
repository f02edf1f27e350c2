"""What transfer is worth for texts, and what a probe on many of them takes.

    python -m benchmarks.texts [--labels 5 20 100] [--seeds 3]
    python -m benchmarks.texts --table FILE [--texts 5000] [--turns 3]

The first holds MiniLM against words that are counted and a network from random weights, on the docstrings of SciPy: test
accuracy for so many labels a class, of each seed. The second takes so many texts of a table (`csv_text`) and tells what a linear
probe on MiniLM takes from the table to its test accuracy, with nothing kept from before, and what `model.predict` of Keras alone
takes for the same tokens, in wall and CPU seconds, in turn.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from tl_core.features.cache import ActivationCache
from tl_core.recipe import Recipe, changed
from tl_core.spec import RunSpec
from tl_core.training.train import train

CONTENDERS: dict[str, dict[str, Any]] = {
    "MiniLM, linear probe": {"backbone": "minilm"},
    "MiniLM, probe, then fine-tune all blocks": {"backbone": "minilm", "strategy": "lp_ft"},
    "bag of words, linear probe": {"backbone": "bag_of_words"},
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
    parser.add_argument("--table", type=Path)
    parser.add_argument("--texts", type=int, default=5000)
    parser.add_argument("--turns", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        cache = ActivationCache(Path(scratch, "cache"), 10**10)
        found = speed(asked.table, asked.texts, asked.turns) if asked.table else accuracy(asked.labels, asked.seeds, cache)
    Console().print(found)


def accuracy(labels: list[int], seeds: int, cache: ActivationCache) -> Table:
    """Return the test accuracy of each contender, by labels a class and seed, in percent, with the seconds of the first seed."""
    table = Table("Docstrings", *(f"{count} labels a class, %" for count in labels), "Seconds")
    for name, settings in CONTENDERS.items():
        cells, took = list[str](), list[str]()
        for count in labels:
            given = {"dataset": "docstrings", "dataset.labels_per_class": count, **settings}
            results = [train(changed(RunSpec(), given | {"seed": seed}), _ignore, cache=cache).result for seed in range(seeds)]
            right = [100 * result.accuracy for result in results]
            cells.append(f"{statistics.mean(right):.1f} ({', '.join(f'{each:.1f}' for each in right)})")
            took.append(f"{results[0].seconds:.0f}")
        table.add_row(name, *cells, ", ".join(took))
    return table


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
