"""Blocks of real networks, by name and from the graph alone: what leaves each is all that the layers above it need."""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import pytest
from keras import layers

from tests.tools.variants import variants
from tl_core.backbones.efficientnet_lite0 import EfficientNetLite0
from tl_core.errors import SettingError
from tl_core.networks.blocks import Block, blocks_by_name, cut_into_blocks, select
from tl_core.networks.graph import cuts

SIZE = 96


class Facts(NamedTuple):
    """A network: the pattern of its layers' names (None where its blocks cannot be cut), and how many cuts it has, blocks
    by name, and blocks from its graph."""

    pattern: str | None
    cuts: int
    by_name: int
    by_graph: int
    ends: tuple[str, ...]
    """Names of the two lowest and the two highest blocks from the graph."""


EFFICIENTNET = r"block(\d[a-z])_"
RESNET = r"conv(\d)_block(\d+)_"
NETWORKS = {
    "Lite0": Facts(EFFICIENTNET, 71, 18, 17, ("stem", "block 2a", "block 7a", "top")),
    "MobileNet": Facts(r"conv_[a-z]+_(\d+)", 87, 14, 5, ("block 1", "block 2", "block 4", "block 5")),
    "MobileNetV2": Facts(r"(?:block_(\d+)|expanded_conv)_", 75, 19, 18, ("stem", "block 1", "block 16", "Conv_1")),
    "MobileNetV3Small": Facts(
        r"expanded_conv(?:_(\d+))?_", 60, 13, 12, ("stem", "expanded_conv_1", "expanded_conv_10", "conv_1")
    ),
    "EfficientNetB0": Facts(EFFICIENTNET, 84, 18, 17, ("stem", "block 2a", "block 7a", "top")),
    "EfficientNetV2B0": Facts(EFFICIENTNET, 65, 23, 22, ("stem", "block 2a", "block 6h", "top")),
    "ResNet50V2": Facts(RESNET, 32, 18, 17, ("conv1", "conv2_block1", "conv5_block2", "conv5_block3")),
    "DenseNet121": Facts(RESNET, 80, 60, 62, ("conv1", "conv2_block1", "conv5_block15", "conv5_block16")),
    "ConvNeXtTiny": Facts(
        r"convnext_tiny_stage_(\d)_block_(\d)",
        26,
        20,
        22,
        ("convnext_tiny", *(f"convnext_tiny_stage_{place}" for place in ("0_block_0", "3_block_1", "3_block_2"))),
    ),
    "Xception": Facts(r"block(\d+)_", 26, 14, 15, ("block 1.1", "block 1.2", "block 13", "block 14")),
    "NASNetMobile": Facts(None, 6, 0, 2, ("block 1", "block 2")),
}
FEW = {"Lite0", "MobileNetV3Small", "EfficientNetB0", "NASNetMobile"}
"""Small ones: by names, by what kernels have in common, and without blocks that names could tell."""
WAYS = [(name, way) for name, facts in NETWORKS.items() for way in ("name", "graph") if way == "graph" or facts.pattern]


@cache
def network(name: str) -> Any:
    """The network with random weights, for images of 96 pixels, to averaged features."""
    keras.utils.set_random_seed(1)
    if name == "Lite0":
        return EfficientNetLite0().load(SIZE, pretrained=False).model
    build = getattr(keras.applications, name)
    return build(weights=None, include_top=False, pooling="avg", input_shape=(SIZE, SIZE, 3))


@cache
def blocks_of(name: str, way: str) -> tuple[Block, ...]:
    return cut_into_blocks(network(name), NETWORKS[name].pattern if way == "name" else None)


@pytest.fixture(scope="module", autouse=True)
def nothing_stays() -> Iterator[None]:
    """Networks of many megabytes are gone when the last test that needs them is."""
    yield
    blocks_of.cache_clear()
    network.cache_clear()


def pixels() -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 255, (1, SIZE, SIZE, 3)).astype(np.float32)


def values(model: Any, inputs: Any) -> Any:
    return model(inputs, training=False)


def close(found: Any, expected: Any) -> None:
    found, expected = np.asarray(found), np.asarray(expected)
    assert np.isfinite(expected).all()
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())


def with_weights(blocks: Sequence[Block]) -> list[list[str]]:
    return [[layer.name for layer in block.layers if layer.weights] for block in blocks]


@pytest.mark.parametrize("name", variants(NETWORKS, FEW))
def test_facts(name: str) -> None:
    facts = NETWORKS[name]
    by_graph = [block.name for block in blocks_of(name, "graph")]
    assert len(cuts(network(name))) == facts.cuts
    assert len(by_graph) == facts.by_graph
    assert (*by_graph[:2], *by_graph[2:][-2:]) == facts.ends
    if facts.pattern:
        assert len(blocks_of(name, "name")) == facts.by_name


@pytest.mark.parametrize(("name", "way"), variants(WAYS, [(name, way) for name, way in WAYS if name in FEW]))
def test_blocks_hold_all_layers_once_in_order(name: str, way: str) -> None:
    blocks = blocks_of(name, way)
    assert [layer for block in blocks for layer in block.layers] == network(name).layers
    assert all(with_weights(blocks))
    assert len({block.name for block in blocks}) == len(blocks)
    assert blocks[-1].output is network(name).output


@pytest.mark.parametrize("name", variants((name for name, facts in NETWORKS.items() if facts.pattern), FEW))
def test_named_blocks_hold_the_weights_that_are_named_so(name: str) -> None:
    pattern = NETWORKS[name].pattern
    assert pattern
    named = blocks_by_name(network(name).layers, pattern)
    blocks = blocks_of(name, "name")
    assert [block.name for block in blocks] == [name for name, _ in named]
    assert with_weights(blocks) == [[layer.name for layer in members if layer.weights] for _, members in named]


@pytest.mark.parametrize(("name", "way"), variants(WAYS, [(name, way) for name, way in WAYS if name in FEW]))
def test_block_after_block_gives_the_same_numbers(name: str, way: str) -> None:
    model, x = network(name), pixels()
    expected = values(model, x)
    for below, block in pairwise([model.input, *(block.output for block in blocks_of(name, way))]):
        x = values(keras.Model(below, block), x)
    close(x, expected)


@pytest.mark.parametrize("name", variants(NETWORKS, FEW))
def test_below_and_above_a_block_give_the_same_numbers(name: str) -> None:
    """Each of a few blocks: the lowest, one in the middle, and the last but one."""
    model, x, blocks = network(name), pixels(), blocks_of(name, "graph")
    expected = values(model, x)
    for place in sorted({0, (len(blocks) - 1) // 2, len(blocks) - 2}):
        output = blocks[place].output
        lower, upper = keras.Model(model.input, output), keras.Model(output, model.output)
        assert lower.count_params() + upper.count_params() == model.count_params()
        close(values(upper, values(lower, x)), expected)


@pytest.mark.parametrize("name", variants(["Lite0", "MobileNetV3Small", "ResNet50V2"], FEW))
def test_a_saved_network_has_the_same_blocks(name: str, tmp_path: Path) -> None:
    network(name).save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    for way, pattern in (("graph", None), ("name", NETWORKS[name].pattern)):
        found = cut_into_blocks(again, pattern)
        assert told(found) == told(blocks_of(name, way))


def told(blocks: Sequence[Block]) -> list[tuple[str, list[str], tuple[int | None, ...]]]:
    return [(block.name, [layer.name for layer in block.layers], tuple(block.output.shape)) for block in blocks]


def conv(name: str | None = None, strides: int = 1) -> Any:
    return layers.Conv2D(4, 3, strides, "same", name=name)


def chain(*links: Any) -> Any:
    source = x = keras.Input((16, 16, 4), name="pixels")
    for link in links:
        x = link(x)
    return keras.Model(source, x, name="chain")


def block_names(model: Any, pattern: str | None = None) -> list[str]:
    return [block.name for block in cut_into_blocks(model, pattern)]


def test_named_blocks_that_no_cut_separates_are_refused() -> None:
    source = keras.Input((16, 16, 4))
    low = conv("block1_conv")(source)
    high = conv("block3_conv")(layers.Add(name="block3_add")([low, conv("block2_conv")(low)]))
    with pytest.raises(ValueError, match="from 'block 2' to 'block 3' of 'skipping'") as raised:
        cut_into_blocks(keras.Model(source, [layers.Add()([high, low])], name="skipping"), r"block(\d)_")
    assert "no cut" in str(raised.value)


def test_a_join_goes_to_the_branches_that_it_joins() -> None:
    """Whatever its name says: below it the block is left by two tensors."""
    source = keras.Input((16, 16, 4), name="pixels")
    x = conv("block1_conv")(source)
    x = layers.Add(name="block2_add")([conv("block1_inner")(x), x])
    model = keras.Model(source, conv("block2_conv")(x))
    assert [layer.name for layer in blocks_by_name(model.layers, r"block(\d)_")[1][1]] == ["block2_add", "block2_conv"]
    lower, upper = cut_into_blocks(model, r"block(\d)_")
    assert [layer.name for layer in lower.layers][-1] == "block2_add"
    assert lower.output is model.get_layer("block2_add").output
    assert [layer.name for layer in upper.layers] == ["block2_conv"]


def test_a_path_beside_the_kernels_above_goes_with_them() -> None:
    source = keras.Input((16, 16, 4), name="pixels")
    x = conv("block1_conv")(source)
    paths = [layers.MaxPooling2D(name="block1_pool")(x), conv("block2_conv", 2)(x)]
    model = keras.Model(source, layers.Add(name="block2_add")(paths))
    lower, upper = cut_into_blocks(model, r"block(\d)_")
    assert [layer.name for layer in lower.layers] == ["pixels", "block1_conv"]
    assert [layer.name for layer in upper.layers] == ["block1_pool", "block2_conv", "block2_add"]


def test_sums_without_a_layer_are_seen() -> None:
    source = keras.Input((16, 16, 4), name="pixels")
    x = conv("block1_conv")(source)
    x = keras.ops.relu(x + conv("block1_inner")(x))
    model = keras.Model(source, conv("block2_conv")(x))
    lower, upper = cut_into_blocks(model, r"block(\d)_")
    assert [layer.name for layer in upper.layers] == ["block2_conv"]
    assert keras.Model(lower.output, model.output).count_params() == upper.layers[0].count_params()


def test_blocks_without_weights_join_their_neighbours() -> None:
    model = chain(layers.Rescaling(2.0, name="scale"), conv("block1_conv"), layers.ReLU(name="block2_relu"), conv("block3_conv"))
    blocks = cut_into_blocks(model, r"block(\d)_")
    assert [block.name for block in blocks] == ["block 1", "block 3"]
    assert [len(block.layers) for block in blocks] == [3, 2]
    assert blocks[0].output is model.get_layer("block1_conv").output


def test_nothing_to_train_is_no_block() -> None:
    assert cut_into_blocks(chain(layers.ReLU())) == cut_into_blocks(chain(layers.ReLU()), "block") == ()


def test_names_come_from_what_kernels_have_in_common() -> None:
    parts = [conv("low_conv"), layers.ReLU(), conv("mid_a", 2), conv("mid_b"), layers.BatchNormalization(), conv("fc_1", 2)]
    assert block_names(chain(*parts)) == ["low", "mid", "fc_1"]
    assert block_names(chain(conv("block1a_x"), conv("block1a_y"), conv("block-2.x", 2))) == ["block 1a", "block 2"]


def test_the_lowest_block_is_the_stem_if_its_kernels_disagree() -> None:
    assert block_names(chain(conv("x"), conv("y"), conv("block1_x", 2), conv("block2_x", 2))) == ["stem", "block 1", "block 2"]


def test_names_that_tell_too_little_give_way_to_numbers() -> None:
    numbered = ["block 1", "block 2", "block 3"]
    assert block_names(chain(conv(), conv(strides=2), conv(strides=2))) == numbered  # Keras' own names
    assert block_names(chain(conv("x"), conv("y"), conv("z", 2), conv("w"), conv("low_x", 2))) == numbered
    assert block_names(chain(conv("my_x"), conv("my_y", 2), conv("my_z", 2))) == numbered
    assert block_names(chain(conv("low_x"), conv("high_x", 2), conv("low_y", 2))) == numbered
    assert block_names(chain(conv("stem_x"), conv("block1_x", 2), conv("block1_y", 2))) == ["stem", "block 1.1", "block 1.2"]


LITE0 = ("stem", "block 1a", "block 5a", "block 5b", "block 50", "block 6.1", "top")


@pytest.mark.parametrize(
    ("choice", "chosen"),
    [
        ("last 1", LITE0[-1:]),
        (" last  2 ", LITE0[-2:]),
        ("last 99", LITE0),
        ("block 5 and up", LITE0[2:]),
        ("block 5b and up", LITE0[3:]),
        ("block 50 and up", LITE0[4:]),
        ("block 6 and up", LITE0[5:]),
        ("stem and up", LITE0),
        ("top", LITE0[-1:]),
        ("block 5[ab]", LITE0[2:4]),
        ("block *", LITE0[1:-1]),
        ("*", LITE0),
    ],
)
def test_choices(choice: str, chosen: tuple[str, ...]) -> None:
    assert select(LITE0, choice) == chosen


def test_a_whole_name_comes_before_its_beginning() -> None:
    assert select(["conv_2", "conv", "conv_3"], "conv and up") == ("conv", "conv_3")


def test_a_number_is_read_to_its_end() -> None:
    assert select(["block 50", "block 5a", "block 6"], "block 5 and up") == ("block 5a", "block 6")


@pytest.mark.parametrize("choice", ["last 0", "last -1", "last two", "block 4 and up", "block 5", "Block 5a", "", " and up"])
def test_choices_of_nothing_are_refused(choice: str) -> None:
    with pytest.raises(SettingError, match=r"No block is chosen.*stem, block 1a.*Say \"last 2\"") as raised:
        select(LITE0, choice)
    assert str(raised.value).endswith(f"Received: {choice!r}")


def test_there_may_be_nothing_to_choose_from() -> None:
    with pytest.raises(SettingError, match="none at all"):
        select([], "last 2")
