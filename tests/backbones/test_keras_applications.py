"""The networks of Keras Applications: their graphs, and where their weights come from."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tools.variants import variants
from tl_core.backbones._keras_catalogue import NETWORKS
from tl_core.backbones.keras_applications import SERVER, KerasApplications, cached_file
from tl_core.errors import SettingError, WeightsError
from tl_core.features import engines
from tl_core.networks.outline import Network

SMALLEST = "MobileNetV2"
FEW = {SMALLEST}
OLDEST = ("MobileNetV2", "EfficientNetB0", "ResNet50")
"""In many shapes and files; all others once."""
BLOCKS = [(SMALLEST, 19), ("EfficientNetB0", 18), ("ResNet50", 17)]


def part(family: str = SMALLEST, **settings: Any) -> KerasApplications:
    return KerasApplications.model_validate({"family": family} | settings)


def pixels(size: int = 64) -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 255, (2, size, size, 3)).astype(np.float32)


def outputs(model: Any, images: np.ndarray) -> np.ndarray:
    return np.asarray(model(images, training=False))


@cache
def random_network(family: str) -> Network:
    return part(family).load(64, pretrained=False)


def write_legacy(model: Any, file: Path) -> None:
    """The format of the published files, which Keras still reads and writes but no longer offers for weights alone."""
    import h5py
    from keras.src.legacy.saving import legacy_h5_format

    file.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(file, "w") as group:
        legacy_h5_format.save_weights_to_hdf5_group(group, model)


@pytest.fixture(autouse=True)
def keras_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return tmp_path / "keras"


@pytest.mark.parametrize("family", variants(OLDEST, FEW))
def test_builds_flat_with_random_weights(family: str) -> None:
    import keras

    for network in (random_network(family), part(family).load(96, pretrained=False)):
        outline = network.outline()
        assert not any(isinstance(layer, keras.Model) for layer in network.model.layers)
        assert outline.parameters == NETWORKS[family].parameters
        assert network.model.output.shape == (None, outline.feature_size)


@pytest.mark.parametrize(("family", "count"), variants(BLOCKS, BLOCKS[:1]))
def test_blocks_are_those_of_the_papers(family: str, count: int) -> None:
    names = [block.name for block in random_network(family).blocks]
    assert names[0] == "stem"
    assert (names[-1] == "top") is (family != "ResNet50")
    assert len(names) == count


@pytest.mark.parametrize(
    ("family", "module", "layer"),
    [("MobileNetV2", "mobilenet_v2", "scale"), ("ResNet50", "resnet", "centre"), ("DenseNet121", "densenet", "standardise")],
)
def test_preprocesses_as_keras_does(family: str, module: str, layer: str) -> None:
    import keras

    model = random_network(family).model
    before = keras.Model(model.input, model.get_layer(layer).output)
    expected = getattr(keras.applications, module).preprocess_input(pixels())
    np.testing.assert_allclose(outputs(before, pixels()), expected, rtol=1e-5, atol=1e-4)


def test_efficientnet_is_normalised_as_its_weights_need() -> None:
    """Keras itself adds the second division by the root of the deviation only where it fetches the weights."""
    import keras

    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    model = part("EfficientNetB0").load(64, pretrained=False).model
    layer = model.get_layer("normalization")
    layer.set_weights([mean, std, np.array(0)])
    layer.finalize_state()
    before = keras.Model(model.input, layer.output)
    np.testing.assert_allclose(outputs(before, pixels()), (pixels() / 255 - mean) / std, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("family", variants(OLDEST, FEW))
def test_reads_keras_own_cache(family: str, keras_home: Path) -> None:
    saved = random_network(family)
    file = cached_file(NETWORKS[family])
    write_legacy(saved.model, file)
    assert file == keras_home / "models" / NETWORKS[family].file
    assert part(family).listing().here
    part(family).require_weights()
    again = part(family).load(64, pretrained=True)
    np.testing.assert_array_equal(outputs(again.model, pixels()), outputs(saved.model, pixels()))
    assert again.provenance.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()


def test_reads_a_file_of_one_s_own(tmp_path: Path) -> None:
    import keras

    plain = keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(64, 64, 3), pooling="avg")
    plain.save_weights(tmp_path / "mine.weights.h5")
    network = part(weights_file=str(tmp_path / "mine.weights.h5")).load(64, pretrained=True)
    expected = outputs(plain, keras.applications.mobilenet_v2.preprocess_input(pixels()))
    np.testing.assert_allclose(outputs(network.model, pixels()), expected, rtol=1e-4, atol=1e-5)


class AskedError(Exception):
    """Keras asked for a file."""


@pytest.mark.parametrize("family", variants(NETWORKS, FEW))
def test_the_table_has_the_files_that_keras_asks_for(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keras builds their names in its code; a change there would leave people's caches unfound."""
    import keras
    from keras.src.utils import file_utils

    def get_file(name: str, origin: str, cache_subdir: str = "", file_hash: str | None = None) -> None:
        assert (name, origin, file_hash) == (entry.file, f"{SERVER}{entry.url}", entry.digest)
        raise AskedError

    entry = NETWORKS[family]
    monkeypatch.setattr(file_utils, "get_file", get_file)
    sides = (entry.pixels if family.startswith("NASNet") else 224,) * 2
    with pytest.raises(AskedError):
        getattr(keras.applications, family)(include_top=False, weights="imagenet", input_shape=(*sides, 3))


@pytest.mark.parametrize("family", variants(NETWORKS, FEW))
def test_every_network_can_be_cut_frozen_trained_and_computed_by_an_engine(family: str) -> None:
    import keras

    least, _ = part(family).sizes()
    size = max(64, least)
    network = part(family).load(size, pretrained=False)
    outline = network.outline()
    assert outline.parameters == NETWORKS[family].parameters == sum(block.parameters for block in outline.blocks)
    assert len({block.name for block in network.blocks}) == len(network.blocks) >= 2
    highest = {id(weight) for layer in network.blocks[-1].layers for weight in layer.weights}
    lower = [weight for weight in network.model.weights if id(weight) not in highest]
    before = [np.asarray(weight) for weight in lower]
    for layer in network.model.layers:
        layer.trainable = layer in network.blocks[-1].layers
    classifier = keras.Model(network.model.input, keras.layers.Dense(2, "softmax")(network.model.output))
    classifier.compile(optimizer="sgd", loss="sparse_categorical_crossentropy")
    classifier.fit(pixels(size), np.array([0, 1]), verbose=0)
    for weight, old in zip(lower, before, strict=True):
        np.testing.assert_array_equal(np.asarray(weight), old)
    images = pixels(size).astype(np.uint8)
    engine = engines.choose(network.model, bfloat16=False, conversions=None)
    (computed,) = engine.run([images])
    np.testing.assert_allclose(computed, outputs(network.model, images.astype(np.float32)), rtol=2e-2, atol=2e-3)


def test_names_do_not_depend_on_what_was_built_before() -> None:
    paths = [[weight.path for weight in part("MobileNetV3Small").load(64, pretrained=False).model.weights] for _ in range(2)]
    assert paths[0] == paths[1]


def test_a_network_has_its_own_smallest_and_native_size() -> None:
    assert part("InceptionV3").fitting_size(None) == 299
    assert part("MobileNetV2").fitting_size(None) == 224
    with pytest.raises(SettingError, match="InceptionV3 needs images of at least 75 px"):
        part("InceptionV3").require_size(64)


@pytest.mark.parametrize("family", OLDEST)
def test_says_where_missing_weights_may_come_from(family: str) -> None:
    assert not part(family).listing().here
    for refused in (part(family).require_weights, lambda: part(family).load(64, pretrained=True)):
        with pytest.raises(WeightsError, match=f"weights of {family} are not on this machine.*Set download") as caught:
            refused()
        assert NETWORKS[family].file in str(caught.value)


def test_may_be_fetched() -> None:
    part(download=True).require_weights()


@pytest.mark.parametrize("name", ["missing.h5", "weights.pkl", "."])
def test_a_named_file_must_be_there(tmp_path: Path, name: str) -> None:
    (tmp_path / "weights.pkl").write_bytes(b"")
    named = part(weights_file=str(tmp_path / name), download=True)
    for refused in (named.require_weights, lambda: named.load(64, pretrained=True)):
        with pytest.raises(WeightsError, match="weights_file="):
            refused()


@pytest.fixture(scope="module")
def bad_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import keras

    folder = tmp_path_factory.mktemp("bad")
    (folder / "text.h5").write_text("no weights")
    (folder / "empty.h5").write_bytes(b"")
    narrow = keras.applications.MobileNetV2(include_top=False, weights=None, alpha=0.35, input_shape=(64, 64, 3))
    narrow.save_weights(folder / "narrow.weights.h5")
    write_legacy(narrow, folder / "narrow.h5")
    small = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    small.save_weights(folder / "other.weights.h5")
    write_legacy(small, folder / "other.h5")
    small.save(folder / "model.keras")
    (folder / "model.keras").rename(folder / "archive.h5")
    (folder / "cut.h5").write_bytes((folder / "narrow.h5").read_bytes()[:100_000])
    return folder


@pytest.mark.filterwarnings("ignore:Skipping nested container")
@pytest.mark.parametrize(
    "name", ["text.h5", "empty.h5", "narrow.weights.h5", "narrow.h5", "other.weights.h5", "other.h5", "archive.h5", "cut.h5"]
)
def test_a_file_that_does_not_fit(bad_files: Path, name: str) -> None:
    with pytest.raises(WeightsError, match=f"does not fit mobilenetv2 .*Received: .*{name}"):
        part(weights_file=str(bad_files / name)).load(64, pretrained=True)
