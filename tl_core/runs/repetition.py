"""A run that was trained again with the same settings, held against the first one: is it the same number, and what differs?"""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tl_core.errors import RunError
from tl_core.metrics import Metric, MetricValue
from tl_core.precision import Precision
from tl_core.recipe import Recipe
from tl_core.result import Result
from tl_core.runs import artifacts, compared, evaluations
from tl_core.runs.evaluations import Testable
from tl_core.runs.store import Run, Store
from tl_core.spec import RunSpec, to_text

SHOWN_DIGITS = 12
"""Of a digest, in sentences."""


@dataclass(frozen=True)
class Fact:
    """Something that may decide the numbers of a run: what people call it, and what it was in the first run and in the second,
    None where that was not stored."""

    name: str
    first: str | None
    second: str | None

    @property
    def is_known(self) -> bool:
        """Return whether it was stored with both runs."""
        return None not in (self.first, self.second)

    @property
    def differs(self) -> bool:
        """Return whether it is known to be another one."""
        return self.is_known and self.first != self.second


@dataclass(frozen=True)
class Agreement:
    """What was predicted twice of as many `examples`: whether it is the same bit for bit, the largest difference of two
    probabilities, or of two numbers, and of how many the first class is the same, None where these are no classes."""

    examples: int
    identical: bool
    largest_difference: float
    same_class: int | None


@dataclass(frozen=True)
class Repetition:
    """A run beside the one that it repeats: the value of the deciding `metric` in both, the facts that may decide it, whether the
    trained weights are the same bit for bit, None where their digest was not stored, and how far the predictions agree, None
    where they are lost or the test examples are others."""

    first_id: str
    metric: Metric
    first: MetricValue
    second: MetricValue
    facts: tuple[Fact, ...]
    same_weights: bool | None
    agreement: Agreement | None

    @property
    def same_number(self) -> bool:
        """Return whether the deciding metric has the very value that it had."""
        return self.first.value == self.second.value or bool(np.isnan([self.first.value, self.second.value]).all())

    @property
    def difference(self) -> float:
        """Return how much higher the metric is than it was."""
        return self.second.value - self.first.value

    def told(self) -> Iterator[str]:
        """Yield what was found, in sentences."""
        now = f"{self.metric.in_sentence} {compared.shown(self.second, self.metric)}"
        if self.same_number:
            yield f"Same number again: {now}, as in run {self.first_id}."
        else:
            share = self.metric.percent
            apart = f"{abs(self.difference) * (100 if share else 1):.2g}{' points' if share else ''}"
            where = "higher" if self.difference > 0 else "lower"
            yield f"Another number: {now}, {apart} {where} than in run {self.first_id}."
        yield from self._told_of_predictions()
        if others := [fact for fact in self.facts if fact.differs]:
            said = (f"{fact.name} is {_short(fact.second)} and was {_short(fact.first)}" for fact in others)
            yield f"What differs: {'; '.join(said)}."
        if same := [fact.name for fact in self.facts if fact.is_known and not fact.differs]:
            yield f"The same in both: {', '.join(same)}."
        if unknown := [fact.name for fact in self.facts if not fact.is_known]:
            yield f"Not stored with both: {', '.join(unknown)}."

    def _told_of_predictions(self) -> Iterator[str]:
        found = self.agreement
        weights = {None: "", True: " So are the trained weights.", False: " The trained weights are others."}[self.same_weights]
        if found is None:
            yield "What was predicted cannot be compared: the test examples are others, or the predictions are lost."
        elif found.identical:
            yield f"All {found.examples:,} predictions are the same, bit for bit.{weights}"
        else:
            classes = "" if found.same_class is None else f", and {found.same_class:,} of {found.examples:,} have the same class"
            yield f"Predictions differ by up to {found.largest_difference:.1e}{classes}."


def _short(value: str | None) -> str:
    text = str(value)
    return text[:SHOWN_DIGITS] if len(text) == 64 else text  # a sha256


def spec_of(spec: RunSpec, result: Result) -> RunSpec:
    """Return the settings that repeat a run, in the precision that it computed in."""
    return spec if result.precision is Precision.FLOAT32 else spec.with_settings({"precision": result.precision})


def command(spec: RunSpec, result: Result) -> str:
    """Return the line that repeats a run on the command line."""
    settings = Recipe.of(spec_of(spec, result)).overrides()
    changes = [f"--set {shlex.quote(f'{name}={to_text(value)}')}" for name, value in settings.items()]
    return " ".join(["python -m tl_core train", *changes])


def repeatable(store: Store, run_id: str) -> RunSpec:
    """Return what trains a finished run again. Raises `RunError` where it cannot be held against another one later."""
    run = store.run(run_id)
    return spec_of(run.spec, evaluations.finished(store, run_id).result)


def repetition(store: Store, run: Run) -> Repetition | None:
    """Return a finished run beside the one that it repeats; None where it repeats none, or what one of them left is gone."""
    if run.repeats is None:
        return None
    try:
        first, second = (evaluations.finished(store, each) for each in (run.repeats, run.id))
    except RunError:
        return None
    metric, read = compared.deciding(run), compared.reader(store)
    was, now = (compared.value_of(each.run, metric, read) for each in (first, second))
    if not (isinstance(was, MetricValue) and isinstance(now, MetricValue)):
        return None
    weights = [each.result.weights_digest for each in (first, second)]
    return Repetition(
        first_id=run.repeats,
        metric=metric,
        first=was,
        second=now,
        facts=tuple(_facts(first, second)),
        same_weights=weights[0] == weights[1] if all(weights) else None,
        agreement=_agreement(first, second),
    )


def _facts(*both: Testable) -> Iterator[Fact]:
    first, second = map(_decisive, both)
    for name in {**second, **first}:
        yield Fact(name, first.get(name), second.get(name))


def _decisive(found: Testable) -> dict[str, str]:
    """Return what may decide the numbers of a run, as far as it was stored, by what people call it."""
    result = found.result
    named = {
        "data": result.data_digest,
        "weights before training": result.provenance.sha256,
        "seed": str(found.run.spec.seed),
        "precision": str(result.precision),
        "deterministic operations": "on" if found.run.spec.deterministic else "off",
        "device": result.device,
    }
    return {name: value for name, value in named.items() if value} | result.versions


def _agreement(first: Testable, second: Testable) -> Agreement | None:
    if first.result.test_digest != second.result.test_digest:
        return None
    try:
        was, now = (artifacts.read_predictions(each.folder).probabilities for each in (first, second))
    except RunError:
        return None
    return agreement(was, now, of_classes=second.result.test_correct is not None)


def agreement(was: NDArray[np.floating], now: NDArray[np.floating], *, of_classes: bool) -> Agreement:
    """Return how far two arrays of predictions (n, ...) of the same examples agree."""
    same_class = int((was.argmax(axis=1) == now.argmax(axis=1)).sum()) if of_classes else None
    gap = float(np.abs(now.astype(np.float64) - was).max())
    return Agreement(len(now), was.tobytes() == now.tobytes(), gap, same_class)
