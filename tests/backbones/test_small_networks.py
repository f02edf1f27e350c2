"""The networks without pretrained weights, and the cutting into blocks."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from tl_core.backbones.article_mlp import ArticleMLP
from tl_core.backbones.small_cnn import SmallCNN, count_parameters
from tl_core.errors import WeightsError
from tl_core.networks.blocks import blocks_by_name
from tl_core.strategies.from_scratch import FromScratch


@dataclass
class Layer:
    name: str
    weights: list[int] = field(default_factory=lambda: [1])


def cut(names: str, pattern: str = r"b(\d)_") -> list[tuple[str, str]]:
    layers = [Layer(name.strip("-"), [] if name.endswith("-") else [1]) for name in names.split()]
    return [(name, " ".join(layer.name for layer in members)) for name, members in blocks_by_name(layers, pattern)]


def test_article_network_has_its_parameters() -> None:
    network = ArticleMLP().load(28, pretrained=False)
    assert FromScratch().join(network, [str(digit) for digit in range(10)]).model.count_params() == 101_770


@pytest.mark.parametrize("colour", [False, True])
def test_article_network_counts_as_listed(colour: bool) -> None:
    part = ArticleMLP(colour=colour)
    assert part.load(28, pretrained=False).outline().parameters == part.listing().parameters


def test_article_network_sees_the_mean_of_the_channels() -> None:
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 28, 28, 3)).astype(np.float32)
    network = ArticleMLP().load(28, pretrained=False)
    kernel, bias = network.model.get_weights()
    expected = np.maximum(pixels.mean(axis=3).reshape(2, -1) / 255 @ kernel + bias, 0)
    np.testing.assert_allclose(network.model.predict(pixels, verbose=0), expected, rtol=1e-4, atol=1e-4)


def test_article_network_in_colour_tells_colours_apart() -> None:
    red, blue = np.zeros((2, 1, 28, 28, 3), np.float32)
    red[..., 0] = blue[..., 2] = 200
    for colour in (False, True):
        model = ArticleMLP(colour=colour).load(28, pretrained=False).model
        same = np.allclose(model.predict(red, verbose=0), model.predict(blue, verbose=0), atol=1e-5)
        assert same is not colour


@pytest.mark.parametrize("width", [8, 16])
@pytest.mark.parametrize("batch_norm", [False, True])
def test_small_network_counts_its_parameters(width: int, batch_norm: bool) -> None:
    network = SmallCNN(width=width, batch_norm=batch_norm).load(64, pretrained=False)
    assert network.outline().parameters == count_parameters(width, batch_norm)
    assert [block.name for block in network.blocks] == ["block 1", "block 2", "block 3"]


def test_small_network_learns() -> None:
    """Bright left halves against bright right halves: a few steps suffice for any network that is wired rightly."""
    import keras

    keras.utils.set_random_seed(0)
    labels = np.arange(32) % 2
    pixels = np.random.default_rng(0).uniform(0, 120, (32, 32, 32, 3)).astype(np.float32)
    for image, label in zip(pixels, labels, strict=True):
        image[:, 16 * label : 16 * label + 16] += 120
        image[:16, :, label] += 15
    model = FromScratch().join(SmallCNN(width=8, batch_norm=True).load(32, pretrained=False), ["left", "right"]).model
    model.compile(optimizer=keras.optimizers.Adam(1e-2), loss="sparse_categorical_crossentropy")
    history = model.fit(pixels, labels, epochs=8, batch_size=8, verbose=0).history["loss"]
    assert history[-1] < 0.3 * history[0]


@pytest.mark.parametrize("part", [ArticleMLP(), SmallCNN()])
def test_there_are_no_pretrained_weights(part: ArticleMLP | SmallCNN) -> None:
    for refused in (part.require_weights, lambda: part.load(64, pretrained=True)):
        with pytest.raises(WeightsError, match=r"has no pretrained weights\. Choose the strategy from_scratch"):
            refused()


def test_blocks_take_the_layers_in_between() -> None:
    found = cut("in a b1_x b1_y add b2_x end")
    assert found == [("stem", "in a"), ("block 1", "b1_x b1_y add"), ("block 2", "b2_x"), ("top", "end")]


def test_blocks_without_weights_are_left_out() -> None:
    assert cut("in- b1_x b1_y- b2_y- end-") == [("block 1", "b1_x b1_y")]


def test_blocks_without_a_match_are_one() -> None:
    assert cut("a b c") == [("top", "a b c")]


def test_blocks_name_an_absent_group_zero() -> None:
    assert cut("first_x b1_x", r"(?:b(\d)|first)_") == [("block 0", "first_x"), ("block 1", "b1_x")]


def test_blocks_must_be_consecutive() -> None:
    with pytest.raises(ValueError, match="not consecutive"):
        cut("b1_x b2_x b1_y")
