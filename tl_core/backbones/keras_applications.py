"""Networks of `keras.applications`, with weights from a file, from Keras' own cache, or from the network when asked.

Keras is given no chance to fetch anything by itself: its graphs are built with random weights, and a file that is
on this machine is laid into them. (Its `get_file` also leaves half a file in the cache when it is interrupted.)
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from tl_core.backbones import Backbone, CatalogueEntry, Provenance, register
from tl_core.backbones._untrained import RANDOM
from tl_core.errors import WeightsError
from tl_core.networks.blocks import cut_into_blocks
from tl_core.networks.download import download
from tl_core.networks.outline import Network
from tl_core.system.settings import ServerPath, keras_home

LEARNED_FROM = "ImageNet-1k"
REFERENCE = "Keras Applications, table of available models"
SERVER = "https://storage.googleapis.com/"
SUFFIXES = (".h5", ".hdf5")


@dataclass(frozen=True)
class WeightsEntry:
    """What is known of one network. `md5` is the one that Keras checks, where it has one; `block` matches layers' names."""

    file: str
    url: str
    md5: str | None
    parameters: int
    accuracy: float
    licence: str
    block: str


FAMILIES = {
    "MobileNetV2": WeightsEntry(
        file="mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5",
        url="tensorflow/keras-applications/mobilenet_v2/",
        md5=None,
        parameters=2_257_984,
        accuracy=0.713,
        licence="Apache-2.0 (Keras and its weights)",
        block=r"(?:block_(\d+)|expanded_conv)_",
    ),
    "EfficientNetB0": WeightsEntry(
        file="efficientnetb0_notop.h5",
        url="keras-applications/",
        md5="50bc09e76180e00e4465e1a485ddc09d",
        parameters=4_049_571,
        accuracy=0.771,
        licence="Apache-2.0 (Keras; weights converted from Google's, also Apache-2.0)",
        block=r"block(\d[a-d])_",
    ),
    "ResNet50": WeightsEntry(
        file="resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
        url="tensorflow/keras-applications/resnet/",
        md5="4d473c1dd8becc155b73f8504c6f6626",
        parameters=23_587_712,
        accuracy=0.749,
        licence="Apache-2.0 (Keras), MIT (weights, ported from Kaiming He's)",
        block=r"conv(\d)_block(\d)_",
    ),
}


@register("keras_applications")
class KerasApplications(Backbone):
    """Three well-known networks that learned ImageNet: MobileNetV2, EfficientNetB0 and ResNet50.

    Their graphs come with Keras (keras.io/api/applications); their weights are taken from a file you name, from
    Keras' cache on this machine, or, only when you ask for it, from Google's server.
    """

    title: ClassVar[str] = "Keras Applications"
    listing_order: ClassVar[int] = 20

    family: Literal["MobileNetV2", "EfficientNetB0", "ResNet50"] = Field(
        "MobileNetV2", title="Network", description="Which network: MobileNetV2 is the quickest, ResNet50 the largest."
    )
    weights_file: ServerPath | None = Field(
        None,
        title="Weights file",
        description="A Keras weights file (.h5) of this network without its top; empty looks in Keras' cache.",
    )
    download: bool = Field(
        False, title="Download", description="Fetch the weights from the network if they are not on this machine (9 to 95 MB)."
    )

    @classmethod
    def catalogue(cls) -> tuple[CatalogueEntry, ...]:
        """Return the three networks. Their accuracies are those Keras publishes, at 224 pixels."""
        return tuple(_listing(name, family) for name, family in FAMILIES.items())

    def load(self, size: int, *, pretrained: bool) -> Network:
        """Return the network: pixels (batch, size, size, 3) in 0..255 to averaged features (batch, 1280; ResNet50 2048).

        Raises `WeightsError` where the weights are missing, cannot be fetched or do not fit, `SettingError` where the images are
        too small.
        """
        self.require_size(size)
        family = FAMILIES[self.family]
        file = self._obtain() if pretrained else None
        model = _graph(self.family, size)
        blocks = cut_into_blocks(model, family.block)
        if file is None:
            return Network(model, blocks, RANDOM)
        _load_weights(model, file)
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        source = f"Keras Applications, {self.family}, {file}"
        return Network(model, blocks, Provenance(source, family.licence, LEARNED_FROM, digest))

    def require_weights(self) -> None:
        """Raise `WeightsError` unless the weights are on this machine or may be fetched."""
        if self._find() is None and not self.download:
            raise WeightsError(
                f"The weights of {self.family} are not on this machine, neither named by weights_file nor in Keras' cache.",
                "Set download to fetch them, or weights_file to where you have them.",
                received=f"nothing at {cached_file(FAMILIES[self.family])}",
            )

    def _find(self) -> Path | None:
        """Return the weights on this machine, or None. Raises `WeightsError` where a file that was named is not there."""
        if self.weights_file is not None:
            named = self.weights_file
            if not named.is_file() or named.suffix not in SUFFIXES:
                raise WeightsError(
                    f"The weights file of {self.family} is not there or is no HDF5 file by its name.",
                    "Give the path of a Keras weights file that ends in .h5.",
                    received=f"weights_file={self.weights_file}",
                )
            return named
        cached = cached_file(FAMILIES[self.family])
        return cached if cached.is_file() else None

    def _obtain(self) -> Path:
        self.require_weights()
        family = FAMILIES[self.family]
        return self._find() or download(f"{SERVER}{family.url}{family.file}", cached_file(family), family.md5)


def cached_file(family: WeightsEntry) -> Path:
    """Return where Keras keeps the weights of `family`, whether they are there or not."""
    return keras_home() / "models" / family.file


def _listing(name: str, family: WeightsEntry) -> CatalogueEntry:
    file = cached_file(family)
    here = file.is_file()
    return CatalogueEntry(
        title=name,
        settings={"family": name},
        parameters=family.parameters,
        accuracy=family.accuracy,
        reference=REFERENCE,
        learned_from=LEARNED_FROM,
        licence=family.licence,
        here=here,
        weights=str(file) if here else f"{SERVER}{family.url}{family.file}",
    )


def _graph(name: str, size: int) -> Any:
    """Return the network on its preprocessing. Handing Keras the tensor, not a model, keeps the graph flat."""
    import keras

    pixels = keras.Input((size, size, 3), dtype="float32", name="pixels")
    build = getattr(keras.applications, name)
    built = build(include_top=False, weights=None, input_tensor=_preprocess(name, pixels))
    features = keras.layers.GlobalAveragePooling2D(name="average")(built.output)
    model = keras.Model(pixels, features, name=name.lower())
    return keras.models.clone_model(model, clone_function=_with_fixed_name) if name == "EfficientNetB0" else model


def _with_fixed_name(layer: Any) -> Any:
    """Return a copy of `layer`. Where Keras numbered it through the process ("normalization_3"), its kind alone is its name:
    paths of variables must not depend on what was built before."""
    kind = re.fullmatch(r"(rescaling|normalization)(_\d+)?", layer.name)
    return type(layer).from_config(layer.get_config() | ({"name": kind[1]} if kind else {}))


def _preprocess(name: str, pixels: Any) -> Any:
    """Return what the network expects in place of 0..255: numerically `keras.applications`' own, in layers that can be saved."""
    import keras

    if name == "MobileNetV2":
        return keras.layers.Rescaling(1 / 127.5, offset=-1, name="scale")(pixels)
    if name == "ResNet50":
        # Caffe's convention: blue first, and the mean colour of ImageNet taken off.
        blue_first = keras.ops.flip(pixels, axis=-1)
        return keras.layers.Rescaling(1, offset=[-103.939, -116.779, -123.68], name="centre")(blue_first)
    # EfficientNetB0 holds its normalisation itself: v = (x / 255 - mean) / sqrt(std). Its published weights also need
    # v / sqrt(std), a layer that Keras adds only where it fetches the weights itself. The same, moved before it:
    mean, root = (0.485, 0.456, 0.406), [std**0.5 for std in (0.229, 0.224, 0.225)]
    offset = [255 * m * (1 - 1 / r) for m, r in zip(mean, root, strict=True)]
    return keras.layers.Rescaling([1 / r for r in root], offset=offset, name="spread")(pixels)


def _load_weights(model: Any, file: Path) -> None:
    """Load HDF5 by Keras' own reader, which unpickles nothing. Raises `WeightsError` for whatever it raises for a wrong file."""
    try:
        model.load_weights(str(file))
    except (OSError, ValueError, LookupError, TypeError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise WeightsError(
            f"The weights file does not fit {model.name} ({reason}).",
            "Give the file of this network without its top, or remove the file and set download.",
            received=file,
        ) from None
