"""What a model is trained on and evaluated with: inputs that can be taken by their indices, and their labels."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from tl_core.data.images import Labels
from tl_core.features.cache import CachedRows


class Inputs(Protocol):
    """Inputs of a model that can be taken by their indices: pixels, or what a frozen network made of them."""

    @property
    def labels(self) -> Labels:
        """Return the class index of each input (n,)."""
        ...

    def __len__(self) -> int: ...

    def batch(self, indices: NDArray[np.intp]) -> NDArray[Any]:
        """Return the inputs at `indices`, first axis in that order."""
        ...


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
