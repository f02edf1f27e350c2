"""What makes of examples what a network takes."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Preprocessor(ABC):
    """Makes of each example one array of the same `shape` and `dtype`: uint8 for pixels, int32 for the indices of tokens."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    packages: tuple[str, ...] = ()
    """What `script` needs beside NumPy, as pip calls it."""

    @property
    @abstractmethod
    def key(self) -> tuple[object, ...]:
        """Return all that decides what an example becomes, beside its content, in JSON's values."""

    @abstractmethod
    def encode(self, examples: Any, indices: NDArray[np.intp]) -> NDArray[Any]:
        """Return the `examples` at `indices` as the network takes them, (n, *shape). Raises `DataError` for one that cannot be
        read."""

    @property
    def script(self) -> str:
        """Return lines of Python that make `inputs` (1, *shape) of what is given to a script: these read an array, since nothing
        else is known to do without this package. `HERE` is a folder that has `files`."""
        return "inputs = np.load(sys.argv[1], allow_pickle=False)[None]  # as the network takes it, an array of one example"

    def files(self) -> Mapping[str, bytes]:
        """Return the files that `script` reads, by their names."""
        return {}

    @property
    def row_bytes(self) -> int:
        """Return the bytes that one example takes."""
        return prod(self.shape) * self.dtype.itemsize

    def truncated(self, examples: Any) -> int:
        """Return of how many of the `examples` the end is cut off, so that the network never sees it."""
        return 0
