"""An encoder of texts can be cut above any of its layers, and nothing comes of what stands after the end of a text."""

import keras
import numpy as np
import pytest

from tests.tools.tiny_bert import SIZE, TinyBert, padded
from tl_core.networks.outline import Network

LENGTHS = (12, 5, 1, 9)


@pytest.fixture(scope="module")
def network() -> Network:
    keras.utils.set_random_seed(0)
    return TinyBert().load(12, pretrained=True)


def test_its_blocks_are_the_embedding_and_the_layers(network: Network) -> None:
    assert [block.name for block in network.blocks] == ["stem", "block 0", "block 1"]
    assert network.outline().parameters == network.model.count_params()


@pytest.mark.parametrize("place", range(SIZE.layers))
def test_what_lies_above_a_cut_knows_where_a_text_ends(network: Network, place: int) -> None:
    tokens, output = padded(LENGTHS, 12), network.blocks[place].output
    below, above = keras.Model(network.model.input, output), keras.Model(output, network.model.output)
    kept = np.asarray(below(tokens))
    np.testing.assert_array_equal(kept.any(axis=-1), tokens != 0)
    np.testing.assert_allclose(above(kept), network.model(tokens), atol=1e-6)


def test_what_comes_after_the_end_changes_nothing(network: Network) -> None:
    longer = TinyBert().load(20, pretrained=True).model
    longer.set_weights(network.model.get_weights())
    np.testing.assert_allclose(
        longer(padded(LENGTHS, 20)[:, :20] * (np.arange(20) < 12)), network.model(padded(LENGTHS, 20)[:, :12]), atol=1e-6
    )


def test_each_token_and_its_place_matter(network: Network) -> None:
    tokens = padded((6,), 12)
    turned = tokens.copy()
    turned[0, :2] = turned[0, 1::-1]
    assert np.abs(np.asarray(network.model(tokens)) - np.asarray(network.model(turned))).max() > 1e-4
