"""How often the 95% interval of a difference holds the true one: two models on the same examples, by a paired bootstrap.

    python -m benchmarks.metric_differences [--repeats 1000] [--examples 400] [--classes 5] [--cores 2]

Test sets are drawn from the populations of `metric_intervals`. The second model sees what the first one sees, with noise of its
own added, and is calibrated. Told are, for each metric, the true difference, from a million examples, the share of the test sets
whose interval holds it, and the share that has no interval.
"""

import numpy as np
from rich.table import Table

from benchmarks.metric_intervals import POPULATION, Population, of_classes, simulate, softmax
from tl_core.metrics import Interval, Labels, Probabilities

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


def differences(population: Population, n: int, seed: int) -> dict[str, Interval | None]:
    """Return the interval of each metric's difference on one test set, by name."""
    drawn = draw(population, n, seed)
    return {name: metric.difference(*drawn) for name, metric in of_classes().items()}


def true_differences(population: Population) -> dict[str, float]:
    """Return the difference of each metric in the whole population, by name."""
    labels, first, second = draw(population, POPULATION, 0)
    return {name: metric.value(labels, first) - metric.value(labels, second) for name, metric in of_classes().items()}


def coverage_table(population: Population, found: list[dict[str, Interval | None]]) -> Table:
    """Return what is printed of a population: of each test set, `found` are the intervals by the names of metrics."""
    table = Table("Metric", "True difference", "Holds it", "No interval", title=population.title)
    for name, difference in true_differences(population).items():
        known = [interval for each in found if (interval := each[name])]
        if known:
            covered = np.mean([interval.low <= difference <= interval.high for interval in known])
            table.add_row(name, f"{difference:.4f}", f"{covered:.1%}", f"{1 - len(known) / len(found):.0%}")
    return table


if __name__ == "__main__":
    simulate(__doc__, 1000, differences, coverage_table)
