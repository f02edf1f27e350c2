"""Grad-CAM: against what it is in closed form, on networks without a map, and on a real photograph."""

import keras
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from skimage.data import chelsea, coffee

from tl_core.analysis.heat_check import areas
from tl_core.backbones import backbones
from tl_core.backbones._keras_catalogue import NETWORKS
from tl_core.backbones.efficientnet_lite0 import EfficientNetLite0
from tl_core.backbones.keras_applications import KerasApplications
from tl_core.data.examples import Modality
from tl_core.data.resizing import center_crop_resize
from tl_core.networks.classifier import Classifier
from tl_core.networks.grad_cam import GradCam, last_map
from tl_core.networks.gradients import by_inputs

RNG = np.random.default_rng(0)
PIXELS = RNG.uniform(0, 255, (3, 8, 8, 3)).astype(np.float32)

SIZE, CATS = 224, range(281, 286)
"""Pixels of a side; and ImageNet's domestic cats."""


def network(pooling: keras.layers.Layer, *, convolves: bool = True, normalise: bool = False) -> keras.Model:
    """A classifier of four classes, with pixels scaled in front."""
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Rescaling(1 / 255)(inputs)
    x = keras.layers.Conv2D(6, 3, activation="relu")(x) if convolves else x
    x = pooling(x)
    features = x if convolves else keras.layers.Dense(6)(x)
    return Classifier.on(inputs, features, 4, normalise=normalise).model


def test_of_pooled_features_it_is_the_class_activation_map() -> None:
    """Zhou et al. 2016: the maps weighted with the head's own weights of the class, as the paper of Grad-CAM shows."""
    model = network(keras.layers.GlobalAveragePooling2D())
    maps = keras.ops.convert_to_numpy(keras.Model(model.input, last_map(model))(PIXELS))
    outputs = np.array([2, 0, 3])
    found = GradCam.of(model)
    assert found
    assert found.size == maps.shape[1:3] == (6, 6)
    kernel = keras.ops.convert_to_numpy(model.get_layer("head").kernel)
    expected = np.maximum(np.einsum("nrck,kn->nrc", maps, kernel[:, outputs]), 0)
    heat = found.heat(PIXELS, outputs)
    np.testing.assert_allclose(heat, expected / np.maximum(expected.max(axis=(1, 2), keepdims=True), 1e-30), atol=1e-5)


def test_a_head_that_normalises_is_followed_back_too() -> None:
    found = GradCam.of(network(keras.layers.GlobalAveragePooling2D(), normalise=True))
    assert found
    assert found.heat(PIXELS, np.array([0, 1, 2])).max(axis=(1, 2)) == pytest.approx(1)


def test_gradients_are_those_of_differences() -> None:
    given = keras.Input((5,))
    model = keras.Model(given, keras.layers.Dense(2)(keras.layers.Dense(4, "tanh")(given)))
    inputs, weights = RNG.normal(size=(2, 5)).astype(np.float32), RNG.normal(size=(2, 2)).astype(np.float32)

    def value(given: NDArray[np.float32]) -> float:
        return float((keras.ops.convert_to_numpy(model(given)) * weights).sum())

    steps = 1e-2 * np.eye(10, dtype=np.float32).reshape(10, 2, 5)
    expected = [(value(inputs + step) - value(inputs - step)) / 2e-2 for step in steps]
    np.testing.assert_allclose(by_inputs(model, inputs, weights).ravel(), expected, rtol=1e-2, atol=1e-2)


def test_a_network_without_places_has_no_map() -> None:
    assert GradCam.of(network(keras.layers.Flatten(), convolves=False)) is None


@pytest.mark.full
@pytest.mark.parametrize("side", [0, 1], ids=["cat on the left", "cat on the right"])
def test_it_points_at_the_cat_beside_a_cup_of_coffee(side: int) -> None:
    """By where the heat lies, and by deletion and insertion; a pretrained network takes both photographs together for a cat."""
    loaded = EfficientNetLite0().load(SIZE, pretrained=True)
    assert loaded.classifier
    kernel, bias = loaded.classifier
    picture = np.full((SIZE, SIZE, 3), 128, np.uint8)
    for half, photograph in enumerate([chelsea(), coffee()] if side == 0 else [coffee(), chelsea()]):
        small = center_crop_resize(Image.fromarray(photograph), SIZE // 2)
        picture[SIZE // 4 : 3 * SIZE // 4, half * SIZE // 2 : (half + 1) * SIZE // 2] = small

    def probabilities(pictures: NDArray[np.float32]) -> NDArray[np.float64]:
        return np.asarray(keras.ops.softmax(keras.ops.matmul(loaded.model(pictures, training=False), kernel) + bias), np.float64)

    cat = probabilities(picture[None].astype(np.float32)).argmax(axis=1)
    assert cat[0] in CATS
    tensor = last_map(loaded.model)
    maps = GradCam(keras.Model(loaded.model.input, tensor), keras.Model(tensor, loaded.model.output), np.asarray(kernel))
    (heat,) = maps.heat(picture[None].astype(np.float32), cat)
    heat = np.asarray(Image.fromarray(heat).resize((SIZE, SIZE), Image.Resampling.BILINEAR))
    assert np.split(heat, 2, axis=1)[side].sum() > 0.7 * heat.sum()
    found = areas(lambda pictures: probabilities(pictures)[:, cat[0]], picture, heat)
    assert found.insertion > 5 * found.deletion


SMALLEST = {entry.family: name for name, entry in sorted(NETWORKS.items(), key=lambda network: -network[1].parameters)}
"""Of each family of Keras Applications the network with the fewest parameters: the others are more of the same layers."""
OF_IMAGES = (part for part in backbones.parts().values() if part.accepts is Modality.IMAGES and part is not KerasApplications)
SHELF: list[tuple[str, dict[str, str]]] = [(part.name, {}) for part in OF_IMAGES]
SHELF += [(KerasApplications.name, {"family": name}) for name in SMALLEST.values()]
WITHOUT_A_MAP = {"article_mlp", "onnx_file", "keras_hub_image"}
"""The first has no places, and of the second the layers are not known; of KerasHub the example is DINOv2, which knows places as
tokens in a row."""


@pytest.mark.full
@pytest.mark.parametrize(("name", "settings"), SHELF, ids=[settings.get("family", name) for name, settings in SHELF])
def test_every_network_of_the_shelf_has_a_map_or_says_that_it_has_none(name: str, settings: dict[str, str]) -> None:
    keras.utils.set_random_seed(1)
    backbone = backbones.part(name).model_validate(settings) if settings else backbones.part(name).example()
    model = backbone.load(max(64, backbone.sizes()[0]), pretrained=backbone.features_only).model
    maps = GradCam.of(Classifier.on(model.input, model.output, 3).model)
    assert (maps is None) == (name in WITHOUT_A_MAP)
    if maps is None:
        return
    heat = maps.heat(RNG.uniform(0, 255, (2, *model.input.shape[1:])).astype(np.float32), np.array([0, 2]))
    assert heat.shape == (2, *maps.size)
    assert min(maps.size) > 1
    assert np.isfinite(heat).all()
    assert 0 <= heat.min() <= heat.max() <= 1
