"""Networks whose weights come with packages of their own, against what is known of each."""

import numpy as np
import pytest

from tests.backbones.packaged import loaded, photograph
from tl_core.backbones import Backbone
from tl_core.backbones._efficientnet_lite import scaled
from tl_core.backbones._inverted_residuals import InvertedResiduals
from tl_core.backbones.efficientnet_lite1 import EfficientNetLite1
from tl_core.backbones.efficientnet_lite2 import EfficientNetLite2
from tl_core.backbones.mobilenet_v2 import MobileNetV2
from tl_core.networks.torch_file import read_torch_file

PALACE = 698
PACKAGED: tuple[InvertedResiduals, ...] = (EfficientNetLite1(), EfficientNetLite2(), MobileNetV2())
# Published: parameters with the classifier's 1,281,000, and multiply-adds, in millions; those count normalisation too.
PUBLISHED = {"efficientnet_lite1": (5.4, 631), "efficientnet_lite2": (6.1, 899)}
# The first features of china.jpg as PyTorch computes them with the package's own network, and the length of all 1,280.
BY_PYTORCH = (0.3963702, 0.27795595, 0.37339658, 0.06432585, 1.4372114, 0.51175934, 1.457798, 0.21135603)
LENGTH_BY_PYTORCH = 27.052103


def title(backbone: Backbone) -> str:
    return backbone.name


@pytest.mark.parametrize(("backbone", "chance"), [(PACKAGED[0], 0.524), (PACKAGED[1], 0.316)], ids=PUBLISHED)
def test_recognises_the_palace(backbone: InvertedResiduals, chance: float) -> None:
    network = loaded(backbone)
    assert network.classifier is not None
    kernel, bias = network.classifier
    scores = network.model.predict(photograph("china.jpg", backbone.native_size)[None], verbose=0)[0] @ kernel + bias
    chances = np.exp(scores - scores.max())
    chances /= chances.sum()
    assert chances.argmax() == PALACE
    assert chances.max() == pytest.approx(chance, abs=0.01)


def test_mobilenet_gives_the_features_that_pytorch_gives() -> None:
    network = loaded(MobileNetV2())
    (features,) = network.model.predict(photograph("china.jpg", 224)[None], verbose=0)
    np.testing.assert_allclose(features[: len(BY_PYTORCH)], BY_PYTORCH, atol=1e-4)
    assert np.linalg.norm(features) == pytest.approx(LENGTH_BY_PYTORCH, abs=1e-3)


@pytest.mark.parametrize("backbone", PACKAGED, ids=title)
def test_every_tensor_of_the_file_is_in_the_network(backbone: InvertedResiduals) -> None:
    network = loaded(backbone)
    arrays = {
        name: array
        for name, array in read_torch_file(backbone.file.verified()).items()
        if not name.endswith("num_batches_tracked")
    }
    laid = [*network.model.get_weights(), *(network.classifier or ())]
    assert len(arrays) == len(laid)
    assert sum(array.size for array in arrays.values()) == sum(array.size for array in laid)
    assert network.outline().parameters == backbone.facts.parameters


@pytest.mark.parametrize("backbone", PACKAGED[:2], ids=title)
def test_has_the_published_size(backbone: InvertedResiduals) -> None:
    parameters, multiply_adds = PUBLISHED[backbone.name]
    assert (backbone.facts.parameters + 1_281_000) / 1e6 == pytest.approx(parameters, rel=0.02)
    outline = backbone.load(backbone.native_size, pretrained=False).outline()
    assert outline.parameters == backbone.facts.parameters
    assert outline.multiply_adds / 1e6 == pytest.approx(multiply_adds, rel=0.06)


def test_channels_are_multiples_of_eight_near_the_scaled_ones() -> None:
    assert [block.channels for _, block in scaled(1.1, 1.2)] == [16, 24, 48, 88, 120, 208, 352]
    assert [repeats for repeats, _ in scaled(1.1, 1.2)] == [1, 3, 3, 4, 4, 5, 1]
