"""Networks whose weights come with a package: what their tests share."""

from importlib.resources import files

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tl_core.backbones import Backbone
from tl_core.networks.outline import Network


def photograph(name: str, side: int) -> NDArray[np.float32]:
    """The middle of one of scikit-learn's photographs, as (side, side, 3) pixels in 0..255."""
    with Image.open(str(files("sklearn") / "datasets" / "images" / name)) as image:
        width, height = image.size
        square = min(width, height)
        left, top = (width - square) // 2, (height - square) // 2
        middle = image.convert("RGB").crop((left, top, left + square, top + square))
        return np.asarray(middle.resize((side, side), Image.Resampling.BICUBIC), np.float32)


def loaded(backbone: Backbone) -> Network:
    """The network at its own size; the test is skipped where its package is not installed."""
    if not backbone.listing().here:
        pytest.skip(f"{backbone.title} is not installed: {backbone.listing().weights}")
    return backbone.load(backbone.native_size, pretrained=True)
