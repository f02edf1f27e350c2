"""Text encoders of KerasHub, by the name of a preset or from a folder."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from tl_core.backbones import register
from tl_core.backbones._keras_hub import CONFIG
from tl_core.backbones._preset_backbone import Known, PresetBackbone, example_folder, preset_field
from tl_core.backbones._preset_texts import ASSETS, TOKENIZER, PresetTokens, mean_of_tokens
from tl_core.backbones._texts import PieceBackbone
from tl_core.backbones._untrained import RANDOM
from tl_core.data.preprocessor import Preprocessor
from tl_core.errors import SettingError
from tl_core.networks.blocks import cut_into_blocks
from tl_core.networks.outline import Network

if TYPE_CHECKING:
    import tempfile

BOOKS = "English Wikipedia and BooksCorpus"
KNOWN = {
    "bert_tiny_en_uncased": Known("BERT tiny", 4_369_408, BOOKS, "Apache-2.0"),
    "distil_bert_base_en_uncased": Known("DistilBERT", 66_362_880, BOOKS, "Apache-2.0"),
    "bert_base_en_uncased": Known("BERT base", 108_891_648, BOOKS, "Apache-2.0"),
    "roberta_base_en": Known("RoBERTa base", 124_052_736, "English books, Wikipedia, news and web pages", "MIT"),
    "xlm_roberta_base_multi": Known("XLM-RoBERTa base", 277_450_752, "web pages in 100 languages", "MIT"),
}


@register("keras_hub_text")
class KerasHubText(PresetBackbone, PieceBackbone):
    """Encoders of texts from KerasHub, such as BERT, DistilBERT and RoBERTa.

    The features are the mean of what the last layer gives of a text's tokens, as for sentences it is better than that of the
    first token alone (Reimers and Gurevych 2019, arXiv 1908.10084). The tokenizer is the preset's own. Dropout is off.
    """

    title: ClassVar[str] = "KerasHub text encoder"
    listing_order: ClassVar[int] = 60

    known: ClassVar[Mapping[str, Known]] = KNOWN
    needed: ClassVar[tuple[str, ...]] = (TOKENIZER,)

    preset: str = preset_field("bert_tiny_en_uncased")

    @classmethod
    def example(cls) -> Self:
        return cls(folder=Path(_example_folder().name))

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


@cache
def _example_folder() -> "tempfile.TemporaryDirectory[str]":
    """Return a folder with a small preset without weights, written without KerasHub."""
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "text", "first", "another", "that", "says", "little", "more"]
    sizes = {"num_layers": 2, "num_heads": 2, "hidden_dim": 16, "intermediate_dim": 32, "max_sequence_length": 64}
    network = "bert.bert_backbone", "BertBackbone", sizes | {"vocabulary_size": 256, "dropout": 0.1}
    folder = example_folder({CONFIG: network, TOKENIZER: ("bert.bert_tokenizer", "BertTokenizer", {})})
    assets = Path(folder.name, ASSETS)
    assets.mkdir(parents=True)
    (assets / "vocabulary.txt").write_text("\n".join(words), encoding="utf-8")
    return folder
