"""Networks in ONNX files: their features are Keras' own, heads stand on them, and what needs their layers is refused."""

import re
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import pytest

from tl_core.backbones import _shelf
from tl_core.backbones._onnx_example import PLAIN, Node, example_weights, onnx_bytes
from tl_core.backbones._scaling import TOLD, Scaling
from tl_core.backbones.onnx_file import OnnxFile
from tl_core.data.resizing import SquarePixels
from tl_core.datasets import ArrayImages
from tl_core.errors import SettingError, TransferError, WeightsError
from tl_core.features.cache import ActivationCache
from tl_core.features.extractor import FeatureExtractor
from tl_core.recipe import ONE_BLOCK, Recipe
from tl_core.spec import RunSpec
from tl_core.strategies import Family, strategies
from tl_core.studies.backbone_ranking import candidates
from tl_core.training.checkpoints import TrainingState
from tl_core.training.loop import Progress
from tl_core.training.stages import Stages
from tl_core.training.train import train
from tl_core.training.trained_model import TrainedModel

SIDE = 32
PIXELS = np.random.default_rng(0).integers(0, 256, (11, SIDE, SIDE, 3), np.uint8)
PICTURES = ArrayImages(PIXELS, np.zeros(11, np.int64))
LAST_CHANNELS: tuple[Node, ...] = (
    ("Transpose", "pixels", "turned", {"perm": (0, 3, 1, 2)}),
    ("Conv", "turned first", *PLAIN[0][2:]),
    *PLAIN[1:2],
    ("Conv", "shapes second", "below", PLAIN[2][3]),
    ("Transpose", "below", "features", {"perm": (0, 2, 3, 1)}),
)
SHAPES = {
    "any size": (None, 3, None, None),
    "one size": (None, 3, SIDE, SIDE),
    "one image": (1, 3, SIDE, SIDE),
}
RUN = {
    "backbone": "onnx_file",
    "backbone.network": "mine",
    "dataset": "digits",
    "dataset.labels_per_class": 5,
    "image_size": SIDE,
    "strategy": "linear_probe",
}


@pytest.fixture
def extractor(tmp_path: Path) -> FeatureExtractor:
    return FeatureExtractor(ActivationCache(tmp_path / "cache", 10**9), SquarePixels(SIDE), bfloat16=False, wait=lambda: None)


def brought(home: Path, content: bytes = b"", pixels: Scaling = Scaling.INSIDE, output: str | None = None) -> OnnxFile:
    """A network "mine" on the shelf of `home`; by default the plain one."""
    file = home.parent / "carried.onnx"
    file.write_bytes(content or onnx_bytes())
    _shelf.bring(home, "mine", file, pixels, output)
    return OnnxFile(network="mine")


def by_keras(scaling: Scaling) -> np.ndarray:
    """What the same network in Keras makes of the pictures."""
    pixels = keras.Input((SIDE, SIDE, 3))
    x = scaling.of(pixels)
    for channels, activation in ((8, "relu"), (16, None)):
        x = keras.layers.Conv2D(channels, 3, strides=2, use_bias=False, activation=activation)(x)
    model = keras.Model(pixels, keras.layers.GlobalAveragePooling2D()(x))
    model.set_weights([kernel.transpose(2, 3, 1, 0) for kernel in example_weights().values()])
    return keras.ops.convert_to_numpy(model(PIXELS.astype(np.float32), training=False))


def features(network: OnnxFile, extractor: FeatureExtractor) -> np.ndarray:
    return extractor.features(extractor.part(None, network.graph(SIDE)), PICTURES, lambda _: None).values


def is_as_keras_says(found: np.ndarray, scaling: Scaling = Scaling.INSIDE) -> None:
    expected = by_keras(scaling)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("scaling", TOLD)
def test_pixels_are_scaled_as_layers_of_keras_scale_them(scaling: Scaling) -> None:
    taken, affine = PIXELS.astype(np.float32), scaling.affine()
    ordered = taken[..., ::-1] if affine.blue_first else taken
    expected = keras.ops.convert_to_numpy(scaling.of(taken))
    np.testing.assert_allclose(ordered * np.array(affine.factors) + np.array(affine.offsets), expected, atol=1e-4)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_its_features_are_those_of_keras(home: Path, extractor: FeatureExtractor, shape: Sequence[int | None]) -> None:
    is_as_keras_says(features(brought(home, onnx_bytes(inputs={"pixels": shape})), extractor))


def test_channels_may_come_last(home: Path, extractor: FeatureExtractor) -> None:
    content = onnx_bytes(LAST_CHANNELS, {"pixels": (None, None, None, 3)})
    is_as_keras_says(features(brought(home, content, Scaling.BLUE_FIRST), extractor), Scaling.BLUE_FIRST)


def test_features_may_be_an_inner_tensor(home: Path, extractor: FeatureExtractor) -> None:
    assert features(brought(home, output="shapes"), extractor).shape == (len(PICTURES), 8)


def of_zeros() -> bytes:
    """A file whose weights are all zero."""
    content = onnx_bytes()
    for values in example_weights().values():
        content = content.replace(values.tobytes(), bytes(values.nbytes))
    return content


BAD = {
    "all zeros": (of_zeros(), "gives the same features of any image"),
    "no ONNX": (b"a text", "cannot be computed by OpenVINO"),
    "truncated": (onnx_bytes()[:-200], "no file to serve here: take the backbone finished_run. Received"),
    "empty": (b"", "carried.onnx is empty. Export it anew"),
    "no input": (onnx_bytes([("Relu", "first", "features", {})], {}), "has 0 inputs"),
    "two inputs": (onnx_bytes(inputs={"pixels": (None, 3, None, None), "more": (None, 3, None, None)}), "has 2 inputs"),
    "no image": (
        onnx_bytes([("Relu", "pixels", "features", {})], {"pixels": (None, None)}),
        "takes no square colour images, but inputs of the shape ?x?",
    ),
    "no square": (onnx_bytes(inputs={"pixels": (None, 3, 32, 48)}), "but inputs of the shape ?x3x32x48"),
    "shapes that fit nothing": (
        onnx_bytes(inputs={"pixels": (None, 3, 5, 5)}),
        "OpenVINO (Conv-13: Kernel after dilation has size (dim: 3) larger than the data shape after padding (dim: 2) at axis 0)",
    ),
    "weights elsewhere": (onnx_bytes(elsewhere="weights.bin"), "cannot be computed by OpenVINO"),
    "weights out of its folder": (onnx_bytes(elsewhere="../weights.bin"), "cannot be computed by OpenVINO"),
    "unknown operator": (
        onnx_bytes([*PLAIN[:1], ("Guess", *PLAIN[1][1:]), *PLAIN[2:]]),
        "OpenVINO (No conversion rule found for operations: Guess-13). ",
    ),
}


@pytest.mark.parametrize(("content", "said"), BAD.values(), ids=BAD)
def test_what_cannot_serve_leaves_nothing(home: Path, content: bytes, said: str) -> None:
    file = home.parent / "carried.onnx"
    file.write_bytes(content)
    (home.parent / "weights.bin").write_bytes(bytes(10_000))
    with pytest.raises(WeightsError, match=r"carried\.onnx") as raised:
        _shelf.bring(home, "mine", file, Scaling.INSIDE, None)
    assert said in str(raised.value)
    assert [*(home / _shelf.FOLDER).glob("*")] == []


@pytest.mark.parametrize(("output", "named"), [("nonsense", "features, shapes, edges"), ("shape", "shapes")])
def test_a_tensor_that_is_not_there_is_told_with_those_that_could_be_meant(home: Path, output: str, named: str) -> None:
    with pytest.raises(WeightsError, match=f"has no tensor called {output}. Name one that it has, such as {named}. Received"):
        brought(home, output=output)


def test_what_is_too_large_is_not_read(home: Path) -> None:
    file = home.parent / "large.onnx"
    with file.open("wb") as stream:
        stream.truncate(2**32)
    with pytest.raises(WeightsError, match=r"has 4\.3 GB, and an ONNX file in one piece at most 2\.1 GB"):
        _shelf.bring(home, "mine", file, Scaling.INSIDE, None)
    assert not (home / _shelf.FOLDER).exists()


def test_names_are_told_apart(home: Path) -> None:
    brought(home)
    taken = "There is a network of that name. Take another name"
    for name, said in (
        ("Mine", f"{taken}, or remove it first: python -m tl_core weights remove mine Received: Mine"),
        ("MobileNetV2", f"{taken}. Received: MobileNetV2"),
        ("../up", "This is no name for a network."),
    ):
        with pytest.raises(SettingError, match=re.escape(said)):
            _shelf.bring(home, name, home.parent / "carried.onnx", Scaling.INSIDE, None)
    (home / _shelf.FOLDER / "mine").rename(home / "elsewhere")
    assert _shelf.find(home, "../elsewhere") is None


def test_a_name_means_the_file_that_came(home: Path) -> None:
    network = brought(home)
    network.require_weights()
    file = _shelf.graph_file(home, "mine")
    file.write_bytes(onnx_bytes(PLAIN[:1], output="edges"))
    with pytest.raises(WeightsError, match="not the one that came"):
        network.load(SIDE, pretrained=True)
    file.with_name(_shelf.ABOUT).unlink()
    file.parent.rename(home / "gone")
    brought(home, onnx_bytes(PLAIN[:1], output="edges"))
    with pytest.raises(WeightsError, match="no network of that name"):
        network.require_weights()


def test_one_size_is_the_only_one(home: Path) -> None:
    network = brought(home, onnx_bytes(inputs={"pixels": (None, 3, 64, 64)}))
    assert network.fitting_size(8) == network.fitting_size(500) == 64
    with pytest.raises(SettingError, match="takes images of 64 px alone"):
        network.load(96, pretrained=True)


def test_a_head_is_computed_and_says_the_same_later(home: Path, extractor: FeatureExtractor, tmp_path: Path) -> None:
    network = brought(home, pixels=Scaling.SHARES)
    recipe = Recipe.of(RunSpec().with_settings(RUN))
    outcome = train(recipe.spec(), lambda _: None)
    result = outcome.result
    assert result.total_parameters == outcome.model.count_params() + network.listing().parameters
    assert network.network == f"mine@{str(result.provenance.sha256)[:12]}"
    assert result.phases[-1].frozen_part.computed.keys() == {"OpenVINO, float32"}
    file = tmp_path / "model.keras"
    outcome.model.save(file)
    stages = Stages(TrainingState(Progress(total=0)), lambda _: None)
    model = TrainedModel(file, extractor, stages, network.graph(SIDE))
    said = model.outputs(model.features(recipe.dataset.load(recipe.seed).test))
    np.testing.assert_allclose(said, outcome.predictions.probabilities, atol=1e-5)


def test_strategies_that_need_its_layers_refuse(home: Path) -> None:
    brought(home)
    refused, named = set(), {name for name, part in strategies.parts().items() if part.family is not Family.FROZEN}
    for name in strategies.parts():
        try:
            Recipe.of(RunSpec().with_settings(RUN | {"strategy": name})).phases(ONE_BLOCK, 1)
        except TransferError as error:
            assert "needs the layers of the network, and mine gives its features only" in str(error)
            refused.add(name)
    assert refused == named | {"head2toe"}


def test_it_is_a_candidate_of_rankings(home: Path) -> None:
    brought(home)
    recipe = Recipe.of(RunSpec().with_settings({"dataset": "digits"}))
    assert "mine" in [each.backbone.listing().title for each in candidates(recipe)]
