"""Numbers as people should read them: rounded to what their interval supports, with units."""

from collections.abc import Sequence
from math import floor, isfinite, isnan, log10
from typing import Protocol

from tl_core.analysis.statistics import Interval, wilson


class Tested(Protocol):
    """Anything that was tested: how many test images were classified correctly, and how many there were."""

    @property
    def correct(self) -> int | None: ...
    @property
    def test_images(self) -> int | None: ...


def interval_of(run: Tested) -> Interval | None:
    """Return the 95% Wilson interval of a run's test accuracy; None where it was not tested."""
    if run.correct is None or not run.test_images:
        return None
    return wilson(run.correct, run.test_images)


def percent(share: float, interval: Interval) -> str:
    """Return the share in percent, "85 % (82-88)": one decimal only where the interval is narrower than two points."""
    digits = 0 if interval.high - interval.low > 0.02 else 1
    return f"{100 * share:.{digits}f} % ({100 * interval.low:.{digits}f}\N{EN DASH}{100 * interval.high:.{digits}f})"


def apart(difference: float, interval: Interval, other: str) -> str:
    """Return how a share stands to `other`, in percentage points with the 95% interval: "24 points (17-31) below it", or "2
    points below it, which may be chance (6 below to 3 above)"."""
    digits = 0 if interval.high - interval.low > 0.02 else 1
    value, low, high = (f"{100 * abs(each):.{digits}f}" for each in (difference, interval.low, interval.high))
    points, where = "point" if value == "1" else "points", f"{'below' if difference < 0 else 'above'} {other}"
    if interval.low <= 0 <= interval.high:
        return f"{value} {points} {where}, which may be chance ({low} below to {high} above)"
    near, far = (high, low) if difference < 0 else (low, high)
    return f"{value} {points} ({near}\N{EN DASH}{far}) {where}"


def apart_in_unit(difference: float, interval: Interval | None, other: str) -> str:
    """Return how a number in somebody's own unit stands to `other`, as `apart` does of a share."""
    where = f"{'below' if difference < 0 else 'above'} {other}"
    if interval is None or interval.high <= interval.low:
        return f"{abs(difference):.3g} {where}"
    digits = max(0, 1 - floor(log10(interval.high - interval.low)))
    value, low, high = (f"{abs(each):,.{digits}f}" for each in (difference, interval.low, interval.high))
    if interval.low <= 0 <= interval.high:
        return f"{value} {where}, which may be chance ({low} below to {high} above)"
    near, far = (high, low) if difference < 0 else (low, high)
    return f"{value} ({near}\N{EN DASH}{far}) {where}"


def measured(value: float, interval: Interval | None, *, is_share: bool, in_unit: bool = False) -> str:
    """Return the value of a metric with its interval: "85 % (82-88)" of a share, "0.573 (0.512-0.634)" of another number. One
    that is `in_unit` may be of any size, and has as many digits as its interval supports: "28.4 (22.0-34.9)"."""
    if isnan(value):
        return "not defined"
    if in_unit:
        return number(value, interval)
    if interval is None:
        return f"{100 * value:.1f} %" if is_share else f"{value:.3f}"
    if is_share:
        return percent(value, interval)
    return f"{value:.3f} ({interval.low:.3f}\N{EN DASH}{interval.high:.3f})"


def number(value: float, interval: Interval | None) -> str:
    """Return a number in somebody's own unit, "28.4 (22.0-34.9)", with as many digits as its interval supports."""
    if not isfinite(value):
        return "not defined"
    if interval is None or interval.high <= interval.low:
        return f"{value:.3g}"
    digits = max(0, 1 - floor(log10(interval.high - interval.low)))
    low, high = (f"{end:,.{digits}f}" for end in (interval.low, interval.high))
    return f"{value:,.{digits}f} ({low}\N{EN DASH}{high})"


def seconds(value: float) -> str:
    """Return a time as "6 s", "0.4 s", "3 min 20 s" or "2 h 5 min"."""
    if value < 9.95:
        return f"{value:.1f} s"
    whole = round(value)  # first, or there would be 60 of them
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def count(value: int) -> str:
    """Return a number as "20,496" or "3.4 M": whole below a hundred thousand, then in millions."""
    return f"{value:,}" if value < 100_000 else f"{value / 1e6:.2g} M" if value < 10_000_000 else f"{value / 1e6:,.0f} M"


def span(values: Sequence[int]) -> str:
    """Return "100" or "80 to 120": from the smallest to the largest."""
    lowest, highest = min(values), max(values)
    return f"{lowest}" if lowest == highest else f"{lowest} to {highest}"


def size(value: float) -> str:
    """Return bytes as "72 kB", "45 MB" or "1.1 GB" (10^9 bytes): kilobytes below one megabyte, gigabytes from 0.1 GB on."""
    return f"{value / 1e9:.1f} GB" if value >= 1e8 else f"{value / 1e6:.0f} MB" if value >= 1e6 else f"{value / 1e3:.0f} kB"
