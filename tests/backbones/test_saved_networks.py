"""Networks out of saved models: those of finished runs, one after the other, and people's own files; and what cannot be used."""

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.helpers import QUICK
from tests.tools.variants import UNTAUGHT, variants
from tl_core.backbones import Backbone
from tl_core.backbones._saved_example import saved_example
from tl_core.backbones.finished_run import FinishedRun
from tl_core.backbones.keras_file import KerasModelFile
from tl_core.errors import SettingError, TransferError, WeightsError
from tl_core.networks.model_file import CONFIG, WEIGHTS
from tl_core.recipe import Recipe
from tl_core.runs import artifacts
from tl_core.runs.store import Store
from tl_core.spec import RunSpec
from tl_core.strategies import strategies
from tl_core.training.train import train

SIZE = 32
FEW = {"dataset.labels_per_class": 2, "dataset.validation_per_class": 1, "dataset.test_per_class": 2, "image_size": SIZE}
FIRST = {"backbone": "small_cnn", "backbone.width": 4, "backbone.batch_norm": True, "strategy": "from_scratch"}
PIXELS = np.random.default_rng(0).uniform(0, 255, (2, SIZE, SIZE, 3)).astype(np.float32)


def given(model: Any, pixels: Any = PIXELS) -> Any:
    return keras.ops.convert_to_numpy(model(pixels, training=False))


def keep(run: str, settings: dict[str, Any]) -> Path:
    """The folder of a run that has been trained on a few photographs, as its worker leaves it."""
    folder = Store().folder(run)
    spec = Recipe.of(RunSpec().with_settings(FEW | settings)).spec()
    folder.mkdir(exist_ok=True)
    artifacts.write_spec(folder, spec)
    artifacts.write_outcome(folder, train(spec, lambda event: None))
    return folder


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run from random weights."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRANSFER_LAB_HOME", str(tmp_path_factory.mktemp("first")))
        return keep("first", FIRST | {"strategy.epochs": 1})


@pytest.fixture
def first(kept: Path) -> str:
    """The id of that run, in a home of the test's own."""
    shutil.copytree(kept, Store().folder("first"))
    return "first"


def test_a_chain_of_runs_goes_on_where_each_has_ended(first: str) -> None:
    second = keep("second", {"backbone": "finished_run", "backbone.run": first, "strategy": "lora", "strategy.epochs": 1})
    begun, ended = FinishedRun(run=first), FinishedRun(run="cond")
    assert ended.run == "second"
    network = ended.load(SIZE, pretrained=True)
    whole = keras.saving.load_model(second / artifacts.MODEL)
    head = whole.get_layer("head_centre" if "head_centre" in [layer.name for layer in whole.layers] else "head")
    np.testing.assert_allclose(given(network.model), given(keras.Model(whole.input, head.input)), atol=1e-6)
    assert not np.allclose(given(network.model), given(begun.load(SIZE, pretrained=True).model))
    assert not any("lora" in weight.path for weight in network.model.weights)
    names = [block.name for block in network.blocks]
    assert names == [block.name for block in begun.load(SIZE, pretrained=True).blocks]
    steps = network.provenance.steps
    assert [step.source for step in steps] == ["run first", "run second"]
    assert network.provenance.history == "Photo patches, then Photo patches"
    assert artifacts.read_result(second).provenance == steps[0]
    assert len({step.sha256 for step in steps}) == 2


@pytest.mark.parametrize("name", variants(UNTAUGHT, {"head2toe"}))
def test_every_strategy_starts_from_a_run(name: str, first: str) -> None:
    strategy = strategies.part(name).example().spec()
    result = artifacts.read_result(keep("second", {"backbone": "finished_run", "backbone.run": first, "strategy": strategy}))
    assert all(phase.frozen_tensors == phase.unchanged_tensors for phase in result.phases)
    assert (result.provenance.source == "run first") == strategies.part(name).pretrained
    assert FinishedRun(run="second").load(SIZE, pretrained=True).outline().parameters


def test_a_run_is_asked_for_by_its_last_letters_if_it_is_the_only_one(home: Path) -> None:
    for run in ("20260101-000000-abc123", "20260102-000000-def123"):
        (home / "runs" / run).mkdir(parents=True)
    assert FinishedRun(run="c123").run == "20260101-000000-abc123"
    assert FinishedRun(run="123").run == "123"


def test_a_run_that_is_gone_or_has_left_no_model_is_said(first: str) -> None:
    source = FinishedRun(run=first)
    assert source.listing().here
    (Store().folder(first) / artifacts.MODEL).unlink()
    with pytest.raises(WeightsError, match="has left no model"):
        source.require_weights()
    shutil.rmtree(Store().folder(first))
    with pytest.raises(WeightsError, match="not here, or was deleted"):
        source.require_weights()
    assert not source.listing().here
    with pytest.raises(WeightsError, match="No model is named"):
        FinishedRun().require_weights()
    with pytest.raises(SettingError, match=r"backbone\.run"):
        Recipe.of(QUICK.with_settings({"backbone": "finished_run", "backbone.run": "../first"}))


def inner() -> Any:
    """What people put a head on: a model that is a layer of theirs, with layers of the names that theirs have."""
    layers = [
        keras.layers.Rescaling(2.0, name="scale"),
        keras.layers.Conv2D(5, 3, name="conv"),
        keras.layers.BatchNormalization(),
    ]
    return keras.Sequential([keras.Input((SIZE, SIZE, 3)), *layers], name="inner")


def nested() -> Any:
    x = pixels = keras.Input((SIZE, SIZE, 3))
    x = inner()(keras.layers.Rescaling(0.5, name="scale")(x), training=False)
    x = keras.layers.Dropout(0.5)(keras.layers.GlobalMaxPooling2D(keepdims=True)(x))
    return keras.Model(pixels, keras.layers.Dense(3)(keras.layers.Flatten()(x)))


def flattened() -> Any:
    """As in VGG: the head stands on all places of the image."""
    layers = [keras.layers.Conv2D(5, 3, name="conv"), keras.layers.Flatten(), keras.layers.Dense(3)]
    return keras.Sequential([keras.Input((SIZE, SIZE, 3)), *layers])


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[Any], KerasModelFile]:
    def save(model: Any) -> KerasModelFile:
        model.save(tmp_path / "own.keras")
        return KerasModelFile(path=tmp_path / "own.keras")

    return save


def test_a_model_within_a_model_is_laid_open(saved: Callable[[Any], KerasModelFile]) -> None:
    model = nested()
    source = saved(model)
    network = source.load(SIZE, pretrained=True)
    assert not any(isinstance(layer, keras.Model) for layer in network.model.layers)
    pooled = keras.Model(model.input, model.layers[3].output)
    np.testing.assert_allclose(given(network.model), given(pooled).reshape(2, -1), rtol=1e-5)
    assert source.load(48, pretrained=True).outline().feature_size == 5
    assert source.listing().parameters == model.count_params()


def test_what_it_was_computed_in_is_forgotten(saved: Callable[[Any], KerasModelFile]) -> None:
    keras.config.set_dtype_policy("mixed_bfloat16")
    source = saved(nested())
    keras.config.set_dtype_policy("float32")
    network = source.load(SIZE, pretrained=True)
    assert {layer.dtype_policy.name for layer in network.model.layers if hasattr(layer, "dtype_policy")} == {"float32"}


def test_where_nothing_is_pooled_the_last_places_are_averaged(saved: Callable[[Any], KerasModelFile]) -> None:
    model = flattened()
    network = saved(model).load(48, pretrained=True)
    there = np.random.default_rng(0).uniform(0, 255, (2, 48, 48, 3)).astype(np.float32)
    np.testing.assert_allclose(given(network.model, there), given(model.layers[0], there).mean(axis=(1, 2)), rtol=1e-5)


def test_pixels_are_scaled_as_the_file_expects_them(saved: Callable[[Any], KerasModelFile]) -> None:
    source = saved(flattened())
    scaled = source.model_validate(source.model_dump() | {"pixels": "0 to 1"})
    plain, found = (each.load(SIZE, pretrained=True).model for each in (source, scaled))
    np.testing.assert_allclose(given(found), given(plain, PIXELS / 255), rtol=1e-4, atol=1e-6)


def test_a_size_that_the_layers_do_not_allow_is_said(saved: Callable[[Any], KerasModelFile]) -> None:
    layers = [keras.layers.Conv2D(5, 3), keras.layers.Reshape((30 * 30, 5)), keras.layers.GlobalAveragePooling1D()]
    source = saved(keras.Sequential([keras.Input((SIZE, SIZE, 3)), *layers]))
    source.load(SIZE, pretrained=True)
    with pytest.raises(SettingError, match=f"cannot take images of 48 px .*Set image_size to {SIZE}"):
        source.load(48, pretrained=True)


def first_layer(**changed: Any) -> Callable[[dict[str, Any]], None]:
    return lambda config: config["config"]["layers"][1].update(changed)


def shape(*lengths: int | None) -> Callable[[dict[str, Any]], None]:
    return lambda config: config["config"]["layers"][0]["config"].update(batch_shape=[None, *lengths])


UNUSABLE: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "Lambda": (first_layer(class_name="Lambda"), "a layer of the class Lambda, and no code"),
    "custom code": (first_layer(module="os", class_name="system"), "layers of somebody's own, and no code"),
    "another file": (first_layer(class_name="TFSMLayer"), "a layer of the class TFSMLayer, and no code"),
    "own class": (lambda config: config["config"].pop("layers"), "layers of somebody's own"),
    "two inputs": (lambda config: config["config"]["layers"].insert(0, config["config"]["layers"][0]), "has 2 inputs"),
    "grey images": (shape(28, 28, 1), r"takes no colour images, but inputs of the shape \(28, 28, 1\)"),
    "tokens": (shape(64), r"takes no colour images, but inputs of the shape \(64,\)"),
}


@pytest.mark.parametrize("what", UNUSABLE)
def test_a_model_that_is_no_backbone_is_refused_before_keras_sees_it(what: str, tmp_path: Path) -> None:
    change, said = UNUSABLE[what]
    with zipfile.ZipFile(saved_example()) as example, zipfile.ZipFile(tmp_path / "own.keras", "w") as own:
        config = json.loads(example.read(CONFIG))
        change(config)
        own.writestr(CONFIG, json.dumps(config))
        own.writestr(WEIGHTS, example.read(WEIGHTS))
    is_refused(KerasModelFile(path=tmp_path / "own.keras"), said)


@pytest.mark.parametrize("kept_bytes", [0, 100, -100])
def test_a_damaged_file_is_said(kept_bytes: int, tmp_path: Path) -> None:
    file = tmp_path / "own.keras"
    file.write_bytes(saved_example().read_bytes()[:kept_bytes])
    is_refused(KerasModelFile(path=file), "cannot be read as one that Keras has saved")
    file.unlink()
    is_refused(KerasModelFile(path=file), "is not there")


def is_refused(source: Backbone, said: str) -> None:
    for pretrained in (True, False):
        with pytest.raises(TransferError, match=said):
            source.load(SIZE, pretrained=pretrained)
    with pytest.raises(WeightsError, match=said):
        source.require_weights()
    assert not source.listing().here


def test_what_was_measured_of_a_file_goes_by_its_content(tmp_path: Path) -> None:
    """A copy is the same network; another file at the same path is another one, and so is one that expects other pixels."""
    first, copy = (KerasModelFile(path=tmp_path / f"{name}.keras") for name in ("first", "copy"))
    for each in (first, copy):
        shutil.copy(saved_example(), each.paths[0])
    kept = first.content
    assert kept == copy.content != KerasModelFile(path=first.path, pixels="0 to 1").content
    first.paths[0].write_bytes(b"another one")
    assert first.content != kept
    first.paths[0].unlink()
    assert first.content == first.model_dump_json()
