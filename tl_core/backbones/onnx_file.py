"""Networks out of ONNX files: frozen ones, which OpenVINO computes."""

from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, Field

from tl_core.backbones import Backbone, CatalogueEntry, Provenance, _shelf, register
from tl_core.backbones._onnx_example import EXAMPLE, example_home
from tl_core.backbones._shelf import Brought
from tl_core.errors import SettingError, WeightsError
from tl_core.networks.download import WeightsFile, known_digest
from tl_core.networks.onnx_graph import OnnxGraph
from tl_core.networks.outline import Network
from tl_core.system import settings

UNTOLD = "its file does not say"
HOW_TO_BRING = "python -m tl_core weights import NAME=FILE.onnx brings one"
Whole = Annotated[str, AfterValidator(lambda network: _shelf.whole(settings.home(), network))]


@register("onnx_file")
class OnnxFile(Backbone):
    """A network of yours, of whatever library, in an ONNX file: it stays frozen, and OpenVINO computes it.

    Its features, averaged over all places where they have any, are what heads, rankings, maps and what-ifs stand on. No layer of
    it can be trained, looked into or drawn anew here.
    """

    title: ClassVar[str] = "An ONNX file"
    listing_order: ClassVar[int] = 45
    features_only: ClassVar[bool] = True

    network: Whole | None = Field(None, title="Network", description=f"What it was called when it came here: {HOW_TO_BRING}.")

    @classmethod
    def example(cls) -> Self:
        return cls(network=EXAMPLE)

    @classmethod
    def catalogue(cls) -> tuple[CatalogueEntry, ...]:
        """Return what is on the shelf, and an entry that stands for those that are not."""
        home = settings.home()
        return (*(_listed(home, each) for each in _shelf.brought(home)), cls().listing())

    def listing(self) -> CatalogueEntry:
        """Return what is known of the network."""
        found = self._found()
        if found:
            return _listed(self._home, found)
        if self.network is None:
            return _entry(self.title, "a network of any library, once you bring it here")
        return _entry(self.network, f"not on this machine: {HOW_TO_BRING}")

    def sizes(self) -> tuple[int, int]:
        found = self._found()
        return (found.facts.side,) * 2 if found and found.facts.side else super().sizes()

    def require_size(self, size: int) -> None:
        """Raise `SettingError` where its input has another size, or images of that one are too small for it."""
        super().require_size(size)
        found = self._found()
        if found and found.facts.side and size != found.facts.side:
            raise SettingError(
                f"{found.name} takes images of {found.facts.side} {self.unit} alone, as its file says.",
                f"Set {self.size_setting} to {found.facts.side}.",
                received=f"{self.size_setting}={size}",
            )

    def require_weights(self) -> None:
        """Raise `WeightsError` unless the network is on the shelf, and its file the one that came."""
        self._required()

    def load(self, size: int, *, pretrained: bool) -> Network:
        """Return the network: pixels (batch, size, size, 3) in 0..255 to features, and a Keras model that passes these on.

        Raises `WeightsError` where it is not there as it came, or random weights are asked for; `SettingError` where it does not
        take that size.
        """
        graph = self.graph(size)
        if not pretrained:
            raise WeightsError(
                "The weights of a network in an ONNX file cannot be drawn anew.",
                "Choose a network of Keras' to train from random weights.",
                received=f"{self.name} {self.network}",
            )
        import keras

        features = keras.Input((graph.facts.features,), dtype="float32", name="features")
        told = Provenance(str(graph.path), UNTOLD, UNTOLD, graph.digest)
        return Network(keras.Model(features, features, name=self.name), (), told, graph=graph)

    def graph(self, size: int) -> OnnxGraph:
        self.require_size(size)
        found = self._required()
        file, scaling = self._file(found), found.pixels.affine()
        return OnnxGraph(file, found.digest, found.output, scaling, size, found.facts)

    @property
    def _home(self) -> Path:
        return example_home() if self.network == EXAMPLE else settings.home()

    def _found(self) -> Brought | None:
        return _shelf.find(self._home, self.network) if self.network else None

    def _file(self, found: Brought) -> Path:
        return _shelf.graph_file(self._home, found.name)

    def _required(self) -> Brought:
        found = self._found()
        if found is None:
            what = "No network is named." if self.network is None else "There is no network of that name on this machine."
            raise WeightsError(what, f"{HOW_TO_BRING}; then set backbone.network=NAME.", received=self.network or "nothing")
        if known_digest(self._file(found)) != found.digest:
            raise WeightsError(
                f"The file of {found.name} is not the one that came, since its sha256 differs, or it is gone.",
                f"python -m tl_core weights remove {found.name} removes it; then bring it again.",
                received=self._file(found),
            )
        return found


def _listed(home: Path, found: Brought) -> CatalogueEntry:
    file = _shelf.graph_file(home, found.name)
    chosen = {"network": _shelf.whole(home, found.name)}
    return _entry(found.name, str(file), chosen, found.facts.parameters, WeightsFile(file, found.digest))


def _entry(
    title: str, weights: str, chosen: dict[str, Any] | None = None, parameters: int = 0, file: WeightsFile | None = None
) -> CatalogueEntry:
    return CatalogueEntry(
        title=title,
        settings=chosen or {},
        parameters=parameters,
        accuracy=None,
        reference=None,
        learned_from=UNTOLD,
        licence=UNTOLD,
        here=file is not None and file.place.is_file(),
        weights=weights,
        counts_head=True,
        file=file,
        brought=file is not None,
    )
