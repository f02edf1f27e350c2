"""What a model is trained on and evaluated with: inputs that can be taken by their indices, and their labels."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from tl_core.data.examples import Examples, Labels
from tl_core.data.preprocessor import Preprocessor
from tl_core.features.cache import CachedRows


def as_taken(values: NDArray[Any]) -> NDArray[Any]:
    """Return inputs as a model takes them: pixels and features as float32, indices of tokens as they are."""
    return values if values.dtype == np.int32 else values.astype(np.float32, copy=False)


class Inputs(Protocol):
    """Inputs of a model that can be taken by their indices: pixels, tokens, or what a frozen network made of them."""

    @property
    def labels(self) -> Labels:
        """Return the class index of each input (n,)."""
        ...

    def __len__(self) -> int: ...

    def batch(self, indices: NDArray[np.intp]) -> NDArray[Any]:
        """Return the inputs at `indices`, first axis in that order."""
        ...


@dataclass(frozen=True, eq=False)
class EncodedInputs:
    """A split as a network takes it, made by its `preprocessor` whenever it is asked for."""

    examples: Examples
    preprocessor: Preprocessor

    @property
    def labels(self) -> Labels:
        """Return the class index of each example (n,)."""
        return self.examples.labels

    def __len__(self) -> int:
        return len(self.examples)

    def batch(self, indices: NDArray[np.intp]) -> NDArray[Any]:
        """Return the examples at `indices`, in that order. Raises `DataError` for one that cannot be read."""
        return self.preprocessor.encode(self.examples, indices)


@dataclass(frozen=True)
class Features:
    """Features (n, size) float32 in memory, and the labels (n,)."""

    values: NDArray[np.float32]
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, indices: NDArray[np.intp]) -> NDArray[np.float32]:
        """Return the features at `indices`."""
        return self.values[indices]


@dataclass(frozen=True)
class CachedInputs:
    """Rows of the cache, and the labels (n,) of their images."""

    rows: CachedRows
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, indices: NDArray[np.intp]) -> NDArray[Any]:
        """Return the rows at `indices`."""
        return self.rows.read(indices)

    @property
    def values(self) -> NDArray[Any]:
        """Return all of them (n, ...), in memory."""
        return self.rows.read(np.arange(len(self)))

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        """Return the same for NumPy, read when it is asked for: who is given the source, and not its values, may change what he
        reads, and nobody holds a second copy."""
        if copy is False:
            raise ValueError("rows of the cache are always read anew")
        return self.values.astype(dtype or self.rows.dtype, copy=False)


@dataclass(frozen=True)
class Views:
    """Several views of the same images, one after the other: an input's index is the image's plus n times the view's number."""

    views: tuple[Inputs, ...]
    labels: Labels
    """Those of all views (views * n,)."""

    def __len__(self) -> int:
        return len(self.views[0])

    def batch(self, indices: NDArray[np.intp]) -> NDArray[Any]:
        """Return the inputs at `indices`, which are of one view."""
        view, images = np.divmod(indices, len(self))
        return self.views[view[0]].batch(images)
