"""Where the model of a run sees what it says of pictures, and whether that is what matters to it."""

from typing import Any, NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tl_core.analysis.heat_check import Areas, areas
from tl_core.data.images import Images, Pixels
from tl_core.data.label_kinds import NUMBERS
from tl_core.data.resizing import center_crop_resize
from tl_core.features.inputs import as_taken
from tl_core.networks.grad_cam import GradCam
from tl_core.recipe import Recipe
from tl_core.runs.evaluations import Testable

SIDE = 224
"""Pixels of the side of a picture that is shown."""


class HeatMaps(NamedTuple):
    """How pictures look, `pixels` (n, SIDE, SIDE, 3), and where the model sees its first output, `heat` (n, SIDE, SIDE), both
    uint8. `size` is the rows and columns of a map; where the network has none it is None, and there is no heat (0, SIDE, SIDE).
    There are no `areas` of a number, which is no probability."""

    pixels: Pixels
    heat: NDArray[np.uint8]
    size: tuple[int, int] | None
    areas: tuple[Areas, ...]


def heat_maps(model: Any, images: Images, outputs: NDArray[np.float32], asked: Testable) -> HeatMaps:
    """Return the heat maps of `images`, of which the saved `model` of a run has said its `outputs` (n, outputs)."""
    every = range(len(images))
    pixels = np.stack([center_crop_resize(images.picture(index, 2 * SIDE), SIDE) for index in every])
    maps, recipe = GradCam.of(model), Recipe.of(asked.run.spec)
    if maps is None:
        return HeatMaps(pixels, np.zeros((0, SIDE, SIDE), np.uint8), None, ())
    inputs, first = recipe.preprocessor().encode(images, np.array(every)), outputs.argmax(axis=1)
    heat = maps.heat(as_taken(inputs), first)
    drawn = np.stack([np.rint(255 * _resized(each, SIDE)).astype(np.uint8) for each in heat])
    if recipe.task.label_kind == NUMBERS:
        return HeatMaps(pixels, drawn, maps.size, ())

    def checked(index: int) -> Areas:
        def says(made: NDArray[np.float32]) -> NDArray[np.float64]:
            said = keras.ops.convert_to_numpy(model(made, training=False))
            return np.asarray(recipe.task.of_saved(said)[:, first[index]], np.float64)

        return areas(says, inputs[index], _resized(heat[index], len(inputs[index])))

    return HeatMaps(pixels, drawn, maps.size, tuple(map(checked, every)))


def _resized(heat: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    return np.asarray(Image.fromarray(heat).resize((side, side), Image.Resampling.BILINEAR))
