"""Linear algebra on one thread."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def one_thread(solve: Callable[P, R]) -> Callable[P, R]:
    """Make `solve` do its linear algebra on one thread.

    A fit is hundreds of products with a thin matrix, too short to share: on two busy cores OpenBLAS took ten times longer with
    two threads, for 20 images as for 5,000. And so the bits do not depend on the number of cores.
    """

    @wraps(solve)
    def alone(*args: P.args, **kwargs: P.kwargs) -> R:
        with single_thread():
            return solve(*args, **kwargs)

    return alone


@contextmanager
def single_thread() -> Iterator[None]:
    """Do linear algebra on one thread in the `with` block, in all threads of the process."""
    import scipy.linalg  # noqa: F401  # brings a BLAS of its own, which is limited only once it is there
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"):
        yield
