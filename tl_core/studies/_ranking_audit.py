"""Finished runs held against the rankings of their data. Nothing is kept for it beside the rankings and the runs."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tl_core.analysis.audit import Audit, Held
from tl_core.analysis.ranking import Candidate
from tl_core.analysis.statistics import wilson
from tl_core.errors import RunError, TransferError
from tl_core.jobs import background
from tl_core.recipe import Recipe
from tl_core.registry import title_with_settings
from tl_core.runs.store import Run
from tl_core.studies.backbone_ranking import BackboneRanking, BackboneRankingResult

DigestOf = Callable[[Run], str]
"""From a finished run to the digest of its data, as `Result.data_digest` has it; raises `RunError` where its result is lost."""


def rankings(home: Path) -> Iterator[BackboneRankingResult]:
    """Yield the finished rankings that are kept and know their data, of the same data the newest one."""
    files = sorted((home / BackboneRanking.folder).glob("*.json"), key=lambda file: -file.stat().st_mtime)
    seen = {""}
    for file in files:
        found = background.read(file, BackboneRankingResult)
        if found is not None and found.data_digest not in seen:
            seen.add(found.data_digest)
            yield found


def audits(found: BackboneRankingResult, runs: Sequence[Run], digest_of: DigestOf) -> list[Audit]:
    """Return the ranked networks that `runs` have trained on the very data of a ranking, apart by the strategy and its settings;
    those of most networks come first. Runs that transfer nothing are left out: a score of pretrained features says nothing of
    them."""
    ranked = {_identity(each.backbone, each.settings, each.size): each for each in found.candidates if not each.random}
    trained, titles = defaultdict[str, dict[str, list[Run]]](lambda: defaultdict(list)), dict[str, tuple[str, str]]()
    for run in runs:
        recipe = recipe_of(run) if found.test_digest and run.test_digest == found.test_digest else None
        if recipe is None or not recipe.strategy.pretrained or not _is_of(run, found.data_digest, digest_of):
            continue
        network = _identity(recipe.backbone.name, recipe.backbone.listing().settings, recipe.shown_size)
        if network in ranked:
            way = recipe.strategy.spec().model_dump_json()
            titles[way] = recipe.strategy.name, title_with_settings(recipe.strategy)
            trained[way][network].append(run)
    made = (
        Audit(*titles[way], tuple(_held(ranked[network], alike) for network, alike in networks.items()))
        for way, networks in trained.items()
    )
    return sorted(made, key=lambda audit: (-len(audit.networks), audit.title))


def recipe_of(run: Run) -> Recipe | None:
    """Return the parts of a run; None where one is no longer installed."""
    try:
        return Recipe.of(run.spec)
    except TransferError:
        return None


def _is_of(run: Run, data_digest: str, digest_of: DigestOf) -> bool:
    """Return whether a run is on these data; one whose result is lost is on none."""
    try:
        return digest_of(run) == data_digest
    except RunError:
        return False


def _identity(backbone: str, settings: dict[str, Any], size: str) -> str:
    return json.dumps([backbone, settings, size], sort_keys=True, default=str)


def _held(candidate: Candidate, runs: Sequence[Run]) -> Held:
    """Return what a network has reached in `runs`, at least one, all tested on the same examples."""
    tested = runs[0].test_images or 1
    accuracy = sum(run.correct or 0 for run in runs) / len(runs) / tested
    return Held(candidate, accuracy, wilson(round(accuracy * tested), tested), tuple(run.id for run in runs))
