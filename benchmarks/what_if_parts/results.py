"""What was measured: plain values that go into a file and come back."""

import statistics
from collections.abc import Sequence
from typing import Any, Self

from pydantic import BaseModel, computed_field

from tl_core.analysis.statistics import wilson

Run = dict[str, Any]
"""What one process gave: `wall`, `cpu`, `imports` (seconds), `peak_gb`, and what its job is about."""


class Cost(BaseModel):
    """Wall and CPU seconds."""

    wall: float
    cpu: float

    @classmethod
    def of(cls, runs: Sequence[Run]) -> Self:
        """Return the medians of several runs."""
        return cls(**{kind: statistics.median(run[kind] for run in runs) for kind in cls.model_fields})

    def __str__(self) -> str:
        return f"{self.wall:.3g} s, CPU {self.cpu:.3g}" if self.wall < 100 else f"{self.wall:.0f} s, CPU {self.cpu:.0f}"


class Bar(BaseModel):
    """A number and what it should be: at least, or `at_most`, `needed`; None where nothing was set.

    `value` is a ratio of wall seconds unless `unit` says otherwise, and `cpu` then that of CPU seconds. What is `aside` stands in
    the table and not in the picture.
    """

    title: str
    value: float
    cpu: float | None = None
    unit: str = "x"
    ours: Cost | None = None
    theirs: Cost | None = None
    needed: float | None = None
    at_most: bool = False
    aside: bool = False

    @computed_field  # type: ignore[prop-decorator]  # mypy knows no decorated properties
    @property
    def met(self) -> bool | None:
        """Return whether it is what it should be; None where nothing is asked of it."""
        if self.needed is None:
            return None
        return self.value <= self.needed if self.at_most else self.value >= self.needed

    @property
    def verdict(self) -> str:
        """Return what it should be, and whether it is, in words."""
        if self.needed is None:
            return ""
        return f"{'at most' if self.at_most else 'at least'} {self.needed:g}{self.unit}: {'met' if self.met else 'MISSED'}"


class Part(BaseModel):
    """What came of one part: its bars, sentences beside them, and every single run by its contender's name."""

    bars: list[Bar]
    notes: list[str]
    runs: dict[str, list[Run]]
    conditions: dict[str, Any] = {}


def against(title: str, ours: Sequence[Run], theirs: Sequence[Run], needed: float | None = None, *, aside: bool = False) -> Bar:
    """Return how many times `theirs` takes as long as `ours`: the median of the ratios within each turn.

    Args:
        title: Of the bar.
        ours: The product's runs, one a turn.
        theirs: The runs of what it is held against, one a turn.
        needed: The least ratio that is wanted; None where nothing is asked of it.
        aside: Whether the chart leaves it out.
    """
    ratio = {kind: _ratio(theirs, ours, kind) for kind in ("wall", "cpu")}
    costs = {"ours": Cost.of(ours), "theirs": Cost.of(theirs)}
    return Bar(title=title, value=ratio["wall"], cpu=ratio["cpu"], **costs, needed=needed, aside=aside)


def beside(title: str, ours: Sequence[Run], limit: Sequence[Run], needed: float) -> Bar:
    """Return how many times as long as `limit` ours takes, which should be at most `needed`."""
    ratio = {kind: _ratio(ours, limit, kind) for kind in ("wall", "cpu")}
    costs = {"ours": Cost.of(ours), "theirs": Cost.of(limit)}
    return Bar(title=title, value=ratio["wall"], cpu=ratio["cpu"], **costs, needed=needed, at_most=True)


def _ratio(above: Sequence[Run], below: Sequence[Run], kind: str) -> float:
    return statistics.median(one[kind] / other[kind] for one, other in zip(above, below, strict=True))


def accuracy(run: Run) -> str:
    """Return the accuracy in percent with its 95 % interval, as of 518 images: "93.1 % (90.5-94.9)"."""
    interval = wilson(run["correct"], run["tested"])
    return f"{100 * run['correct'] / run['tested']:.1f} % ({100 * interval.low:.1f}-{100 * interval.high:.1f})"
