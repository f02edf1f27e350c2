"""Networks out of a model that Keras has saved: what is below its head, on images of any size that it can take."""

from abc import abstractmethod
from typing import Any, ClassVar

from tl_core.backbones import Backbone, CatalogueEntry, Provenance
from tl_core.backbones._scaling import Scaling
from tl_core.backbones._untrained import RANDOM
from tl_core.errors import SettingError, WeightsError, printable
from tl_core.networks.blocks import cut_into_blocks
from tl_core.networks.model_file import UNREADABLE, ModelFile, shortened
from tl_core.networks.outline import Network


class SavedNetwork(Backbone):
    """A source that has no list of networks: its settings name one."""

    unnamed: ClassVar[CatalogueEntry]
    """What is listed as long as they name none."""
    how_to_name: ClassVar[str]
    """What helps then."""

    @classmethod
    def catalogue(cls) -> tuple[CatalogueEntry, ...]:
        """Return one entry, which stands for all of them."""
        return (cls.unnamed,)

    @property
    @abstractmethod
    def file(self) -> ModelFile | None:
        """Return the file of the model; None where the settings name none."""

    @abstractmethod
    def provenance(self, digest: str) -> Provenance:
        """Return where the weights come from, as far as it is known; `digest` is the sha256 of the file."""

    @abstractmethod
    def features(self, model: Any) -> Any:
        """Return the tensor (batch, features) of a flat `model` on which its head stands, or a new one might. Raises
        `LookupError` or `ValueError` where it has none."""

    @property
    def scaling(self) -> Scaling:
        """Return what the model expects in place of pixels."""
        return Scaling.INSIDE

    def listing(self) -> CatalogueEntry:
        """Return what is known of the model."""
        if self.file is None:
            return self.unnamed
        facts, told = self.file.facts, self.provenance("")
        return CatalogueEntry(
            title=self.file.title,
            settings={},
            parameters=facts.parameters,
            accuracy=None,
            reference=None,
            learned_from=told.history,
            licence=told.licence,
            here=not facts.problem,
            weights=printable(str(self.file.path)),
            counts_head=True,
        )

    def sizes(self) -> tuple[int, int]:
        native = (self.file.facts.side if self.file else None) or self.native_size
        return min(self.minimum_size, native), native

    def required_file(self) -> ModelFile:
        """Return the file of the model. Raises `WeightsError` where the settings name none."""
        if self.file is None:
            raise WeightsError("No model is named to start from.", self.how_to_name)
        return self.file

    def require_weights(self) -> None:
        """Raise `WeightsError` unless the settings name a model that can be used here."""
        self.required_file().require()

    def load(self, size: int, *, pretrained: bool) -> Network:
        """Return the network: pixels (batch, size, size, 3) in 0..255 to what its head would take (batch, features).

        Raises `WeightsError` where there is no such model, or it cannot be used; `SettingError` where it does not take that size.
        """
        self.require_size(size)
        file = self.required_file()
        model = self._cut(file, size, pretrained=pretrained)
        blocks = cut_into_blocks(model)
        if not blocks:
            raise file.error("has nothing that could train below its features", "Choose another one.")
        return Network(model, blocks, self.provenance(file.digest) if pretrained else RANDOM)

    def _cut(self, file: ModelFile, size: int, *, pretrained: bool) -> Any:
        import keras

        from tl_core.networks.flat_copy import FlatCopy

        saved = file.load(pretrained=pretrained)
        pixels = keras.Input((size, size, 3), dtype="float32", name="pixels")
        try:
            copy = FlatCopy(saved, self.scaling.of(pixels))
            model = keras.Model(pixels, self.features(keras.Model(pixels, copy.output)), name=self.name)
            if pretrained:
                copy.take_weights(model.layers)
        except UNREADABLE as error:
            if size == self.sizes()[1]:
                raise file.error(f"cannot be cut below its head ({shortened(error)})", "Choose another one.") from None
            raise SettingError(
                f"{file.title} cannot take images of {size} {self.unit} ({shortened(error)}).",
                f"Set {self.size_setting} to {self.sizes()[1]}, as it was saved.",
                received=f"{self.size_setting}={size}",
            ) from None
        return model
