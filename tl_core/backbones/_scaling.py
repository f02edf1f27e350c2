"""What networks of Keras expect in place of pixels within 0..255."""

from enum import StrEnum
from typing import Any, Literal, get_args

from tl_core.backbones._imagenet import DEVIATIONS, FACTORS, MEANS, OFFSETS
from tl_core.networks.onnx_graph import Affine

CAFFE = (-103.939, -116.779, -123.68)
"""What is added to blue, green and red: the mean colour of ImageNet, taken off."""


class Scaling(StrEnum):
    """What a network expects in place of pixels within 0..255."""

    INSIDE = "0 to 255"
    """The pixels: it scales them itself."""
    SHARES = "0 to 1"
    """Shares of white."""
    SIGNED = "-1 to 1"
    """Numbers within -1..1."""
    STANDARDISED = "standardised"
    """Shares of white, less the mean of ImageNet and divided by its deviation, by channel."""
    BLUE_FIRST = "blue first"
    """Blue, green, red, less the mean of ImageNet."""
    SPREAD = "spread"
    """Pixels that were spread, so that what it does itself makes of them what its weights learned with."""

    def of(self, pixels: Any) -> Any:
        """Return what the network expects in place of `pixels` (0..255): numerically `keras.applications`' own, in layers that
        can be saved."""
        import keras

        match self:
            case Scaling.INSIDE:
                return pixels
            case Scaling.SHARES:
                return keras.layers.Rescaling(1 / 255, name="scale")(pixels)
            case Scaling.SIGNED:
                return keras.layers.Rescaling(1 / 127.5, offset=-1, name="scale")(pixels)
            case Scaling.STANDARDISED:
                return keras.layers.Rescaling(list(FACTORS), offset=list(OFFSETS), name="standardise")(pixels)
            case Scaling.BLUE_FIRST:
                # Caffe's convention.
                blue_first = keras.ops.flip(pixels, axis=-1)
                return keras.layers.Rescaling(1, offset=list(CAFFE), name="centre")(blue_first)
            case Scaling.SPREAD:
                # EfficientNet holds its normalisation itself: v = (x / 255 - mean) / sqrt(std). Its published weights also need
                # v / sqrt(std), a layer that Keras adds only where it fetches the weights itself. The same, moved before it:
                roots = [deviation**0.5 for deviation in DEVIATIONS]
                offset = [255 * mean * (1 - 1 / root) for mean, root in zip(MEANS, roots, strict=True)]
                return keras.layers.Rescaling([1 / root for root in roots], offset=offset, name="spread")(pixels)

    def affine(self) -> Affine:
        """Return the same in numbers, for what no layer of Keras stands in front of. Raises `ValueError` for what a network does
        itself after that."""
        match self:
            case Scaling.INSIDE:
                return Affine()
            case Scaling.SHARES:
                return Affine((1 / 255,) * 3)
            case Scaling.SIGNED:
                return Affine((1 / 127.5,) * 3, (-1.0,) * 3)
            case Scaling.STANDARDISED:
                return Affine(FACTORS, OFFSETS)
            case Scaling.BLUE_FIRST:
                return Affine(offsets=CAFFE, blue_first=True)
        raise ValueError(f"{self} is of networks in Keras alone")


Told = Literal[Scaling.INSIDE, Scaling.SHARES, Scaling.SIGNED, Scaling.STANDARDISED, Scaling.BLUE_FIRST]
"""What a user can tell of a network that he brings."""
TOLD: tuple[Scaling, ...] = get_args(Told)
ABOUT_PIXELS = (
    "What the model expects of a pixel: 0 to 255, where it scales them itself; numbers within 0 to 1 or -1 to 1; "
    "standardised by ImageNet's mean and deviation; or blue first, as ResNet50 and VGG do."
)
