"""Text encoders of KerasHub, by the name of a preset or from a folder."""

import json
import tempfile
from functools import cache
from pathlib import Path
from typing import ClassVar, NamedTuple, Self

from pydantic import Field

from tl_core.backbones import CatalogueEntry, register
from tl_core.backbones._keras_hub import Preset
from tl_core.backbones._preset_texts import ASSETS, TOKENIZER, PresetTokens, mean_of_tokens
from tl_core.backbones._texts import PieceBackbone
from tl_core.backbones._untrained import RANDOM
from tl_core.data.preprocessor import Preprocessor
from tl_core.errors import SettingError, WeightsError, printable
from tl_core.networks.blocks import cut_into_blocks
from tl_core.networks.outline import Network
from tl_core.system.settings import ServerPath

UNTOLD = "its folder does not say"


class Known(NamedTuple):
    """What is published of a preset; `parameters` are without the layer that the source's classifier has on the first token."""

    title: str
    parameters: int
    learned_from: str
    licence: str


BOOKS = "English Wikipedia and BooksCorpus"
KNOWN = {
    "bert_tiny_en_uncased": Known("BERT tiny", 4_369_408, BOOKS, "Apache-2.0"),
    "distil_bert_base_en_uncased": Known("DistilBERT", 66_362_880, BOOKS, "Apache-2.0"),
    "bert_base_en_uncased": Known("BERT base", 108_891_648, BOOKS, "Apache-2.0"),
    "roberta_base_en": Known("RoBERTa base", 124_052_736, "English books, Wikipedia, news and web pages", "MIT"),
    "xlm_roberta_base_multi": Known("XLM-RoBERTa base", 277_450_752, "web pages in 100 languages", "MIT"),
}
"""The presets that are offered. Others go by their names, too."""


@register("keras_hub_text")
class KerasHubText(PieceBackbone):
    """Encoders of texts from KerasHub, such as BERT, DistilBERT and RoBERTa.

    The features are the mean of what the last layer gives of a text's tokens, as for sentences it is better than that of the
    first token alone (Reimers and Gurevych 2019, arXiv 1908.10084). The tokenizer is the preset's own. Dropout is off.
    """

    title: ClassVar[str] = "KerasHub text encoder"
    listing_order: ClassVar[int] = 60

    preset: str = Field(
        "bert_tiny_en_uncased",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        title="Preset",
        description="The name by which KerasHub knows the network; its files are looked for in Kaggle's cache on this machine.",
    )
    folder: ServerPath | None = Field(
        None,
        title="Folder",
        description="A folder that KerasHub's save_to_preset has written, in place of a preset by its name.",
    )
    download: bool = Field(
        False, title="Download", description="Fetch the preset from Kaggle if it is not on this machine (17 MB to 1.1 GB)."
    )

    @classmethod
    def example(cls) -> Self:
        return cls(folder=Path(_example_folder().name))

    @classmethod
    def catalogue(cls) -> tuple[CatalogueEntry, ...]:
        """Return the presets that are offered."""
        return tuple(_listing(name, known) for name, known in KNOWN.items())

    def listing(self) -> CatalogueEntry:
        """Return the entry of the catalogue, or one for a folder or another preset, which has no settings that choose it."""
        if self.folder is None and self.preset in KNOWN:
            return _listing(self.preset, KNOWN[self.preset])
        preset = self._preset
        return CatalogueEntry(
            title=printable(self.folder.name or str(self.folder)) if self.folder else self.preset,
            settings={},
            parameters=preset.parameters,
            accuracy=None,
            reference=None,
            learned_from=UNTOLD,
            licence=UNTOLD,
            here=_is_here(preset),
            weights=printable(str(preset.place or "Kaggle")),
        )

    @property
    def _preset(self) -> Preset:
        return Preset(self.preset, self.folder, (TOKENIZER,))

    @property
    def longest(self) -> int:
        """Return how many tokens of a text the network can tell the places of."""
        return int(self._preset.config.get("max_sequence_length", self.native_size))

    def fitting_size(self, typical: int | None) -> int:
        """Return the tokens for texts of so many words, at most what the network can take."""
        return min(super().fitting_size(typical), self.longest)

    def require_size(self, size: int) -> None:
        """Raise `SettingError` where so few tokens hold no text, or there are more than the network can take."""
        super().require_size(size)
        if self._preset.config and size > self.longest:
            raise SettingError(
                f"{self.listing().title} takes at most {self.longest} tokens.",
                f"Set {self.size_setting} to {self.longest} or less.",
                received=f"{self.size_setting}={size}",
            )

    def require_weights(self) -> None:
        """Raise `WeightsError` unless KerasHub is installed, and the preset is here or may be fetched."""
        self._preset.require(download=self.download)

    def preprocessor(self, size: int) -> Preprocessor:
        self._preset.require(download=self.download, weights=False)
        return PresetTokens(self._preset, size)

    def load(self, size: int, *, pretrained: bool) -> Network:
        """Return the network: tokens (batch, size) to the mean of what its last layer gives of them (batch, width).

        Raises `WeightsError` where the preset is missing, cannot be read or is no encoder of texts, `SettingError` where the size
        does not suit it.
        """
        self.require_size(size)
        preset = self._preset
        made = preset.network(pretrained=pretrained, download=self.download, dropout=0.0)
        self.require_size(size)  # now that its settings are here, if they were fetched
        model = mean_of_tokens(made, size, preset)
        listing = self.listing()
        provenance = preset.provenance(listing.licence, listing.learned_from) if pretrained else RANDOM
        return Network(model, cut_into_blocks(model), provenance)


def _is_here(preset: Preset) -> bool:
    try:
        preset.require(download=False)
    except WeightsError:
        return False
    return True


def _listing(name: str, known: Known) -> CatalogueEntry:
    preset = Preset(name, None, (TOKENIZER,))
    here = _is_here(preset)
    return CatalogueEntry(
        title=known.title,
        settings={"preset": name},
        parameters=known.parameters,
        accuracy=None,
        reference=None,
        learned_from=known.learned_from,
        licence=known.licence,
        here=here,
        weights=str(preset.place) if here else f"Kaggle, preset {name}",
    )


@cache
def _example_folder() -> "tempfile.TemporaryDirectory[str]":
    """Return a folder with a small preset without weights, written without KerasHub."""
    folder = tempfile.TemporaryDirectory(prefix="transfer_lab_preset_")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "text", "first", "another", "that", "says", "little", "more"]
    sizes = {"num_layers": 2, "num_heads": 2, "hidden_dim": 16, "intermediate_dim": 32, "max_sequence_length": 64}
    kinds = {"config.json": ("Backbone", sizes | {"vocabulary_size": 256, "dropout": 0.1}), TOKENIZER: ("Tokenizer", {})}
    for file, (kind, settings) in kinds.items():
        module = f"keras_hub.src.models.bert.bert_{kind.lower()}"
        said = {"module": module, "class_name": f"Bert{kind}", "config": settings, "registered_name": f"keras_hub>Bert{kind}"}
        Path(folder.name, file).write_text(json.dumps(said), encoding="utf-8")
    assets = Path(folder.name, ASSETS)
    assets.mkdir(parents=True)
    (assets / "vocabulary.txt").write_text("\n".join(words), encoding="utf-8")
    return folder
