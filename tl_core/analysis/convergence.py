"""Whether training ended where it should: not far below what the run had reached before, and not at guessing.

It goes by the training and validation images. How good a run is, its test images say.
"""

from collections.abc import Callable, Sequence
from math import isfinite, log, sqrt
from typing import NamedTuple

from tl_core.analysis.statements import percent
from tl_core.analysis.statistics import wilson
from tl_core.result import Measured, MetricValue, PhaseRecord, Result

ADVICE = "Try a lower learning rate."


class Decided(NamedTuple):
    """The metric that decides a run: what it has `found` of the test images, what it is called in a sentence, and how a value of
    it is `written`."""

    found: MetricValue
    title: str
    written: Callable[[float], str]

    def worse(self, first: PhaseRecord, last: PhaseRecord, images: int, thing: str) -> str:
        """Return where `last` ended below `first`, by so many validation `images`, which are called `thing`; empty where it did
        not, or where nobody can say."""
        before, after = ((phase.ended or Measured()).validation_metric for phase in (first, last))
        if before is None or after is None or self.found.low is None or self.found.high is None:
            return ""
        width = (self.found.high - self.found.low) * sqrt(self.found.n / images)
        if self.found.better.sign * (before - after) <= width:
            return ""
        ended = f"the phase {last.name} ended with {self.title} {self.written(after)} on {images:,} validation {thing}"
        return f"{ended}, the phase {first.name} with {self.written(before)}"


def warnings(result: Result, thing: str = "images", decided: Decided | None = None) -> tuple[str, ...]:
    """Return sentences on training that diverged, fell below an earlier phase, or is at guessing; none where all is well.

    Accuracies count on training and validation images together, as far as both sides know them. One is below another where
    their 95% intervals do not overlap, so that a few images say nothing. Where another metric has `decided` the run, phases go by
    its values on the validation images, each in an interval as wide as that of the test images would be on so many. At guessing
    is who has a loss above that of equal shares for all classes, and an accuracy whose interval holds one in so many classes.
    """
    known = [phase for phase in result.phases if phase.ended is not None]
    if not known:
        return ()
    last, images = known[-1], result.validation_images
    if not all(isfinite(loss) for loss in _losses(last)):
        return (f"Training diverged: the phase {last.name} ended without a finite loss. {ADVICE}",)
    for phase in known[:-1]:
        if said := decided.worse(phase, last, images, thing) if decided else _fall(phase, last, result, thing):
            return (f"Training made it worse: {said}. {ADVICE}",)
    return _guessing(last, result, thing)


def _fall(first: PhaseRecord, last: PhaseRecord, result: Result, thing: str) -> str:
    """Return where `last` ended below `first`; empty where it did not, or where nobody can say."""
    sizes = _sizes([first, last], result)
    total = sum(sizes.values())
    if not total:
        return ""
    before, after = (_correct(phase, sizes) for phase in (first, last))
    if wilson(after, total).high >= wilson(before, total).low:
        return ""
    shares = [percent(count / total, wilson(count, total)) for count in (after, before)]
    seen = f"{_in_words(sizes, thing)} right"
    return f"the phase {last.name} ended with {shares[0]} of {seen}, the phase {first.name} with {shares[1]}"


def _guessing(last: PhaseRecord, result: Result, thing: str) -> tuple[str, ...]:
    sizes, classes = _sizes([last], result), len(result.class_names)
    total = sum(sizes.values())
    if classes < 2 or not total or min(_losses(last), default=0.0) <= log(classes):
        return ()
    correct = _correct(last, sizes)
    if wilson(correct, total).low > 1 / classes:
        return ()
    share, seen = percent(correct / total, wilson(correct, total)), _in_words(sizes, thing)
    return (
        f"It is no better than guessing among {classes:,} classes: the phase {last.name} ended with {share} of {seen} right. Try "
        "another learning rate, or more epochs.",
    )


def _losses(phase: PhaseRecord) -> list[float]:
    ended = phase.ended or Measured()
    return [loss for loss in (ended.loss, ended.validation_loss) if loss is not None]


def _sizes(phases: Sequence[PhaseRecord], result: Result) -> dict[str, int]:
    """Return the number of images of each split whose accuracy all of `phases` know, by the name of that field."""
    sizes = {"accuracy": result.train_images, "validation_accuracy": result.validation_images}
    return {name: size for name, size in sizes.items() if size and all(getattr(p.ended, name) is not None for p in phases)}


def _correct(phase: PhaseRecord, sizes: dict[str, int]) -> int:
    return sum(round(getattr(phase.ended, name) * size) for name, size in sizes.items())


def _in_words(sizes: dict[str, int], thing: str) -> str:
    """Return the sizes in words, such as "24 training and 3 validation images"."""
    named = {"accuracy": "training", "validation_accuracy": "validation"}
    return " and ".join(f"{size:,} {named[name]}" for name, size in sizes.items()) + f" {thing}"
