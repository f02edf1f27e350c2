"""What-ifs in plain values: what is asked of a linear probe, and what it answers. Without Keras."""

from dataclasses import dataclass
from itertools import product

from tl_core.result import MetricValue

ALL = 10**9
"""Stands for all labels where numbers of them are put in order."""


@dataclass(frozen=True)
class Question:
    """Numbers of labels a class (None: all there are), inverse penalties C (None: chosen on the validation images), and from how
    many seeds the labels are drawn."""

    labels: tuple[int | None, ...]
    strengths: tuple[float | None, ...]
    seeds: int

    @property
    def draws(self) -> list[tuple[int | None, int]]:
        """Return each number of labels with each seed, the most labels first. Where all are used a seed draws nothing."""
        asked = [(count, seed) for count, seed in product(self.labels, range(self.seeds)) if count is not None or seed == 0]
        return sorted(asked, key=lambda pair: -(pair[0] or ALL))

    @property
    def answers(self) -> int:
        """Return how many answers there will be."""
        return len(self.draws) * len(self.strengths)


@dataclass(frozen=True)
class Answer:
    """A probe that learned from `labels` images a class, or of all where they have none, drawn by `seed`, with the inverse
    penalty `strength` (each as in `Question`), and what the metric that decides has `found` of the test images: with its interval
    where there is no other draw."""

    labels: int | None
    strength: float | None
    seed: int
    train_images: int
    found: MetricValue
