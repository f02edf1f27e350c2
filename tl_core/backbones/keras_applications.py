"""Networks of `keras.applications`, with weights from a file, from Keras' own cache, or from the network when asked.

Keras is given no chance to fetch anything by itself: its graphs are built with random weights, and a file that is
on this machine is laid into them. (Its `get_file` also leaves half a file in the cache when it is interrupted.)
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from tl_core.backbones import Backbone, CatalogueEntry, Provenance, register
from tl_core.backbones._keras_catalogue import NETWORKS, Name, WeightsEntry
from tl_core.backbones._untrained import RANDOM
from tl_core.errors import WeightsError
from tl_core.networks.blocks import cut_into_blocks, is_named_by_keras
from tl_core.networks.download import WeightsFile, download, file_digest
from tl_core.networks.outline import Network
from tl_core.system.settings import ServerPath, keras_home

REFERENCE = "Keras Applications, table of available models"
SERVER = "https://storage.googleapis.com/"
SUFFIXES = (".h5", ".hdf5")


@register("keras_applications")
class KerasApplications(Backbone):
    """The forty networks of Keras that learned ImageNet, from MobileNetV3Small to ConvNeXtXLarge.

    Their graphs come with Keras (keras.io/api/applications); their weights are taken from a file you name, from
    Keras' cache on this machine, or, only when you ask for it, from Google's server.
    """

    title: ClassVar[str] = "Keras Applications"
    listing_order: ClassVar[int] = 20

    family: Name = Field("MobileNetV2", title="Network", description="Which of them; MobileNetV2 is among the quickest.")
    weights_file: ServerPath | None = Field(
        None,
        title="Weights file",
        description="A Keras weights file (.h5) of this network without its top; empty looks in Keras' cache.",
    )
    download: bool = Field(
        False,
        title="Download",
        description="Fetch the weights from the network if they are not on this machine (4 MB to 1.4 GB).",
    )

    @classmethod
    def catalogue(cls) -> tuple[CatalogueEntry, ...]:
        """Return all of them. Their accuracies are those that Keras publishes, at each network's own size."""
        return tuple(_listing(name, entry) for name, entry in NETWORKS.items())

    def sizes(self) -> tuple[int, int]:
        entry = NETWORKS[self.family]
        return entry.family.least_pixels, entry.pixels

    def load(self, size: int, *, pretrained: bool) -> Network:
        """Return the network: pixels (batch, size, size, 3) in 0..255 to averaged features (batch, 512 to 4032).

        Raises `WeightsError` where the weights are missing, cannot be fetched or do not fit, `SettingError` where the images are
        too small.
        """
        self.require_size(size)
        family = NETWORKS[self.family].family
        file = self._obtain() if pretrained else None
        model = _graph(self.family, size)
        blocks = cut_into_blocks(model, family.block)
        if file is None:
            return Network(model, blocks, RANDOM)
        _load_weights(model, file)
        source = f"Keras Applications, {self.family}, {file}"
        return Network(model, blocks, Provenance(source, family.licence, family.learned_from, file_digest(file)))

    def require_weights(self) -> None:
        """Raise `WeightsError` unless the weights are on this machine or may be fetched."""
        if self._find() is None and not self.download:
            raise WeightsError(
                f"The weights of {self.family} are not on this machine, neither named by weights_file nor in Keras' cache.",
                f"Set download, or weights_file to where you have them, or run: python -m tl_core weights fetch {self.family}",
                received=f"nothing at {cached_file(NETWORKS[self.family])}",
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
        cached = cached_file(NETWORKS[self.family])
        return cached if cached.is_file() else None

    def _obtain(self) -> Path:
        self.require_weights()
        entry = NETWORKS[self.family]
        return self._find() or download(f"{SERVER}{entry.url}", cached_file(entry), entry.digest)


def cached_file(entry: WeightsEntry) -> Path:
    """Return where Keras keeps the weights of a network, whether they are there or not."""
    return keras_home() / "models" / entry.file


def published_file(entry: WeightsEntry) -> WeightsFile:
    """Return the file of the weights of a network, in Keras' cache."""
    return WeightsFile(cached_file(entry), entry.digest, f"{SERVER}{entry.url}")


def _listing(name: str, entry: WeightsEntry) -> CatalogueEntry:
    file = published_file(entry)
    here = file.place.is_file()
    return CatalogueEntry(
        title=name,
        settings={"family": name},
        parameters=entry.parameters,
        accuracy=entry.accuracy,
        reference=f"{REFERENCE}, at {entry.pixels} px",
        learned_from=entry.family.learned_from,
        licence=entry.family.licence,
        here=here,
        weights=str(file.place if here else file.url),
        file=file,
    )


def _graph(name: str, size: int) -> Any:
    """Return the network on its preprocessing. Handing Keras the tensor, not a model, keeps the graph flat."""
    import keras

    pixels = keras.Input((size, size, 3), dtype="float32", name="pixels")
    build = getattr(keras.applications, name)
    scaled = NETWORKS[name].family.scaling.of(pixels)
    # Some look at the shape before they take the tensor.
    built = build(include_top=False, weights=None, input_tensor=scaled, input_shape=(size, size, 3))
    features = keras.layers.GlobalAveragePooling2D(name="average")(built.output)
    model = keras.Model(pixels, features, name=name.lower())
    numbered = any(is_named_by_keras(layer) for layer in model.layers)
    return keras.models.clone_model(model, clone_function=_with_own_numbers()) if numbered else model


def _with_own_numbers() -> Callable[[Any], Any]:
    """Return what copies the layers of a model. Where Keras numbered them through the process ("conv2d_97"), they are numbered
    through the model: paths of variables must not depend on what was built before."""
    counts = dict[str, int]()

    def copy(layer: Any) -> Any:
        if not is_named_by_keras(layer):
            return type(layer).from_config(layer.get_config())
        kind = re.sub(r"_\d+$", "", layer.name)
        place = counts[kind] = counts.get(kind, -1) + 1
        return type(layer).from_config(layer.get_config() | {"name": f"{kind}_{place}" if place else kind})

    return copy


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
