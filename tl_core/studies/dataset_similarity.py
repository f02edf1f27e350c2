"""Dataset similarity: which data that runs have learned from before these are like, as one network sees both."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import Field

from tl_core.analysis.dataset_distances import Matrix, frechet, interval, mmd
from tl_core.backbones import Backbone, backbones
from tl_core.datasets import Modality
from tl_core.errors import DataError, RunError, SettingError, TransferError
from tl_core.events import Activity
from tl_core.features.cache import cache_of
from tl_core.jobs.background import ResultWriter
from tl_core.precision import Precision
from tl_core.recipe import Recipe
from tl_core.runs.compared import Read, reader
from tl_core.runs.store import Store
from tl_core.studies import Study, StudyResult, register, with_all_labels
from tl_core.studies._datasets_seen import Known, SeenDataset, datasets_known, harmed, verdict, winner
from tl_core.studies.backbone_ranking import here

if TYPE_CHECKING:
    from tl_core.studies._frozen_backbone import FrozenBackbone

FEWEST, MOST_DATASETS = 20, 8
"""So many examples say how a dataset looks, and so many datasets are looked at, those of the newest runs."""


@dataclass(frozen=True)
class DatasetSimilarityResult(StudyResult):
    """The datasets that were `seen` so far, of so many in all, as the `network` sees them, beside so many training `examples` of
    the one that is asked about; `apart` is the largest discrepancy of any two of them. Those of `lost` could not be read, or are
    too small."""

    network: str = ""
    examples: int = 0
    expected: int = 0
    seen: tuple[SeenDataset, ...] = ()
    apart: float | None = None
    lost: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """Return how much of it is done, 0..1."""
        return (len(self.seen) + len(self.lost)) / self.expected if self.expected else 0.0


@register("dataset_similarity")
class DatasetSimilarity(Study[DatasetSimilarityResult]):
    """Hold a dataset against those that finished runs have learned from, by what one network makes of their training examples."""

    title: ClassVar[str] = "Which data seen before is this like?"
    folder: ClassVar[str] = "dataset_similarities"

    examples: int = Field(500, ge=FEWEST, le=2000, title="Examples", description="At most so many training examples of each.")

    def first(self) -> DatasetSimilarityResult:
        return DatasetSimilarityResult()

    def decisive(self, recipe: Recipe) -> Sequence[Any]:
        network = smallest(recipe.dataset.modality)
        return with_all_labels(recipe.dataset), recipe.seed, self.spec(), network.spec() if network else None

    def require_possible(self, recipe: Recipe) -> None:
        recipe.dataset.require_readable(recipe.seed)
        if smallest(recipe.dataset.modality) is None:
            raise SettingError(
                f"No pretrained network for {recipe.dataset.modality} is on this machine.",
                "The page Backbone, and python -m tl_core parts backbone, have the lines that bring one.",
                received=recipe.dataset.name,
            )
        if not datasets_known(Store().runs(), recipe):
            raise RunError(
                f"No finished run has learned from other {recipe.dataset.modality} than these.",
                "Train on other data first.",
                received=recipe.dataset.shown_name,
            )

    def run(self, recipe: Recipe, home: Path, writer: ResultWriter[DatasetSimilarityResult]) -> None:
        from tl_core.studies._frozen_backbone import FrozenBackbone

        store, network = Store(home), smallest(recipe.dataset.modality)
        assert network is not None  # `require_possible` has seen to it
        looking = replace(recipe, backbone=network, given_size=network.fitting_size(1), precision=Precision.AUTO)
        frozen = FrozenBackbone(looking, writer.report, cache_of(home))
        own = self._features(frozen, recipe)
        if len(own) < FEWEST:
            raise DataError(
                f"So few training examples do not say what they are like: it takes {FEWEST}.",
                "Add more, or choose other data.",
                received=f"{len(own)} of {recipe.dataset.shown_name}",
            )
        known = datasets_known(store.runs(), recipe)[:MOST_DATASETS]
        writer.update(network=network.listing().title, examples=len(own), expected=len(known))
        others = list[Matrix]()
        for each in known:
            try:
                its = self._features(frozen, each.recipe)
            except TransferError:
                its = own[:0]
            if len(its) < FEWEST:
                writer.update(lost=(*writer.now.lost, each.recipe.dataset.shown_name))
                continue
            with frozen.stages.stage(Activity.COMPARING_SPLITS):
                apart = max((mmd(its, other).value for other in others), default=None)
                seen = _seen(each, own, its, reader(store))
            others.append(its)
            largest = max((value for value in (apart, writer.now.apart) if value is not None), default=None)
            writer.update(seen=(*writer.now.seen, seen), apart=largest)

    def _features(self, frozen: "FrozenBackbone", recipe: Recipe) -> Matrix:
        """Return what the network makes of training examples of a recipe's dataset. Raises a `TransferError` where they are not
        there, or no longer on this machine."""
        with frozen.stages.stage(Activity.READING_DATASET):
            if recipe.dataset.fetches:
                raise DataError("These data are not on this machine.", received=recipe.dataset.shown_name)
            examples = recipe.dataset.whole(recipe.seed).train.subsample(self.examples)
        return np.asarray(frozen.features(examples), np.float64)

    def conclusion(self, found: DatasetSimilarityResult) -> str:
        return verdict(found.seen, found.apart)

    def rows(self, found: DatasetSimilarityResult) -> Iterator[dict[str, Any]]:
        for each in sorted(found.seen, key=lambda each: each.mmd.value):
            span, won = interval(each.mmd), each.winner
            yield {
                "dataset": each.title,
                "examples": each.examples,
                "mmd": each.mmd.value,
                "mmd_low": span.low,
                "mmd_high": span.high,
                "frechet": each.frechet,
                "runs": each.runs,
                "network": won.network if won else None,
                "strategy": won.strategy if won else None,
                "metric": won.value.name if won else None,
                "value": won.value.value if won else None,
                "harmed": ", ".join(each.harmed) or None,
            }


def smallest(modality: Modality) -> Backbone | None:
    """Return the listed network with the fewest parameters of those for such examples that are on this machine and have learned
    something; None where there is none. What somebody has brought is not taken, so that two comparisons have the same one."""
    suiting = [(entry.parameters, spec) for entry, spec in here(modality) if entry.parameters and not entry.brought]
    built = (backbones.build(spec) for _, spec in sorted(suiting, key=lambda pair: pair[0]))
    return next((each for each in built if not each.is_control), None)


def _seen(known: Known, own: Matrix, its: Matrix, read: Read) -> SeenDataset:
    return SeenDataset(
        title=known.recipe.dataset.shown_name,
        examples=len(its),
        mmd=mmd(own, its),
        frechet=frechet(own, its),
        runs=len(known.runs),
        winner=winner(known.runs),
        harmed=harmed(known.runs, read),
    )
