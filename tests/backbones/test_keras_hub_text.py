"""Text encoders of KerasHub: held against KerasHub itself, trained, found in a cache, and what is missing of them."""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tools.reloading import said_when_reloaded
from tests.tools.variants import variants
from tl_core.backbones import _keras_hub
from tl_core.backbones.keras_hub_text import KerasHubText
from tl_core.data.texts import Texts
from tl_core.errors import SettingError, WeightsError
from tl_core.events import Event
from tl_core.features.cache import ActivationCache
from tl_core.recipe import Recipe
from tl_core.spec import RunSpec
from tl_core.strategies import strategies
from tl_core.training.evaluation import outcome_of
from tl_core.training.train import set_up

hub = pytest.importorskip("keras_hub", reason=f"keras-hub is not installed: {_keras_hub.INSTALL}")

WORDS = ("the", "return", "function", "of", "matrix", "random", "filter", "signal", "compute", "image", "a", "compute", "##s")
SAID = ("The matrix of a function", "", "return the random filter of a signal, computes the image and then the matrix again")
SIZES = {"num_layers": 2, "num_heads": 2, "hidden_dim": 16, "intermediate_dim": 32, "max_sequence_length": 32}
FEW = {"dataset": "docstrings", "dataset.labels_per_class": 2, "dataset.test_share": 0.02, "dataset.validation_share": 0.02}
Family = tuple[Any, Any, Any]


def pieces(kind: Any, *marks: str) -> Any:
    return kind(vocabulary=[*marks, *dict.fromkeys(WORDS)], lowercase=True)


def bert() -> Family:
    tokenizer = pieces(hub.models.BertTokenizer, "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    return hub.models.BertBackbone, tokenizer, hub.models.BertTextClassifierPreprocessor


def distil_bert() -> Family:
    tokenizer = pieces(hub.models.DistilBertTokenizer, "[UNK]", "[CLS]", "[MASK]", "[SEP]", "[PAD]")
    return hub.models.DistilBertBackbone, tokenizer, hub.models.DistilBertTextClassifierPreprocessor


def roberta() -> Family:
    letters = ["<s>", "<pad>", "</s>", "<mask>", *"abcdefghijklmnopqrstuvwxyzTĠ,", "Ġt", "th", "Ġth"]
    known = {letter: index for index, letter in enumerate(letters)}
    tokenizer = hub.models.RobertaTokenizer(vocabulary=known, merges=["Ġ t", "Ġt h", "t h"])
    return hub.models.RobertaBackbone, tokenizer, hub.models.RobertaTextClassifierPreprocessor


FAMILIES: Mapping[str, Callable[[], Family]] = {"bert": bert, "distil_bert": distil_bert, "roberta": roberta}


def written(folder: Path, family: str = "bert") -> Path:
    """A preset with random weights, which KerasHub has written."""
    import keras

    keras.utils.set_random_seed(3)
    network, tokenizer, _ = FAMILIES[family]()
    network(vocabulary_size=tokenizer.vocabulary_size(), **SIZES).save_to_preset(str(folder))
    tokenizer.save_to_preset(str(folder))
    return folder


@pytest.fixture(scope="module")
def preset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("presets") / "tiny")


def texts(*said: str) -> Texts:
    return Texts(said, np.zeros(len(said), np.int64))


@pytest.mark.parametrize("family", variants(FAMILIES, {"bert", "roberta"}))
def test_tokens_and_features_are_those_of_kerashub(family: str, tmp_path: Path) -> None:
    """Whatever stands after the end of a text, and whichever index the padding has."""
    folder = written(tmp_path / "preset", family)
    source = KerasHubText(folder=folder)
    source.require_weights()
    encoder = source.preprocessor(12)
    tokens = encoder.encode(texts(*SAID), np.arange(3))
    given = FAMILIES[family]()[2].from_preset(str(folder), sequence_length=12)(list(SAID))
    np.testing.assert_array_equal(tokens, given["token_ids"])
    assert encoder.truncated(texts(*SAID)) == sum(np.asarray(given["padding_mask"])[:, -1])
    said = hub.models.Backbone.from_preset(str(folder))({name: np.asarray(value) for name, value in given.items()})
    sequence = np.asarray(said["sequence_output"] if isinstance(said, dict) else said)
    there = np.asarray(given["padding_mask"])[:, :, np.newaxis]
    network = source.load(12, pretrained=True)
    found = np.asarray(network.model(tokens, training=False))
    np.testing.assert_allclose(found, (sequence * there).sum(axis=1) / there.sum(axis=1), atol=1e-6)
    short, means = texts("the a", "", "of"), []
    for length in (12, 20):
        read = source.preprocessor(length).encode(short, np.arange(3))
        means.append(np.asarray(source.load(length, pretrained=True).model(read, training=False)))
    np.testing.assert_allclose(means[0], means[1], atol=1e-6)
    assert [block.name for block in network.blocks[1:]] == ["transformer_layer_0", "transformer_layer_1"]
    assert len(str(network.provenance.sha256)) == 64


@pytest.mark.parametrize("name", variants(["linear_probe", "fine_tuning", "lora"], {"lora"}))
def test_it_trains_and_what_is_frozen_stays(name: str, preset: Path, tmp_path: Path) -> None:
    source = {"backbone": "keras_hub_text", "backbone.folder": str(preset), "backbone.sequence_length": 12}
    recipe = Recipe.of(RunSpec().with_settings({**FEW, **source, "strategy": strategies.part(name).example().spec()}))
    told: list[Event] = []
    run = set_up(recipe, told.append, cache=ActivationCache(tmp_path, 10**8))
    for phase in run.remaining_phases():
        run.train_phase(phase)
    result = outcome_of(run).result
    assert all(phase.frozen_tensors == phase.unchanged_tensors for phase in result.phases)
    assert (sum(phase.frozen_tensors for phase in result.phases) > 0) == (name != "fine_tuning")
    trained = {path for phase in result.phases for path in phase.trained}
    assert any("attention" in path and "lora" in path for path in trained) == (name == "lora")
    assert any("transformer_layer_1" in path for path in trained) == (name != "linear_probe")


@pytest.mark.process
def test_a_trained_network_is_loaded_where_kerashub_was_not_imported(preset: Path, tmp_path: Path) -> None:
    network = KerasHubText(folder=preset).load(12, pretrained=True)
    tokens = KerasHubText(folder=preset).preprocessor(12).encode(texts(*SAID), np.arange(3))
    said = said_when_reloaded(network.model, tokens, tmp_path)
    np.testing.assert_allclose(said, np.asarray(network.model(tokens, training=False)), atol=1e-6)


def test_a_preset_is_found_in_the_cache_of_kaggle(preset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path))
    source = KerasHubText(preset="my_tiny")
    assert not source.listing().here
    for version in ("9", "10"):
        shutil.copytree(preset, tmp_path / "models" / "keras" / "bert" / "keras" / "my_tiny" / version)
    (tmp_path / "models" / "keras" / "bert" / "keras" / "my_tiny" / "11").mkdir()  # of which nothing has come yet
    listing, count = source.listing(), json.loads((preset / "metadata.json").read_text())["parameter_count"]
    assert (listing.here, Path(listing.weights).name, listing.parameters) == (True, "10", count)
    source.require_weights()
    assert source.load(8, pretrained=True).provenance.source.endswith("my_tiny/10")


def test_it_takes_no_more_tokens_than_it_has_places(preset: Path) -> None:
    source = KerasHubText(folder=preset)
    assert source.fitting_size(1000) == source.fitting_size(None) == 32
    assert source.fitting_size(5) == 16
    with pytest.raises(SettingError, match="takes at most 32 tokens"):
        source.load(48, pretrained=True)


def test_a_folder_is_one_that_the_pages_may_read(preset: Path) -> None:
    assert KerasHubText(folder=preset).paths == (preset,)


def refused(source: KerasHubText) -> str:
    with pytest.raises(WeightsError) as raised:
        source.load(8, pretrained=True)
    return str(raised.value)


def test_what_is_missing_is_one_sentence(preset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path))
    assert "is not on this machine. Set backbone.download=true" in refused(KerasHubText())
    assert "since it has no config.json" in refused(KerasHubText(folder=tmp_path))
    lacking = shutil.copytree(preset, tmp_path / "lacking")
    (lacking / "model.weights.h5").unlink()
    assert "since it has no model.weights.h5" in refused(KerasHubText(folder=lacking))
    assert KerasHubText(folder=lacking).load(8, pretrained=False).provenance.sha256 is None
    (lacking / "model.weights.h5").write_bytes(b"no weights")
    assert "cannot load this preset" in refused(KerasHubText(folder=lacking))
    (lacking / "assets" / "tokenizer" / "vocabulary.txt").unlink()
    shutil.copy(preset / "model.weights.h5", lacking)
    assert "cannot load this preset" in refused(KerasHubText(folder=lacking))
    (lacking / "config.json").write_text('{"registered_name": "Functional", "config": {}}')
    assert "none of KerasHub's own" in refused(KerasHubText(folder=lacking))
    monkeypatch.setattr(_keras_hub, "LIBRARY", "no_such_library")
    assert "keras-hub, which is not installed. Run: pip install -r requirements-kerashub.txt" in refused(KerasHubText())


def test_networks_that_are_no_encoders_are_refused(preset: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(preset, tmp_path / "images")
    size = {"num_layers": 1, "num_heads": 2, "hidden_dim": 8, "mlp_dim": 8, "patch_size": 8}
    hub.models.ViTBackbone(image_shape=(16, 16, 3), **size).save_to_preset(str(folder))
    assert "holds no encoder of texts" in refused(KerasHubText(folder=folder))
    folder = shutil.copytree(preset, tmp_path / "unmasked")
    sizes = {name: value for name, value in SIZES.items() if name != "num_heads"}
    hub.models.FNetBackbone(vocabulary_size=20, **sizes).save_to_preset(str(folder))
    assert "holds no encoder of texts" in refused(KerasHubText(folder=folder))
