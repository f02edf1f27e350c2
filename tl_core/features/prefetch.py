"""Many things, several at a time, the next ones made ready while the present ones are used."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")


def in_batches(order: NDArray[np.intp], size: int) -> list[NDArray[np.intp]]:
    """Return `order`, cut into pieces of `size`; the last one may be shorter. Nothing gives no piece."""
    return [order[begin : begin + size] for begin in range(0, len(order), size)]


def prefetch(items: Iterable[T], count: int = 1) -> Iterator[T]:
    """Yield the same items, of which the next `count` are made, one after the other, while the present one is used."""
    source, end = iter(items), object()
    pool = ThreadPoolExecutor(1, thread_name_prefix="prefetch")
    try:
        pending = deque(pool.submit(next, source, end) for _ in range(count))
        while (item := pending.popleft().result()) is not end:
            pending.append(pool.submit(next, source, end))
            yield item  # type: ignore[misc]  # mypy cannot tell the sentinel from T
    finally:
        pool.shutdown(cancel_futures=True)
