"""Telling how far the digests of many files have come: all of them are read once, which may take minutes."""

from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

Report = Callable[[int, int], None]
"""Is told how many files have been read, and how many there are; it may raise to give up."""
T = TypeVar("T", bound=Sized)

_report: ContextVar[Report | None] = ContextVar("digesting", default=None)


@contextmanager
def reporting(report: Report) -> Iterator[None]:
    """Make all digests of files in this thread call `report` while the `with` block runs."""
    before = _report.set(report)
    try:
        yield
    finally:
        _report.reset(before)


def counted(parts: Iterable[T], total: int) -> Iterator[T]:
    """Yield the same `parts` of `total` files, and report how many have come. Raises whatever the report raises."""
    report, done = _report.get(), 0
    for part in parts:
        done += len(part)
        if report is not None:
            report(done, total)
        yield part
