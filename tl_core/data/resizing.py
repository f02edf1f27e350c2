"""Images cropped to a square and resized, decoded in parallel."""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tl_core.data.images import Images, Pixels
from tl_core.data.preprocessor import Preprocessor

OVERSAMPLING = 2
"""A large photograph may be decoded at so many times the size to which it is then brought, at least."""
FITTING = f"decoded at {OVERSAMPLING} times the size, on white, the middle square, bicubic"
"""What becomes of a photograph, in the keys of what is kept."""
CORES = os.cpu_count() or 1


def center_crop_resize(picture: Image.Image, size: int) -> Pixels:
    """Return the middle square of `picture`, resized to (size, size, 3) with bicubic interpolation."""
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    square = picture.crop((left, top, left + side, top + side))
    return np.asarray(square.resize((size, size), Image.Resampling.BICUBIC))


class SquarePixels(Preprocessor):
    """Images as pixels (size, size, 3) uint8, several decoded at a time."""

    dtype: np.dtype[Any] = np.dtype(np.uint8)
    packages: tuple[str, ...] = ("pillow",)

    def __init__(self, size: int) -> None:
        self.size = size
        self.shape = size, size, 3

    @property
    def key(self) -> tuple[object, ...]:
        return FITTING, self.size

    @property
    def script(self) -> str:
        """Return lines that do what `center_crop_resize` does with the picture in a file."""
        return f"""\
from PIL import Image

picture = Image.open(sys.argv[1]).convert("RGB")
side = min(picture.size)
left, top = (picture.width - side) // 2, (picture.height - side) // 2
square = picture.crop((left, top, left + side, top + side))
inputs = np.asarray(square.resize({(self.size, self.size)}, Image.Resampling.BICUBIC), np.float32)[None]"""

    def encode(self, examples: Images, indices: NDArray[np.intp]) -> Pixels:
        pixels = np.empty((len(indices), *self.shape), np.uint8)

        def decode(places: NDArray[np.intp]) -> None:
            for place in places:
                pixels[place] = center_crop_resize(examples.picture(indices[place], OVERSAMPLING * self.size), self.size)

        # A task of several images: to hand over each by itself costs a tenth of decoding a small one.
        list(_pool().map(decode, np.array_split(np.arange(len(indices)), CORES)))
        return pixels


@cache
def _pool() -> ThreadPoolExecutor:
    """Return the threads that decode, one for each core, for all splits of the process."""
    return ThreadPoolExecutor(CORES, thread_name_prefix="decode")
