"""Search: the best network and strategy that are found within a time. It ranks, probes the front runners, fine-tunes the best."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from tl_core.errors import SettingError
from tl_core.jobs import background
from tl_core.jobs.background import ResultWriter
from tl_core.metrics.accuracy import Accuracy
from tl_core.recipe import Recipe
from tl_core.runner import search, search_words
from tl_core.runner.search_result import SearchResult
from tl_core.runs.store import Store
from tl_core.spec import RunSpec
from tl_core.studies import Study, register
from tl_core.studies.backbone_ranking import BackboneRanking

MOST_MINUTES = 7 * 24 * 60
ENDING_SECONDS = 5.0
"""How long the end of its process is waited for."""


@register("search")
class Search(Study[SearchResult]):
    """Find the best network and strategy within a time: rank the networks, probe the front runners, fine-tune the best."""

    title: ClassVar[str] = "Search for the best"
    folder: ClassVar[str] = "searches"
    needs_classes: ClassVar[bool] = True

    minutes: float = Field(
        10.0,
        gt=0,
        le=MOST_MINUTES,
        allow_inf_nan=False,
        title="Minutes",
        description="So long it may take in all; what is at work then is stopped.",
    )

    def first(self) -> SearchResult:
        return SearchResult()

    def decisive(self, recipe: Recipe) -> Sequence[Any]:
        """Return what is asked of which data: network and strategy are the answer, and a longer search is a better one."""
        draft = recipe.draft()
        own = draft.image_size, draft.seed, draft.precision, draft.deterministic
        return draft.dataset.content, draft.task, draft.metric, draft.executor, *own

    def spec_for(self, recipe: Recipe) -> RunSpec:
        """Return the draft: a size that nobody set goes on following the examples, for each network its own."""
        return recipe.draft()

    def require_possible(self, recipe: Recipe) -> None:
        BackboneRanking().require_possible(recipe)
        metric = recipe.deciding_metric
        if metric != Accuracy() and not recipe.metric_chooses:
            raise SettingError(
                f"{metric.full_title} chooses nothing on validation examples, and a search goes by them.",
                "Choose another metric, such as accuracy.",
                received=metric.name,
            )

    def answer(self, home: Path, recipe: Recipe, runs_before: Callable[[float], int]) -> None:
        """Answer it in this process, which waits for no device: the ranking and the runs do that themselves."""
        writer = ResultWriter(self.file(home, recipe), self.first())
        writer.carry_out(lambda: self.run(recipe, home, writer), recipe.spec())

    def run(self, recipe: Recipe, home: Path, writer: ResultWriter[SearchResult]) -> None:
        search.Course(recipe, Store(home), writer, 60 * self.minutes).go()

    def cancel(self, home: Path, recipe: Recipe) -> None:
        """End it, and the runs that it made. What these had found until then stays."""
        now = self.read(home, recipe)
        super().cancel(home, recipe)
        if now is None or now.finished:
            return
        end = time.monotonic() + ENDING_SECONDS
        while self.is_at_work(home, recipe) and time.monotonic() < end:
            time.sleep(0.05)
        if not now.groups:
            BackboneRanking().cancel(home, recipe)
        found = search.stopped(Store(home), now)
        if found.tried:
            background.write(self.file(home, recipe), found)

    def conclusion(self, found: SearchResult) -> str:
        return " ".join(search_words.sentences(found))

    def rows(self, found: SearchResult) -> Iterator[dict[str, Any]]:
        for each in found.tried:
            value = each.validation
            yield {
                "network": each.network,
                "strategy": each.strategy,
                "state": str(each.state),
                "validation": search_words.told(value) if value else None,
                "seconds": each.seconds,
                "why": search_words.how_far(each),
                "run": each.run_id,
            }
        for left in found.not_tried:
            names = {"network": left.network, "strategy": left.strategy, "state": "not tried", "validation": None}
            yield {**names, "seconds": left.seconds, "why": search_words.why_not(left), "run": None}
