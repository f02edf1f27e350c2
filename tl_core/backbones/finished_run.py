"""Networks that were trained here: what a finished run has left is what the next one starts from."""

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, Field

from tl_core.backbones import Backbone, CatalogueEntry, Provenance, backbones, register
from tl_core.backbones._saved_example import saved_example
from tl_core.backbones._saved_network import SavedNetwork
from tl_core.errors import TransferError, WeightsError
from tl_core.networks.classifier import CENTRE, HEAD
from tl_core.networks.model_file import ModelFile
from tl_core.registry import registry
from tl_core.result import Result
from tl_core.spec import RunSpec
from tl_core.system import settings
from tl_core.system.settings import MODEL, RESULT, SPEC

UNTOLD = "its run does not say"
EXAMPLE = "example"
"""Stands for a run in the contract tests. The id of a run begins with its day."""
LETTERS = 6
"""As many of the last letters of an id as tell one run from another in lists."""


def _whole_id(given: str) -> str:
    """Return the id of the run that is `given` by its last letters; what is given where there is no such run, or several."""
    folders = settings.run_folders(settings.home())
    found = [] if (folders / given).is_dir() else [place.name for place in folders.glob(f"*{given}")]
    return found[0] if len(found) == 1 else given


RunId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$"), AfterValidator(_whole_id)]
"""The id of a run, made whole when it is set, so that a later run whose id ends alike changes nothing."""


@register("finished_run")
class FinishedRun(SavedNetwork):
    """The network of a finished run: what it has learned is where the next one starts.

    It is what stands below the head of the run's stored model, with the weights with which the run ended. So ImageNet leads to
    your first dataset, and that one to your second.
    """

    title: ClassVar[str] = "A finished run"
    listing_order: ClassVar[int] = 30
    unnamed: ClassVar[CatalogueEntry] = CatalogueEntry(
        title=title,
        settings={},
        parameters=0,
        accuracy=None,
        reference=None,
        learned_from="what the run began with, then its dataset",
        licence="that of the weights that the run began with",
        here=False,
        weights="what a run of yours has learned",
    )
    how_to_name: ClassVar[str] = "Set backbone.run to the id of a finished run; the page Result has a button that does it."

    run: RunId | None = Field(
        None, title="Run", description="The id of a finished run, or its last letters: see python -m tl_core runs."
    )

    @classmethod
    def example(cls) -> Self:
        return cls(run=EXAMPLE)

    @property
    def folder(self) -> Path:
        """Return the folder of the run's files."""
        return saved_example().parent if self.run == EXAMPLE else settings.run_folders(settings.home()) / str(self.run)

    @property
    def file(self) -> ModelFile | None:
        return ModelFile(self.folder / MODEL, f"Run {self.run[-LETTERS:]}") if self.run else None

    def required_file(self) -> ModelFile:
        """Return the file of the model. Raises `WeightsError` where no run is named, it is not there, or it has not finished."""
        file = super().required_file()
        if not self.folder.is_dir():
            raise WeightsError(
                "This run is not here, or was deleted.",
                "Choose another one: python -m tl_core runs lists them.",
                received=f"run {self.run}",
            )
        if not file.path.exists():
            raise WeightsError(
                "This run has left no model, as only a finished run does.",
                "Choose one that is done: python -m tl_core runs lists them.",
                received=f"run {self.run}",
            )
        return file

    def require_weights(self) -> None:
        """Raise `WeightsError` as `required_file` does, and `SettingError` where the run's network gives its features only."""
        self.required_file()
        if own := self._own_network():
            own.require_layers("To start from a run", "Take that network itself as the backbone.")
        super().require_weights()

    def _own_network(self) -> Backbone | None:
        """Return the backbone of the run; None where that is not told."""
        try:
            return backbones.build(RunSpec.read(self.folder / SPEC).backbone)
        except TransferError:
            return None

    def features(self, model: Any) -> Any:
        named = {layer.name: layer for layer in model.layers}
        return (named.get(CENTRE) or named[HEAD]).input

    def provenance(self, digest: str) -> Provenance:
        try:
            before, learned_from = _told(self.folder)
        except (TransferError, OSError, ValueError):
            return Provenance(f"run {self.run}", UNTOLD, UNTOLD, digest)
        return Provenance(f"run {self.run}", before.licence, learned_from, digest, before)


@lru_cache(maxsize=256)  # lists of runs ask for each again and again, and what a finished run has left never changes
def _told(folder: Path) -> tuple[Provenance, str]:
    """Return where the weights came from with which a run began, and what its dataset is called. Raises `TransferError`,
    `OSError` and `ValueError` where they are not there, or not to be read."""
    dataset = registry("dataset").build(RunSpec.read(folder / SPEC).dataset)
    return Result.model_validate_json((folder / RESULT).read_bytes()).provenance, dataset.shown_name
