"""In what the images of one test differ from those of another: what a network tells apart, and what anybody can see."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from tl_core.analysis.statistics import Z95
from tl_core.checks.domain_shift import Shift, Verdict, verdict
from tl_core.checks.image_checks import Seen, grey, see
from tl_core.data.images import Images, Labels, Pixels
from tl_core.notes import Note, NoteKind

Numbers = NDArray[np.float64]

LOOKED_AT = 200
"""Images of each side, at most, whose looks are compared."""
EFFECT = 0.5
"""From so many standard deviations on a difference is told (Cohen 1988 calls that a medium one)."""
SIZES_APART, SHARES_APART, SURE = 1.5, 0.1, 0.01
"""Sizes are told from this ratio on; shares of classes where so many examples would have to be of others (their total variation)
and chance gives that (chi-squared) less often than this. So many more numbers beyond those learned from are told, too."""
CLASSES_TOLD = 3
SPREADS_APART, ENDS = 1.5, (0.05, 0.5, 0.95)
"""Numbers are told to be spread otherwise from this ratio of standard deviations on, or where their means are `EFFECT` apart, and
chance gives that (Kolmogorov and Smirnov) less often than `SURE`; by their median, and by between what nine of ten are."""

SHIFTS = {
    Verdict.UNKNOWN: NoteKind.SHIFT_UNKNOWN,
    Verdict.TOO_FEW: NoteKind.SHIFT_TOO_FEW,
    Verdict.NONE: NoteKind.SHIFT_NONE,
    Verdict.LITTLE: NoteKind.SHIFT_LITTLE,
    Verdict.CLEAR: NoteKind.SHIFT_CLEAR,
}
LOOKS: dict[NoteKind, Callable[[Pixels], float]] = {
    NoteKind.OTHER_BRIGHTNESS: lambda look: float(grey(look[np.newaxis]).mean()),
    NoteKind.OTHER_CONTRAST: lambda look: float(grey(look[np.newaxis]).std()),
    NoteKind.OTHER_COLOUR: lambda look: float(np.ptp(look.astype(np.float32), axis=2).mean()),
}
"""What is measured of a look (32, 32, 3), by what is noted where it differs."""


def same_mix(one: Labels, other: Labels, most: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return places in `one` (n,) and in `other` (m,) at which each class stands equally often, about `most` of either, drawn
    evenly from each class: what differs between them is then not which classes there are more of."""
    places: tuple[list[NDArray[np.intp]], list[NDArray[np.intp]]] = ([], [])
    both = np.intersect1d(one, other)
    for label in both:
        members = [np.flatnonzero(side == label) for side in (one, other)]
        count = min(*map(len, members), max(1, most // len(both)))
        for side, found in zip(places, members, strict=True):
            side.append(found[np.linspace(0, len(found) - 1, count).astype(np.intp)])
    chosen, others = (np.sort(np.concatenate(side)) if side else np.zeros(0, np.intp) for side in places)
    return chosen, others


def shift_note(shift: Shift | None) -> Note:
    """Return a shift from the images of a run's own test as a note."""
    numbers = () if shift is None else (round(shift.auc, 4), round(shift.low, 4), round(shift.high, 4), shift.images)
    return Note(SHIFTS[verdict(shift)], numbers)


def looks_differ(here: Sequence[tuple[Images, int]], there: Sequence[tuple[Images, int]]) -> Iterator[Note]:
    """Yield notes on brightness, contrast, colour and size where images differ in them, given as collections and places. Images
    that cannot be read say nothing."""
    with ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="look") as pool:
        seen = [[each for each in pool.map(lambda place: see(*place), side) if each.look is not None] for side in (here, there)]
    if min(map(len, seen)) < 2:
        return
    for kind, measured in LOOKS.items():
        one, other = (np.array([measured(each.look) for each in side if each.look is not None]) for side in seen)
        if _is_different(one, other):
            yield Note(kind, (round(float(one.mean()), 1), round(float(other.mean()), 1)))
    sides = [_median_side(side) for side in seen]
    if max(sides) >= SIZES_APART * max(1.0, min(sides)):
        yield Note(NoteKind.OTHER_SIZES, tuple(sides))


def shares_differ(here: Labels, there: Labels, names: Sequence[str]) -> Iterator[Note]:
    """Yield a note where the classes `names`, which the labels `here` (n,) and `there` (m,) are places of, have other shares
    among those that are here at all."""
    from scipy.stats import chi2_contingency  # a second to import

    sides = here, there[np.isin(there, here)]
    if not all(map(len, sides)):
        return
    counts = np.stack([np.bincount(side, minlength=len(names)) for side in sides])
    shares = counts / counts.sum(axis=1, keepdims=True)
    apart = np.abs(shares[0] - shares[1])
    present = counts.any(axis=0)
    if apart.sum() / 2 < SHARES_APART or present.sum() < 2 or chi2_contingency(counts[:, present]).pvalue >= SURE:
        return
    told = np.argsort(-apart, kind="stable")[:CLASSES_TOLD]
    numbers = tuple(round(float(shares[side, label]), 4) for label in told for side in (0, 1))
    yield Note(NoteKind.OTHER_CLASS_SHARES, numbers, tuple(names[label] for label in told))


def label_shares_differ(here: NDArray[np.bool_], there: NDArray[np.bool_], names: Sequence[str]) -> Iterator[Note]:
    """Yield a note where labels, of which the examples `here` (n, labels) and `there` (m, labels) have any number, are of other
    shares of them: by `SHARES_APART`, and more than chance gives, of all labels together (chi-squared, by Bonferroni)."""
    from scipy.stats import chi2_contingency  # a second to import

    shares = np.stack([side.mean(axis=0) for side in (here, there)])
    apart = np.abs(shares[0] - shares[1])
    told = [
        label
        for label in np.argsort(-apart, kind="stable")[:CLASSES_TOLD].tolist()
        if apart[label] >= SHARES_APART
        and chi2_contingency([np.bincount(side[:, label], minlength=2) for side in (here, there)]).pvalue < SURE / len(names)
    ]
    if told:
        numbers = tuple(round(float(shares[side, label]), 4) for label in told for side in (0, 1))
        yield Note(NoteKind.OTHER_LABEL_SHARES, numbers, tuple(names[label] for label in told))


def numbers_differ(here: Numbers, there: Numbers, learned: Numbers) -> Iterator[Note]:
    """Yield notes where the numbers `here` (n,) are spread otherwise than those `there` (m,), and where many more of them are
    outside of what was `learned` from (k,)."""
    from scipy.stats import ks_2samp  # a second to import

    deviations = [float(side.std()) for side in (here, there)]
    apart = abs(float(here.mean() - there.mean())) > EFFECT * sqrt(sum(each**2 for each in deviations) / 2)
    if (apart or max(deviations) > SPREADS_APART * min(deviations)) and ks_2samp(here, there).pvalue < SURE:
        yield Note(NoteKind.OTHER_NUMBERS, tuple(_short(each) for side in (here, there) for each in np.quantile(side, ENDS)))
    outside = [(side < learned.min()) | (side > learned.max()) for side in (here, there)]
    if outside[0].mean() - outside[1].mean() > SHARES_APART:
        ends = _short(learned.min()), _short(learned.max())
        yield Note(NoteKind.NUMBERS_NEVER_LEARNED, (int(outside[0].sum()), len(here), *ends))


def _short(number: float) -> float:
    return float(f"{number:.4g}")


def _is_different(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Return whether the means differ by `EFFECT` standard deviations at least, and by more than chance (a 95% interval)."""
    apart = abs(float(one.mean() - other.mean()))
    variances = [float(side.var(ddof=1)) for side in (one, other)]
    error = sqrt(sum(variance / len(side) for variance, side in zip(variances, (one, other), strict=True)))
    return apart > max(Z95 * error, EFFECT * sqrt(sum(variances) / 2))


def _median_side(seen: Sequence[Seen]) -> float:
    return float(np.median([min(each.width, each.height) for each in seen]))
