"""Networks of images of KerasHub: held against KerasHub itself, trained, and what does not fit."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tools.reloading import said_when_reloaded
from tests.tools.toy import FEW
from tests.tools.variants import UNTAUGHT, variants
from tl_core.backbones import _keras_hub
from tl_core.backbones.keras_hub_image import KerasHubImage
from tl_core.errors import SettingError, WeightsError
from tl_core.features.cache import ActivationCache
from tl_core.recipe import Recipe
from tl_core.spec import RunSpec
from tl_core.strategies import strategies
from tl_core.training.evaluation import outcome_of
from tl_core.training.train import set_up

hub = pytest.importorskip("keras_hub", reason=f"keras-hub is not installed: {_keras_hub.INSTALL}")

SIZE = 32
PIXELS = np.random.default_rng(0).uniform(0, 255, (2, SIZE, SIZE, 3)).astype(np.float32)
TINY = {"num_layers": 2, "num_heads": 2, "hidden_dim": 16, "patch_size": 8}
SCALES: dict[str, Any] = {"scale": [1 / 50, 1 / 60, 1 / 70], "offset": [-1.0, -2.0, 0.5]}


def dinov2() -> tuple[Any, Any]:
    shapes = {"image_shape": (48, 48, 3), "position_embedding_shape": (48, 48, 3), "num_register_tokens": 2}
    return hub.models.DINOV2Backbone(intermediate_dim=32, **shapes, **TINY), hub.layers.DINOV2ImageConverter


def resnet() -> tuple[Any, Any]:
    first = {"input_conv_filters": [64], "input_conv_kernel_sizes": [3], "block_type": "basic_block"}
    stages = {"stackwise_num_filters": [64, 64], "stackwise_num_blocks": [1, 1], "stackwise_num_strides": [1, 2]}
    return hub.models.ResNetBackbone(**first, **stages), hub.layers.ResNetImageConverter


FAMILIES: Mapping[str, Callable[[], tuple[Any, Any]]] = {"dinov2": dinov2, "resnet": resnet}


@pytest.fixture(scope="module")
def presets(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Presets with random weights, which KerasHub has written, by their families."""
    made: dict[str, Path] = {}

    def preset(family: str) -> Path:
        if family not in made:
            import keras

            keras.utils.set_random_seed(3)
            network, converter = FAMILIES[family]()
            made[family] = tmp_path_factory.mktemp(family)
            network.save_to_preset(str(made[family]))
            converter(**SCALES).save_to_preset(str(made[family]))
        return made[family]

    return preset


@pytest.mark.parametrize("family", variants(FAMILIES, {"dinov2"}))
def test_features_are_those_of_kerashub(family: str, presets: Callable[[str], Path]) -> None:
    """Of the class token, or averaged over the places; of pixels that the preset's own converter has scaled."""
    folder = presets(family)
    own = hub.models.Backbone.from_preset(str(folder), image_shape=(SIZE, SIZE, 3))
    scaled = PIXELS * np.array(SCALES["scale"], np.float32) + np.array(SCALES["offset"], np.float32)
    said = np.asarray(own({"images": scaled} if isinstance(own.input, dict) else scaled, training=False))
    network = KerasHubImage(folder=folder).load(SIZE, pretrained=True)
    expected = said[:, 0] if said.ndim == 3 else said.mean(axis=(1, 2))
    np.testing.assert_allclose(np.asarray(network.model(PIXELS, training=False)), expected, atol=1e-5)
    np.testing.assert_array_equal(network.model(PIXELS, training=True), network.model(PIXELS, training=True))
    assert network.provenance.sha256
    assert len(network.blocks) == 3  # each layer of an encoder is one, as is each stage


@pytest.mark.process
def test_a_trained_network_is_loaded_where_kerashub_was_not_imported(presets: Callable[[str], Path], tmp_path: Path) -> None:
    network = KerasHubImage(folder=presets("dinov2")).load(SIZE, pretrained=True)
    said = said_when_reloaded(network.model, PIXELS, tmp_path)
    np.testing.assert_allclose(said, np.asarray(network.model(PIXELS, training=False)), atol=1e-6)


KINDS = [(name, family) for family in FAMILIES for name in UNTAUGHT]


@pytest.mark.parametrize(("name", "family"), variants(KINDS, {("lora", "dinov2")}))
def test_every_strategy_trains_it(name: str, family: str, presets: Callable[[str], Path], tmp_path: Path) -> None:
    strategy = strategies.part(name).example().spec()
    own = {"backbone": "keras_hub_image", "backbone.folder": str(presets(family)), "image_size": SIZE, "strategy": strategy}
    run = set_up(Recipe.of(RunSpec().with_settings({**FEW, **own})), lambda event: None, cache=ActivationCache(tmp_path, 10**8))
    for phase in run.remaining_phases():
        run.train_phase(phase)
    result = outcome_of(run).result
    assert all(phase.frozen_tensors == phase.unchanged_tensors for phase in result.phases)
    assert all(phase.trained for phase in result.phases)
    assert any("lora" in path for phase in result.phases for path in phase.trained) == (name == "lora")


def test_patches_ask_for_a_multiple(presets: Callable[[str], Path]) -> None:
    source = KerasHubImage(folder=presets("dinov2"))
    assert source.fitting_size(None) == source.native_size
    with pytest.raises(SettingError, match=r"multiple of 8 px, its patch\. Set image_size to 56\. Received: image_size=60"):
        source.load(60, pretrained=True)


def test_a_network_that_no_run_could_keep_is_refused(tmp_path: Path) -> None:
    network = hub.models.ViTBackbone(image_shape=(SIZE, SIZE, 3), mlp_dim=32, **TINY)
    network.save_to_preset(str(tmp_path))
    hub.layers.ViTImageConverter(**SCALES).save_to_preset(str(tmp_path))
    with pytest.raises(WeightsError, match=r"so no run could be kept .*ViTPatchingAndEmbedding"):
        KerasHubImage(folder=tmp_path).load(SIZE, pretrained=True)


def test_what_is_no_network_of_images_is_refused(presets: Callable[[str], Path], tmp_path: Path) -> None:
    sizes = {"num_layers": 1, "num_heads": 2, "hidden_dim": 16, "intermediate_dim": 16, "max_sequence_length": 32}
    hub.models.BertBackbone(vocabulary_size=20, **sizes).save_to_preset(str(tmp_path))
    with pytest.raises(WeightsError, match=r"has no image_converter\.json"):
        KerasHubImage(folder=tmp_path).load(SIZE, pretrained=True)
    hub.layers.ViTImageConverter(**SCALES).save_to_preset(str(tmp_path))
    with pytest.raises(WeightsError, match="holds no network of images alone"):
        KerasHubImage(folder=tmp_path).load(SIZE, pretrained=True)
    with pytest.raises(WeightsError, match="The preset dinov2_small is not on this machine"):
        KerasHubImage().require_weights()
