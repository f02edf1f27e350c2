"""How often the 95% interval of a difference holds the true one: two models on the same examples, by a paired bootstrap.

    python -m benchmarks.metric_differences [--repeats 1000] [--examples 400] [--classes 5] [--cores 2]

Test sets are drawn from the populations of `metric_intervals`. The second model sees what the first one sees, with noise of its
own added, and is calibrated. Told are, for each metric, the true difference, from a million examples, the share of the test sets
whose interval holds it, and the share that has no interval.
"""

import argparse
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.metric_intervals import POPULATION, Population, populations
from tl_core.metrics import Interval, Labels, Probabilities, metrics

NOISE = 0.3
"""Of the second model, where what both see has a noise of 1."""
Drawn = tuple[Labels, Probabilities, Probabilities]


def draw(population: Population, n: int, seed: int) -> Drawn:
    """Return labels (n,) and what each of both models says of them, (n, classes)."""
    rng = np.random.default_rng(seed)
    classes = len(population.shares)
    labels = rng.choice(classes, size=n, p=population.shares)
    signal = population.sharpness * np.eye(classes)[labels] + rng.normal(size=(n, classes))
    noisy = signal + NOISE * rng.normal(size=(n, classes))
    first = population.confidence * (population.sharpness * signal + np.log(population.shares))
    return labels, softmax(first), softmax(population.sharpness / (1 + NOISE**2) * noisy + np.log(population.shares))


def softmax(logits: NDArray[np.float64]) -> Probabilities:
    """Return the probabilities (n, classes) that `logits` say."""
    exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (exponents / exponents.sum(axis=1, keepdims=True)).astype(np.float32)


def differences(population: Population, n: int, seed: int) -> dict[str, Interval | None]:
    """Return the interval of each metric's difference on one test set, by name."""
    drawn = draw(population, n, seed)
    return {name: part().difference(*drawn) for name, part in metrics.parts().items()}


def true_differences(population: Population) -> dict[str, float]:
    """Return the difference of each metric in the whole population, by name."""
    labels, first, second = draw(population, POPULATION, 0)
    return {name: part().value(labels, first) - part().value(labels, second) for name, part in metrics.parts().items()}


def main() -> None:
    """Draw, compare, and print a table for each population."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=1000)
    parser.add_argument("--examples", type=int, default=400)
    parser.add_argument("--classes", type=int, default=5)
    parser.add_argument("--cores", type=int, default=2)
    asked = parser.parse_args()
    for population in populations(asked.classes):
        with ProcessPoolExecutor(asked.cores) as pool:
            each = partial(differences, population, asked.examples)
            found = list(pool.map(each, range(1, asked.repeats + 1), chunksize=10))
        Console().print(coverage_table(population.title, true_differences(population), found))


def coverage_table(title: str, true: dict[str, float], found: list[dict[str, Interval | None]]) -> Table:
    """Return what `main` prints of a population: the `true` differences and, of each test set, those `found`."""
    table = Table("Metric", "True difference", "Holds it", "No interval", title=title)
    for name, difference in true.items():
        known = [interval for each in found if (interval := each[name])]
        if known:
            covered = np.mean([interval.low <= difference <= interval.high for interval in known])
            table.add_row(name, f"{difference:.4f}", f"{covered:.1%}", f"{1 - len(known) / len(found):.0%}")
    return table


if __name__ == "__main__":
    main()
