"""How often the 95% intervals of metrics hold the true value.

    python -m benchmarks.metric_intervals [--repeats 2000] [--examples 400] [--classes 5] [--cores 2]

Test sets are drawn from populations whose true values are known, up to 0.001 or so, from a million examples. Told are, for each
metric, the share of the test sets whose interval holds the true value, the share that has no interval, and the mean width.
"""

import argparse
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from math import isnan
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from tl_core.data.label_kinds import CLASSES
from tl_core.metrics import Labels, Metric, MetricValue, Probabilities, metrics

T = TypeVar("T")

POPULATION = 1_000_000


@dataclass(frozen=True)
class Population:
    """Examples whose classes are drawn by `shares`, and a model that tells them apart the better the larger `sharpness` is, and
    is as much too sure of itself as `confidence` is above 1."""

    title: str
    shares: tuple[float, ...]
    sharpness: float
    confidence: float

    def draw(self, n: int, seed: int) -> tuple[Labels, Probabilities]:
        """Return labels (n,) and probabilities (n, classes), each example independent of the others."""
        rng = np.random.default_rng(seed)
        labels = rng.choice(len(self.shares), size=n, p=self.shares)
        signal = self.sharpness * np.eye(len(self.shares))[labels] + rng.normal(size=(n, len(self.shares)))
        # By Bayes' rule these are the true log odds; times the confidence, they are the model's.
        logits = self.confidence * (self.sharpness * signal + np.log(self.shares))
        return labels, softmax(logits)


def softmax(logits: NDArray[np.float64]) -> Probabilities:
    """Return the probabilities (n, classes) that `logits` say."""
    exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (exponents / exponents.sum(axis=1, keepdims=True)).astype(np.float32)


def of_classes() -> dict[str, Metric]:
    """Return every metric of classes, with its default settings, by name."""
    return {name: part() for name, part in metrics.parts().items() if part.label_kind == CLASSES}


def populations(classes: int) -> tuple[Population, ...]:
    """Return an easy, a hard and an uneven problem with so many `classes`."""
    even = tuple(np.full(classes, 1 / classes))
    uneven = np.geomspace(1, 0.1, classes)
    return (
        Population("even, 3 of 4 right, calibrated", even, 2.0, 1.0),
        Population("even, 3 of 4 right, too sure", even, 2.0, 2.0),
        Population("even, nearly all right", even, 4.0, 1.0),
        Population("uneven, 10 to 1, too sure", tuple(uneven / uneven.sum()), 2.0, 1.5),
    )


def measured(population: Population, n: int, seed: int) -> dict[str, MetricValue]:
    """Return every metric of one test set of `n` examples, by name."""
    labels, probabilities = population.draw(n, seed)
    return {name: metric.measure(labels, probabilities) for name, metric in of_classes().items()}


def true_values(population: Population) -> dict[str, float]:
    """Return every metric of the whole population, by name."""
    labels, probabilities = population.draw(POPULATION, 0)
    return {name: metric.value(labels, probabilities) for name, metric in of_classes().items()}


def simulate(
    about: str | None, repeats: int, one: Callable[[Population, int, int], T], told: Callable[[Population, list[T]], Table]
) -> None:
    """Read what is asked for, draw test sets of each population, and print a table of each.

    Args:
        about: The module's docstring.
        repeats: How many test sets, unless another number is asked for.
        one: From a population, a number of examples and a seed to what is found on one test set.
        told: From a population and what was found on all of its test sets to its table.
    """
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=repeats)
    parser.add_argument("--examples", type=int, default=400)
    parser.add_argument("--classes", type=int, default=5)
    parser.add_argument("--cores", type=int, default=2)
    asked = parser.parse_args()
    for population in populations(asked.classes):
        with ProcessPoolExecutor(asked.cores) as pool:
            draw = partial(one, population, asked.examples)
            found = list(pool.map(draw, range(1, asked.repeats + 1), chunksize=10))
        Console().print(told(population, found))


def coverage_table(population: Population, found: list[dict[str, MetricValue]]) -> Table:
    """Return what is printed of a population: of each test set, `found` are the values by the names of metrics."""
    true, title = true_values(population), population.title
    table = Table("Metric", "True value", "Holds it", "No interval", "Mean width", title=title)
    for name, value in true.items():
        intervals = [(each[name].low, each[name].high) for each in found]
        known = np.array([ends for ends in intervals if None not in ends], float).reshape(-1, 2)
        if isnan(value) or not len(known):
            continue
        covered = ((known[:, 0] <= value) & (value <= known[:, 1])).mean()
        without, width = 1 - len(known) / len(intervals), np.diff(known).mean()
        table.add_row(name, f"{value:.4f}", f"{covered:.1%}", f"{without:.0%}", f"{width:.4f}")
    return table


if __name__ == "__main__":
    simulate(__doc__, 2000, measured, coverage_table)
