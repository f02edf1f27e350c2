"""Networks out of people's own files: any model of images that Keras has saved."""

from typing import Any, ClassVar, Self

from pydantic import Field

from tl_core.backbones import CatalogueEntry, Provenance, register
from tl_core.backbones._saved_example import saved_example
from tl_core.backbones._saved_network import SavedNetwork
from tl_core.backbones._scaling import ABOUT_PIXELS, Scaling, Told
from tl_core.errors import printable
from tl_core.networks.model_file import ModelFile
from tl_core.system.settings import ServerPath

UNTOLD = "its file does not say"


@register("keras_file")
class KerasModelFile(SavedNetwork):
    """A model of yours in a .keras file: what is below its head is kept.

    Its features are the last tensor that is pooled over the whole image. It is loaded in Keras' safe mode: it must be of Keras'
    own layers, none of them a Lambda, with one input of colour images.
    """

    title: ClassVar[str] = "A .keras file"
    listing_order: ClassVar[int] = 40
    unnamed: ClassVar[CatalogueEntry] = CatalogueEntry(
        title=title,
        settings={},
        parameters=0,
        accuracy=None,
        reference=None,
        learned_from=UNTOLD,
        licence=UNTOLD,
        here=False,
        weights="a file that Keras' model.save has written",
    )

    how_to_name: ClassVar[str] = "Set backbone.path to a .keras file."

    path: ServerPath | None = Field(None, title="File", description="A .keras file with a model of colour images.")
    pixels: Told = Field(Scaling.INSIDE, title="Pixels", description=ABOUT_PIXELS)

    @classmethod
    def example(cls) -> Self:
        return cls(path=saved_example())

    @property
    def file(self) -> ModelFile | None:
        return ModelFile(self.path, printable(self.path.name)) if self.path else None

    @property
    def content(self) -> str:
        """Return the settings with the digest of the file in place of its path, which another file may have tomorrow."""
        found = self.file.digest if self.file else ""
        return f"{self.model_copy(update={'path': None}).model_dump_json()} {found}" if found else super().content

    @property
    def scaling(self) -> Scaling:
        return self.pixels

    def features(self, model: Any) -> Any:
        from tl_core.networks.flat_copy import pooled

        return pooled(model)

    def provenance(self, digest: str) -> Provenance:
        return Provenance(printable(str(self.path)), UNTOLD, UNTOLD, digest)
