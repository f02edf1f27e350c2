"""What computes a head from features, instead of training it in epochs: a value that carries its own code."""

from dataclasses import dataclass
from typing import ClassVar, Protocol

from numpy.typing import ArrayLike

from tl_core.heads.head import Head
from tl_core.heads.space import Labelled


@dataclass(frozen=True, eq=False)
class Problem:
    """What a head is computed for.

    Args:
        train: The images that it is fitted to: features (images, features) and labels (images,) within 0..classes-1, or the
            numbers that are to be predicted (images, outputs).
        classes: How many classes, or outputs, there are.
        normalise: Whether the head centres the features and brings them to length 1 first.
        validation: Such a pair, for a solver that chooses a setting by it.
        class_weights: What the loss of each class is multiplied by, (classes,), for a solver that sums up a loss.
    """

    train: Labelled
    classes: int
    normalise: bool = True
    validation: Labelled | None = None
    class_weights: ArrayLike | None = None


class Solver(Protocol):
    """A way to compute a head. A frozen dataclass beside the function that it calls; its fields are the settings.

    `title` says what it does, in pages and in plans.
    """

    title: ClassVar[str]

    def solve(self, given: Problem) -> Head:
        """Return the head, which normalises features if, and only if, `given.normalise`: so does the network that it goes into.

        Raises `DataError` without images or with features that are not finite, and `SettingError` for settings or weights that
        do not fit.
        """

    def multiply_adds(self, images: int, features: int, classes: int) -> float:
        """Return about how many multiply-adds `solve` takes for so many training images. Linear algebra is on one thread."""
