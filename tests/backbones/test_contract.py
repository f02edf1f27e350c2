"""What every backbone keeps to, whichever module it comes from: a new part is tested here without an edit."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tl_core import backbones
from tl_core.backbones import Backbone, CatalogueEntry, Outline
from tl_core.errors import SettingError, WeightsError
from tl_core.networks.outline import Network
from tl_core.spec import PartSpec

PARTS = backbones.backbones.parts()
LISTED = [(name, entry) for name, part in PARTS.items() for entry in part.catalogue()]

LIST_ALONE = """
import json, sys
from tl_core import backbones
from tl_core.errors import TransferError
for part in backbones.backbones.parts().values():
    part.model_json_schema(), part.catalogue(), part.example().listing()
    try:
        part.example().require_weights()
    except TransferError:
        pass
print(json.dumps(sorted({"keras", "tensorflow", "torch", "streamlit"} & set(sys.modules))))
"""


@pytest.fixture(scope="module", params=sorted(PARTS))
def part(request: pytest.FixtureRequest) -> Backbone:
    return PARTS[request.param].example()


@pytest.fixture(scope="module")
def network(part: Backbone) -> Network:
    return loaded(part)


def size_of(part: Backbone) -> int:
    return max(64, part.minimum_size)


def loaded(part: Backbone) -> Network:
    import keras

    keras.utils.set_random_seed(1)
    return part.load(size_of(part), pretrained=False)


def pixels(network: Network, count: int = 3) -> np.ndarray:
    drawn = np.random.default_rng(0).uniform(0, 255, (count, *network.model.input.shape[1:])).astype(np.float32)
    drawn[0], drawn[1] = 0, 255
    return drawn


def features(model: Any, images: np.ndarray) -> np.ndarray:
    return np.asarray(model(images, training=False))


def test_says_what_it_needs(part: Backbone) -> None:
    assert part.minimum_size >= 1
    assert min(part.scratch.epochs, part.scratch.learning_rate, part.scratch.batch_size) > 0


def test_listing_needs_no_keras() -> None:
    done = subprocess.run([sys.executable, "-c", LIST_ALONE], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


@pytest.mark.parametrize(("name", "entry"), LISTED, ids=[f"{name}: {entry.title}" for name, entry in LISTED])
def test_catalogue_tells_the_facts(name: str, entry: CatalogueEntry) -> None:
    part = backbones.build(PartSpec(name=name, **entry.settings))
    assert part.listing() == entry
    assert entry.parameters > 0
    assert all((entry.title, entry.learned_from, entry.licence, entry.weights))
    if part.pretrained:
        assert entry.accuracy is not None
        assert entry.reference
        assert 0 < entry.accuracy < 1
    else:
        assert (entry.accuracy, entry.reference, entry.here) == (None, None, False)


def test_titles_are_told_apart() -> None:
    titles = [entry.title for _, entry in LISTED]
    assert len(set(titles)) == len(titles)


def test_graph_is_flat(network: Network) -> None:
    import keras

    assert not any(isinstance(layer, keras.Model) for layer in network.model.layers)
    names = [layer.name for layer in network.model.layers]
    assert len(set(names)) == len(names)


def test_takes_pixels(part: Backbone, network: Network) -> None:
    source = network.model.input
    assert (source.name, str(source.dtype), tuple(source.shape)) == ("pixels", "float32", (None, size_of(part), size_of(part), 3))


def test_gives_features(network: Network) -> None:
    found = features(network.model, pixels(network))
    assert found.dtype == np.float32
    assert found.shape == (3, network.outline().feature_size)
    assert np.isfinite(found).all()
    assert np.ptp(found, axis=0).max() > 0


def test_blocks_cover_all_weights_once(network: Network) -> None:
    in_blocks = [layer.name for block in network.blocks for layer in block.layers if layer.weights]
    assert in_blocks == [layer.name for layer in network.model.layers if layer.weights]
    names = [block.name for block in network.blocks]
    assert len(set(names)) == len(names)
    assert all(any(layer.weights for layer in block.layers) for block in network.blocks)


def test_one_tensor_leaves_each_block(network: Network) -> None:
    """Below it and above it are models of their own: "Graph disconnected" is what Keras says where another tensor leaves."""
    assert network.blocks[-1].output is network.model.output
    for block in network.blocks[:-1]:
        keras.Model(network.model.input, block.output)
        keras.Model(block.output, network.model.output)


def test_outline_agrees_and_survives_json(network: Network) -> None:
    outline = network.outline()
    assert Outline.from_json(outline.to_json()) == outline
    assert outline.parameters == network.model.count_params()
    assert outline.multiply_adds > 0
    assert (outline.provenance.sha256, network.classifier) == (None, None)


def test_same_seed_gives_the_same_network(part: Backbone, network: Network) -> None:
    again = loaded(part).model
    assert [weight.path for weight in again.weights] == [weight.path for weight in network.model.weights]
    assert all(np.array_equal(one, other) for one, other in zip(again.get_weights(), network.model.get_weights(), strict=True))


def test_can_be_saved(network: Network, tmp_path: Path) -> None:
    import keras

    network.model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_allclose(features(again, pixels(network)), features(network.model, pixels(network)), rtol=1e-5, atol=1e-5)


def test_small_images_are_refused(part: Backbone) -> None:
    part.require_size(part.minimum_size)
    for refused in (part.require_size, lambda size: part.load(size, pretrained=False)):
        with pytest.raises(SettingError, match="needs images of at least"):
            refused(part.minimum_size - 1)


def test_smallest_images_are_taken(part: Backbone) -> None:
    smallest = part.load(part.minimum_size, pretrained=False)
    assert np.isfinite(features(smallest.model, pixels(smallest))).all()


@pytest.mark.parametrize(("name", "entry"), LISTED, ids=[f"{name}: {entry.title}" for name, entry in LISTED])
def test_pretrained_where_the_weights_are_here(name: str, entry: CatalogueEntry) -> None:
    part = backbones.build(PartSpec(name=name, **entry.settings))
    if not entry.here:
        for refused in (part.require_weights, lambda: part.load(size_of(part), pretrained=True)):
            with pytest.raises(WeightsError):
                refused()
        return
    part.require_weights()
    network = part.load(size_of(part), pretrained=True)
    provenance = network.provenance
    assert network.outline().parameters == entry.parameters
    assert (provenance.licence, provenance.learned_from) == (entry.licence, entry.learned_from)
    assert provenance.sha256 is not None
    assert len(provenance.sha256) == 64
    assert np.isfinite(features(network.model, pixels(network))).all()
    if network.classifier is not None:
        kernel, bias = network.classifier
        assert kernel.shape == (network.outline().feature_size, len(bias))
