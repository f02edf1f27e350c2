"""What every backbone keeps to: on its example with random weights (its own where it has no others), and with those here."""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tl_core import backbones
from tl_core.backbones import Backbone, CatalogueEntry, Outline
from tl_core.data.examples import Examples, Modality
from tl_core.data.images import ArrayImages
from tl_core.data.texts import Texts
from tl_core.errors import SettingError, TransferError, WeightsError
from tl_core.features.frozen import frozen_part
from tl_core.features.inputs import as_taken
from tl_core.networks.outline import Network

LIST_ALONE = """
import contextlib, importlib, json, sys
from tl_core import backbones
from tl_core.errors import TransferError
importlib.import_module(sys.argv[1])
part = backbones.backbones.part(sys.argv[2])
part.model_json_schema(), part.catalogue(), part.example().listing()
with contextlib.suppress(TransferError):
    part.example().require_weights()
print(json.dumps(sorted({"keras", "tensorflow", "torch", "jax", "streamlit"} & set(sys.modules))))
"""


def check_says_what_it_needs(part: type[Backbone]) -> None:
    """Check that it has a smallest size of inputs, and settings for training it from random weights."""
    assert part.minimum_size >= 1
    assert min(part.scratch.epochs, part.scratch.learning_rate, part.scratch.batch_size) > 0


def check_listing_needs_no_keras(part: type[Backbone]) -> None:
    """Check that its networks are listed, and what is missing is said, without Keras, as on pages."""
    done = subprocess.run(
        [sys.executable, "-c", LIST_ALONE, part.__module__, part.name],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []


def check_catalogue_tells_the_facts(part: type[Backbone]) -> None:
    """Check that each network has what one chooses by, an accuracy and its source where it learned images, and only there; of
    one that somebody is still to name little is known."""
    assert part.catalogue()
    for entry in part.catalogue():
        assert _of(part, entry).listing() == entry
        is_named = entry.parameters > 0
        assert is_named or not (entry.here or entry.settings)
        assert all((entry.title, entry.learned_from, entry.licence, entry.weights)), entry
        assert part.pretrained or not (entry.here or entry.pretrained)
        if is_named and entry.pretrained and part.accepts is Modality.IMAGES:
            assert entry.accuracy is not None
            assert entry.reference
            assert 0 < entry.accuracy < 1
        else:
            assert (entry.accuracy, entry.reference) == (None, None)


def check_titles_are_told_apart(part: type[Backbone]) -> None:
    """Check that no two networks have the same title, of whichever backbone."""
    others = [other for other in backbones.backbones.parts().values() if other is not part]
    titles = Counter(entry.title for source in (part, *others) for entry in source.catalogue())
    assert [entry.title for entry in part.catalogue() if titles[entry.title] > 1] == []


def check_graph_is_flat(part: type[Backbone]) -> None:
    """Check that no layer is a model of its own, that all have names that differ, and that each block can be had beside the
    features."""
    network = _network(part)
    layers = network.model.layers
    keras.Model(network.model.input, [*(block.output for block in network.blocks), network.model.output])
    assert not any(isinstance(layer, keras.Model) for layer in layers)
    names = [layer.name for layer in layers]
    assert len(set(names)) == len(names)


def check_takes_what_is_encoded(part: type[Backbone]) -> None:
    """Check that its input is what its preprocessor makes of examples, each by itself, and is called `pixels` for images."""
    source, example = _network(part).model.input, part.example()
    if part.features_only:
        return  # what takes it is no Keras model
    assert part.accepts is not Modality.IMAGES or source.name == "pixels"
    if part.accepts is not Modality.IMAGES and not example.listing().here and part.pretrained:
        return  # its preprocessor is in the package of its weights
    examples = _examples(part)
    encoder = example.adapted_to(examples).preprocessor(_size(part))
    encoded = encoder.encode(examples, np.array([2, 0]))
    assert (encoded.dtype, encoded.shape[1:]) == (encoder.dtype, encoder.shape)
    assert (str(as_taken(encoded).dtype), (None, *encoder.shape)) == (str(source.dtype), tuple(source.shape))
    np.testing.assert_array_equal(encoder.encode(examples, np.array([0])), encoded[1:])
    assert json.loads(json.dumps(encoder.key)) == list(encoder.key)


def check_gives_features(part: type[Backbone]) -> None:
    """Check that its features are finite float32, as many as its outline says, and differ from example to example."""
    network = _network(part)
    found = _computed(network) if part.features_only else _features(network.model, _inputs(network))
    assert found.dtype == np.float32
    assert found.shape == (3, network.outline().feature_size)
    assert np.isfinite(found).all()
    assert np.ptp(found, axis=0).max() > 0


def check_blocks_cover_all_weights_once(part: type[Backbone]) -> None:
    """Check that each layer with weights is in one block, in order, and that no block is without any."""
    network = _network(part)
    in_blocks = [layer.name for block in network.blocks for layer in block.layers if layer.weights]
    assert in_blocks == [layer.name for layer in network.model.layers if layer.weights]
    names = [block.name for block in network.blocks]
    assert len(set(names)) == len(names)
    assert all(any(layer.weights for layer in block.layers) for block in network.blocks)


def check_one_tensor_leaves_each_block(part: type[Backbone]) -> None:
    """Check that a model can be made of what lies below a block's output, and one of what lies above: Keras says "Graph
    disconnected" where another tensor leaves."""
    network = _network(part)
    assert part.features_only or network.blocks[-1].output is network.model.output
    for block in network.blocks[:-1]:
        keras.Model(network.model.input, block.output)
        keras.Model(block.output, network.model.output)


def check_outline_agrees_and_survives_json(part: type[Backbone]) -> None:
    """Check that the outline counts what the model has, and that random weights have no digest, and no classifier."""
    network = _network(part)
    outline = network.outline()
    assert Outline.from_json(outline.to_json()) == outline
    assert outline.parameters == (network.graph.facts.parameters if network.graph else network.model.count_params())
    assert outline.multiply_adds > 0
    assert (outline.provenance.sha256 is None, network.classifier) == (not part.features_only, None)


def check_same_seed_gives_the_same_network(part: type[Backbone]) -> None:
    """Check that random weights come from Keras' seed, to the bit."""
    first, again = _network(part).model, _with_random_weights(part).model
    assert [weight.path for weight in again.weights] == [weight.path for weight in first.weights]
    assert all(np.array_equal(one, other) for one, other in zip(again.get_weights(), first.get_weights(), strict=True))


def check_can_be_saved(part: type[Backbone]) -> None:
    """Check that a saved model loads in Keras' safe mode and computes the same."""
    network = _network(part)
    with tempfile.TemporaryDirectory(prefix="transfer_lab_") as folder:
        network.model.save(Path(folder, "model.keras"))
        again = keras.saving.load_model(Path(folder, "model.keras"), safe_mode=True)
    inputs = _inputs(network)
    np.testing.assert_allclose(_features(again, inputs), _features(network.model, inputs), rtol=1e-5, atol=1e-5)


def check_small_inputs_are_refused(part: type[Backbone]) -> None:
    """Check that inputs below the minimum size raise `SettingError` before and at loading, and that those of that size
    are taken."""
    example = part.example()
    example.require_size(part.minimum_size)
    too_small = part.minimum_size - 1
    assert _raises(SettingError, partial(example.require_size, too_small))
    assert _raises(SettingError, partial(example.load, too_small, pretrained=False))
    if part.features_only:
        return
    smallest = example.load(part.minimum_size, pretrained=False)
    assert np.isfinite(_features(smallest.model, _inputs(smallest))).all()


def check_pretrained_weights_where_they_are_here(part: type[Backbone]) -> None:
    """Check that each network with weights on this machine loads them and knows their digest, and that any other one raises
    `WeightsError`."""
    for entry in part.catalogue():
        chosen = _of(part, entry)
        if not entry.here:
            assert _raises(WeightsError, chosen.require_weights), entry.title
            assert _raises(WeightsError, partial(chosen.load, max(_size(part), chosen.sizes()[0]), pretrained=True)), entry.title
            continue
        chosen.require_weights()
        network = chosen.load(chosen.own_size or max(_size(part), chosen.sizes()[0]), pretrained=True)
        provenance, outline = network.provenance, network.outline()
        assert outline.parameters == entry.parameters
        assert (provenance.licence, provenance.learned_from) == (entry.licence, entry.learned_from)
        assert len(provenance.sha256 or "") == (64 if entry.pretrained else 0)
        assert np.isfinite(_features(network.model, _inputs(network))).all()
        if network.classifier is not None:
            kernel, bias = network.classifier
            assert kernel.shape == (outline.feature_size, len(bias))


@lru_cache(maxsize=1)  # one check after the other looks at the same
def _network(part: type[Backbone]) -> Network:
    return _with_random_weights(part)


def _with_random_weights(part: type[Backbone]) -> Network:
    keras.utils.set_random_seed(1)
    return part.example().load(_size(part), pretrained=part.features_only)


def _of(part: type[Backbone], entry: CatalogueEntry) -> Backbone:
    return part.model_validate(entry.settings)


def _size(part: type[Backbone]) -> int:
    return max(64, part.minimum_size)


def _inputs(network: Network, count: int = 3) -> Any:
    source = network.model.input
    drawn = np.random.default_rng(0).uniform(0, 255, (count, *source.shape[1:])).astype(str(source.dtype))
    drawn[0], drawn[1] = 0, 255
    return drawn


def _examples(part: type[Backbone]) -> Examples:
    labels = np.arange(3) % 2
    if part.accepts is Modality.TEXTS:
        return Texts(("a first text", "", "another text that says a little more"), labels)
    return ArrayImages(np.random.default_rng(0).integers(0, 256, (3, 40, 30, 3), np.uint8), labels)


def _features(model: Any, images: Any) -> Any:
    return keras.ops.convert_to_numpy(model(images, training=False))


def _computed(network: Network) -> Any:
    engine = frozen_part(network.model, network.graph, bfloat16=False).prepare(None)
    return np.concatenate(list(engine.run([np.full(engine.shape, value, np.uint8)[:1] for value in (0, 90, 255)])))


def _raises(mistake: type[TransferError], action: Callable[[], object]) -> bool:
    try:
        action()
    except mistake:
        return True
    return False
