"""How often what Compare says of several runs is true: intervals over seeds, verdicts where nothing differs, and power laws.

    python -m benchmarks.verdicts [--repeats 2000] [--images 800]

Runs are simulated: a model of seed s is right on an image with a probability that the image and the seed decide together, so that
models on the same images agree more than by chance, and seeds scatter.
"""

import argparse

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from tl_core.analysis.paired_tests import by_mcnemar, corrected, over_seeds
from tl_core.analysis.power_law import PowerLaw, Silence, fitted
from tl_core.analysis.statistics import mean_interval
from tl_core.analysis.transfer import Effect, effect

SEED_SCATTER, IMAGE_SCATTER = 0.2, 1.5
"""Standard deviations in log odds: of models trained with different seeds, and of images, which all models find hard or easy."""
MEAN = 1.2
"""Log odds of the usual image to be right."""
COUNTS = (10, 20, 50, 100, 200)


def models(images: int, count: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return which of the same `images` so many equally good models get right (count, images)."""
    hardness = rng.normal(0.0, IMAGE_SCATTER, images)
    quality = rng.normal(MEAN, SEED_SCATTER, (count, 1))
    return np.asarray(rng.random((count, images)) < 1 / (1 + np.exp(-(quality - hardness))))


def verdicts_over_seeds(repeats: int, images: int, seeds: int) -> tuple[float, float]:
    """Return the share of repeats in which one of two equally good sides is said to help or to harm, and in which the interval of
    the difference over seeds holds 0."""
    false, held = 0, 0
    for repeat in range(repeats):
        right = models(images, 2 * seeds, np.random.default_rng(repeat)).mean(axis=1)
        gaps = right[:seeds] - right[seeds:]
        interval, found = mean_interval(gaps), over_seeds(gaps.tolist(), images)
        held += interval.low <= 0 <= interval.high
        false += found is not None and effect(found, float(gaps.mean())) is not Effect.NO_EVIDENCE
    return false / repeats, held / repeats


def mean_is_held(repeats: int, images: int, seeds: int) -> float:
    """Return the share of repeats in which the interval over seeds holds the mean accuracy of all seeds on these images."""
    held = 0
    for repeat in range(repeats):
        rng = np.random.default_rng(repeat)
        hardness = rng.normal(0.0, IMAGE_SCATTER, images)
        draws = rng.normal(MEAN, SEED_SCATTER, (400, 1))
        chances = 1 / (1 + np.exp(-(draws - hardness)))
        right = (rng.random((seeds, images)) < chances[:seeds]).mean(axis=1)
        interval = mean_interval(right, 0.0, 1.0)
        held += interval.low <= chances.mean() <= interval.high
    return held / repeats


def false_winners(repeats: int, images: int, others: int) -> float:
    """Return the share of repeats in which any of `others` equally good models on the same images is told apart from a baseline:
    each model is right on an image with the chance of that image alone."""
    false = 0
    for repeat in range(repeats):
        rng = np.random.default_rng(repeat)
        chance = 1 / (1 + np.exp(-(MEAN - rng.normal(0.0, IMAGE_SCATTER, images))))
        right = rng.random((1 + others, images)) < chance
        false += any(each and each.told_apart for each in corrected([by_mcnemar(right[0], each) for each in right[1:]]))
    return false / repeats


def power_laws(repeats: int, floor: float, seeds: int) -> tuple[float, float]:
    """Return the share of repeats in which a power law through five numbers of labels speaks of 1.5 times the most labels, and in
    which its interval then holds the true error."""
    spoke, held = 0, 0
    labels = np.repeat(COUNTS, seeds)
    asked = 1.5 * COUNTS[-1]
    for repeat in range(repeats):
        scatter = np.random.default_rng(repeat).normal(0.0, 0.06, len(labels))
        law = fitted(labels, (1.2 * labels**-0.5 + floor) * np.exp(scatter))
        told = law.foretold(asked) if isinstance(law, PowerLaw) else law
        if not isinstance(told, Silence):
            spoke += 1
            held += told.low <= 1.2 * asked**-0.5 + floor <= told.high
    return spoke / repeats, held / max(1, spoke)


def main() -> None:
    """Print one table of each kind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=2000)
    parser.add_argument("--images", type=int, default=800)
    asked = parser.parse_args()
    table = Table("Seeds", "False helps or harms", "Interval of the difference holds 0", "Interval of the mean holds it")
    for seeds in (3, 5, 10):
        false, held = verdicts_over_seeds(asked.repeats, asked.images, seeds)
        table.add_row(str(seeds), f"{false:.1%}", f"{held:.1%}", f"{mean_is_held(asked.repeats, asked.images, seeds):.1%}")
    Console().print(table)
    table = Table("Models beside a baseline", "Any false winner")
    for others in (1, 3, 10):
        table.add_row(str(others), f"{false_winners(asked.repeats, asked.images, others):.1%}")
    Console().print(table)
    table = Table("Floor", "Seeds", "Power law speaks", "Its interval holds the true error")
    for floor, seeds in ((0.0, 3), (0.0, 5), (0.05, 5), (0.2, 5)):
        spoke, held = power_laws(asked.repeats, floor, seeds)
        table.add_row(f"{floor:.2f}", str(seeds), f"{spoke:.1%}", f"{held:.1%}")
    Console().print(table)


if __name__ == "__main__":
    main()
