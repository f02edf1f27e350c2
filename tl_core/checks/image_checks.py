"""What is to be known of one image: what its file is, what is repaired when it is read, and how it looks from afar."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tl_core.data.decoding import UndecodableError, decoded, is_transparent, open_image, orientation
from tl_core.data.images import Pixels
from tl_core.datasets import Images

SIDE = 32
"""Pixels to which an image is reduced, and 8 x 8 cosines of those make its hash."""
MIN_SIDE = 2 * SIDE


class Repair(StrEnum):
    """What is done to an image when it is read, in the words in which it is told and stored."""

    TURNED = "turned, as its EXIF data say"
    CMYK = "CMYK, brought to RGB"
    DEEP = "16 bits, brought to 8"
    PALETTE = "palette, brought to RGB"
    CLEAR = "transparent, laid on white"
    GREY = "grey"
    MOVING = "animated, of which the first picture is used"


@dataclass(frozen=True)
class Seen:
    """What one image is: its `width` and `height` as they are in the file, its `format` ("" in memory), what is `repaired`, and
    its look: RGB (32, 32, 3) uint8. `broken` is why it cannot be read, and then there is no look."""

    width: int = 0
    height: int = 0
    format: str = ""
    repaired: tuple[Repair, ...] = ()
    look: Pixels | None = None
    broken: str = ""


def see(images: Images, index: int) -> Seen:
    """Look at image number `index`; it is decoded once, at a fraction of its size where its format allows that."""
    try:
        source = images.source(index)
        if source is None:
            picture = images.picture(index, MIN_SIDE)
            return Seen(*picture.size, look=_reduced(picture))
        with open_image(source) as image:
            width, height, repaired = *image.size, _repairs(image)  # before it is turned, and decoded at a fraction of its size
            return Seen(width, height, image.format or "", repaired, _reduced(decoded(image, MIN_SIDE)))
    except UndecodableError as error:
        return Seen(broken=error.reason)


def _repairs(image: Image.Image) -> tuple[Repair, ...]:
    """Return what `decoded` will repair in the image without a word."""
    found = {
        Repair.TURNED: orientation(image) > 1,
        Repair.CMYK: image.mode in {"CMYK", "YCCK"},
        Repair.DEEP: image.mode.startswith("I;16"),
        Repair.PALETTE: image.mode in {"P", "PA"},
        Repair.CLEAR: is_transparent(image),
        Repair.GREY: image.mode in {"1", "L", "LA", "La"},
        Repair.MOVING: getattr(image, "is_animated", False),
    }
    return tuple(repair for repair, is_so in found.items() if is_so)


def _reduced(picture: Image.Image) -> Pixels:
    return np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BOX))


def hashes(looks: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return perceptual hashes (n,) of looks (n, 32, 32, 3): a bit for each of the 64 lowest cosines of the grey picture, set
    where it is above their median (Zauner 2010, Implementation and benchmarking of perceptual image hash functions, pHash)."""
    from scipy.fft import dctn  # a fifth of a second to import

    low = dctn(grey(looks), axes=(1, 2))[:, :8, :8].reshape(len(looks), 64)
    bits = low > np.median(low[:, 1:], axis=1, keepdims=True)  # the first is the mean, which outweighs all others
    bits[:, 0] = False
    return np.packbits(bits, axis=1).view(">u8").astype(np.uint64).ravel()


def grey(looks: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return looks (n, h, w, 3) as brightness (n, h, w), 0..255 (ITU-R BT.601)."""
    return looks.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
