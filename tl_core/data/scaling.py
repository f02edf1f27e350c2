"""Pixels of arrays, of any type and scale, as bytes."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tl_core.data.decoding import on_white
from tl_core.errors import DataError, printable
from tl_core.notes import Note, NoteKind

NUMBERS = "biuf"
"""NumPy's kinds of types that pixels may have."""
UNIT = 1.001
"""The highest value of pixels in 0 to 1, rounding errors included."""
CONVERTED = 1024
"""Images that are converted at a time: as numbers they take four times the memory."""


class _Range(NamedTuple):
    """The lowest and the highest value of an array, and whether its type has fractions."""

    low: float
    high: float
    fractions: bool


def as_bytes(arrays: Mapping[str, NDArray[Any]]) -> tuple[dict[str, NDArray[np.uint8]], list[Note]]:
    """Return the images of each array, by its name, as bytes of shape (n, h, w) or (n, h, w, 3), and notes on what was changed.

    The arrays have the shape (n, h, w) or (n, h, w, channels), with 1, 3 or 4 channels, the fourth of which is alpha; their
    values are in 0 to 1 or in 0 to 255. Which, is decided for all arrays together, whole numbers and fractions apart: an image
    alone may be black. Raises `DataError` for anything else.
    """
    shaped = {name: _shaped(values, name) for name, values in arrays.items()}
    ranges = {name: _range(values, name) for name, values in shaped.items() if values.size}
    images, notes = dict[str, NDArray[np.uint8]](), list[Note]()
    for name, values in shaped.items():
        scale = _scale(name, ranges) if values.size else 1
        if values.size and (scale > 1 or values.dtype != np.uint8):
            low, high, _ = ranges[name]
            notes.append(Note(NoteKind.PIXELS_SCALED, (low, high), about=(printable(name), str(values.dtype))))
        images[name] = _scaled(values, scale)
        if values.ndim == 4 and values.shape[3] == 4:
            images[name], note = _opaque(images[name], name)
            notes += note
    return images, notes


def _shaped(values: NDArray[Any], name: str) -> NDArray[Any]:
    """Return the array with no axis for a single channel. Raises `DataError` for the shape or the type of what are no images."""
    grey, channels = values.ndim == 3, values.shape[3] if values.ndim == 4 else 0
    if not (grey or channels in {1, 3, 4}) or 0 in values.shape[1:]:
        what = f"The array {printable(name)} holds no images: they are (n, height, width) or (n, height, width, 3)."
        raise DataError(what, "Put the channels last.", received=f"shape {values.shape}")
    if values.dtype.kind not in NUMBERS:
        what = f"The pixels in {printable(name)} are no numbers."
        raise DataError(what, "Give bytes, or numbers in 0 to 1 or 0 to 255.", received=printable(str(values.dtype)))
    return values[..., 0] if channels == 1 else values


def _range(values: NDArray[Any], name: str) -> _Range:
    """Return the range of the values. Raises `DataError` where it is not that of pixels."""
    low, high = float(values.min()), float(values.max())
    if not 0 <= low <= high <= 255:
        what = f"The pixels in {printable(name)} are neither bytes nor numbers in 0 to 1 or 0 to 255."
        raise DataError(what, "Scale them.", received=f"{values.dtype} from {low:g} to {high:g}")
    return _Range(low, high, values.dtype.kind == "f")


def _scale(name: str, ranges: Mapping[str, _Range]) -> int:
    """Return by what the values of an array are multiplied. Raises `DataError` where it is on another scale than its like."""
    own = ranges[name]
    widest = max((each for each in ranges if ranges[each].fractions == own.fractions), key=lambda each: ranges[each].high)
    top = ranges[widest].high
    if 0 < own.high <= UNIT < top:
        what = f"The pixels in {printable(name)} reach {own.high:g} and those in {printable(widest)} {top:g}."
        raise DataError(what, "Bring them to one scale.", received=f"{printable(name)} from {own.low:g} to {own.high:g}")
    return 255 if 0 < top <= UNIT else 1


def _scaled(values: NDArray[Any], scale: int) -> NDArray[np.uint8]:
    """Return the values, multiplied by `scale`, as bytes."""
    if scale == 1 and values.dtype == np.uint8:
        return values
    images = np.empty(values.shape, np.uint8)
    for begin in range(0, len(values), CONVERTED):
        part = values[begin : begin + CONVERTED].astype(np.float32)
        images[begin : begin + CONVERTED] = np.clip(np.rint(part * scale), 0, 255)
    return images


def _opaque(images: NDArray[np.uint8], name: str) -> tuple[NDArray[np.uint8], list[Note]]:
    """Return images (n, h, w, 4) with alpha laid on white, and a note where any is transparent. An alpha of 0 everywhere is a
    channel that nobody filled."""
    alpha = images[..., 3]
    if not alpha.any() or alpha.min() == 255:
        return images[..., :3], []
    laid = np.stack([np.asarray(on_white(Image.fromarray(image))) for image in images])
    return laid, [Note(NoteKind.ARRAY_TRANSPARENT, about=(printable(name),))]
