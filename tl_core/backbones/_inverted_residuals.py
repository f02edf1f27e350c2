"""Networks of inverted residual blocks (Sandler et al. 2018, arXiv:1801.04381) in Keras, with weights that come in packages."""

from abc import abstractmethod
from collections.abc import Iterator
from string import ascii_lowercase
from typing import Any, ClassVar, NamedTuple

from tl_core.backbones import Backbone, CatalogueEntry, Provenance
from tl_core.backbones._packaged_file import PackagedFile
from tl_core.backbones._untrained import RANDOM
from tl_core.networks.blocks import cut_into_blocks
from tl_core.networks.outline import Network
from tl_core.networks.torch_file import Arrays, read_torch_file

STEM, TOP = 32, 1280
# Only training sees the momentum. The published 0.99 needs hundreds of steps to follow new data; runs here are shorter than that.
MOMENTUM = 0.9
CONVOLUTIONS = ("expand", "depthwise", "project")


class MBConv(NamedTuple):
    """An inverted residual block: its kernel's side, stride, how much wider it is inside, and the channels it gives."""

    kernel: int
    stride: int
    expansion: int
    channels: int


Stages = tuple[tuple[int, MBConv], ...]
"""How often each block is repeated; only the first time with its stride."""


class Facts(NamedTuple):
    """What is known of published weights: parameters without the classifier, top-1 accuracy on ImageNet (0..1) and where that was
    published, and where the weights come from."""

    parameters: int
    accuracy: float
    reference: str
    provenance: Provenance


class InvertedResiduals(Backbone):
    """A network of a stem, inverted residual blocks with ReLU6, and a top of 1,280 features; its weights are in a package."""

    file: ClassVar[PackagedFile]
    facts: ClassVar[Facts]
    stages: ClassVar[Stages]
    scale: ClassVar[Any]
    """By what pixels (0..255) are multiplied, and what is then added: a number each, or one a channel."""
    offset: ClassVar[Any]
    epsilon: ClassVar[float]
    pads_both_sides: ClassVar[bool] = False
    """Whether images get as many zeros above as below before a stride, as PyTorch pads; TensorFlow begins below and right."""

    @classmethod
    def catalogue(cls) -> tuple[CatalogueEntry, ...]:
        """Return the one network there is. Its accuracy is that of the published weights at the network's own size."""
        file = cls.file.published
        return (
            CatalogueEntry(
                title=cls.title,
                settings={},
                parameters=cls.facts.parameters,
                accuracy=cls.facts.accuracy,
                reference=cls.facts.reference,
                learned_from=cls.facts.provenance.learned_from,
                licence=cls.facts.provenance.licence,
                here=file is not None,
                weights=str(file.place) if file else cls.file.install,
                file=file,
            ),
        )

    def load(self, size: int, *, pretrained: bool) -> Network:
        """Return the network: pixels (batch, size, size, 3) in 0..255 to (batch, 1280) averaged features.

        Raises `WeightsError` where the package is missing or its file is not the published one, `SettingError` where the images
        are too small.
        """
        self.require_size(size)
        arrays = read_torch_file(self.file.verified()) if pretrained else None
        # Zeros, where other weights are laid over them, take a fraction of the time.
        model = _Graph(self, "zeros" if pretrained else _initializer()).model(size)
        blocks = cut_into_blocks(model, r"block(\d[a-z])_")
        if arrays is None:
            return Network(model, blocks, RANDOM)
        _set_weights(model, arrays, self.places())
        return Network(model, blocks, self.facts.provenance, self.classifier(arrays))

    def require_weights(self) -> None:
        """Raise `WeightsError` unless the package is installed."""
        self.file.require()

    @classmethod
    @abstractmethod
    def places(cls) -> dict[str, str]:
        """Return the name in the weights file of each layer that has weights."""

    @classmethod
    def classifier(cls, arrays: Arrays) -> tuple[Any, Any] | None:
        """Return the kernel (1280, classes) and the bias (classes,) of the source's classifier; None where the file has none."""
        return None

    @classmethod
    def blocks(cls) -> Iterator[tuple[str, MBConv]]:
        """Yield each block in order with its tag: 1a, 2a, 2b and so on."""
        for stage, (repeats, first) in enumerate(cls.stages, 1):
            for repeat in range(repeats):
                yield f"{stage}{ascii_lowercase[repeat]}", first if repeat == 0 else first._replace(stride=1)


class _Graph:
    """Builds the Keras graph of a network; `start` makes the first weights of its convolutions."""

    def __init__(self, network: InvertedResiduals, start: Any) -> None:
        self._of = network
        self._start = start

    def model(self, size: int) -> Any:
        import keras

        pixels = keras.Input((size, size, 3), dtype="float32", name="pixels")
        x = keras.layers.Rescaling(self._of.scale, offset=self._of.offset, name="stem_scale")(pixels)
        x = self._relu6(self._norm(self._conv(x, STEM, 3, 2, "stem_conv"), "stem_bn"), "stem_relu")
        for tag, block in self._of.blocks():
            x = self._block(x, f"block{tag}", block)
        x = self._relu6(self._norm(self._conv(x, TOP, 1, 1, "top_conv"), "top_bn"), "top_relu")
        return keras.Model(pixels, keras.layers.GlobalAveragePooling2D(name="top_average")(x), name=self._of.name)

    def _block(self, x: Any, name: str, block: MBConv) -> Any:
        """Widen, filter each channel on its own, and narrow; the input is added where the shapes agree."""
        from keras import layers

        below = x
        if block.expansion > 1:
            x = self._conv(x, below.shape[-1] * block.expansion, 1, 1, f"{name}_expand_conv")
            x = self._relu6(self._norm(x, f"{name}_expand_bn"), f"{name}_expand_relu")
        x, padding = self._padded(x, block.kernel, block.stride, f"{name}_depthwise")
        x = layers.DepthwiseConv2D(
            block.kernel,
            block.stride,
            padding=padding,
            use_bias=False,
            depthwise_initializer=self._start,
            name=f"{name}_depthwise_conv",
        )(x)
        x = self._relu6(self._norm(x, f"{name}_depthwise_bn"), f"{name}_depthwise_relu")
        x = self._norm(self._conv(x, block.channels, 1, 1, f"{name}_project_conv"), f"{name}_project_bn")
        adds = block.stride == 1 and below.shape[-1] == block.channels
        return layers.Add(name=f"{name}_add")([x, below]) if adds else x

    def _conv(self, x: Any, channels: int, kernel: int, stride: int, name: str) -> Any:
        """Return `x` after a convolution without a bias, padded with zeros so that only `stride` makes it smaller.

        Args:
            x: (batch, height, width, any number of channels).
            channels: How many come out.
            kernel: Its side, in pixels.
            stride: In pixels.
            name: The layer's.
        """
        from keras import layers

        x, padding = self._padded(x, kernel, stride, name.removesuffix("_conv"))
        return layers.Conv2D(
            channels, kernel, stride, padding=padding, use_bias=False, kernel_initializer=self._start, name=name
        )(x)

    def _padded(self, x: Any, kernel: int, stride: int, name: str) -> tuple[Any, str]:
        """Return `x`, with its zeros where Keras would add them elsewhere, and how the convolution that follows is to pad."""
        from keras import layers

        if stride == 1 or not self._of.pads_both_sides:
            return x, "same"
        return layers.ZeroPadding2D(kernel // 2, name=f"{name}_pad")(x), "valid"

    def _norm(self, x: Any, name: str) -> Any:
        from keras import layers

        return layers.BatchNormalization(epsilon=self._of.epsilon, momentum=MOMENTUM, name=name)(x)

    def _relu6(self, x: Any, name: str) -> Any:
        from keras import layers

        return layers.ReLU(6.0, name=name)(x)


def _initializer() -> Any:
    """Return EfficientNet's first weights: normal, variance 2 over the number of outputs a weight reaches."""
    from keras import initializers

    return initializers.VarianceScaling(2.0, mode="fan_out", distribution="untruncated_normal")


def _set_weights(model: Any, arrays: Arrays, places: dict[str, str]) -> None:
    """Set the layers' weights from the file's tensors. A convolution's axes are (out, in, height, width) in the file."""
    for layer in model.layers:
        if not layer.weights:
            continue
        place = places[layer.name]
        if layer.name.endswith("_bn"):
            layer.set_weights([arrays[f"{place}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")])
        else:
            order = (2, 3, 0, 1) if layer.name.endswith("depthwise_conv") else (2, 3, 1, 0)
            layer.set_weights([arrays[f"{place}.weight"].transpose(order)])
