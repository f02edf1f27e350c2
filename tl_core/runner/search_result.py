"""What a search has come to: facts, as they grow."""

from dataclasses import dataclass

from tl_core.result import MetricValue
from tl_core.runs.searched import NotTried, Regret, Tried
from tl_core.studies import StudyResult


@dataclass(frozen=True)
class SearchResult(StudyResult):
    """What a search has come to within its `budget` of seconds.

    `networks` are those on this machine, of which the ranking takes `ranking_seconds`, None unless there was no time for it.
    `groups` are the ids of its groups of runs, and `queued` those of the runs that it made. What it `tried` are all runs of
    these groups; of them `best` is the id of the best by its validation images, and `alone` of what the ranking alone would have
    given, empty where it is not known. `regret` is how far that lies behind the best. `test` is what the best reached on the test
    images, None until the end. `stopped` says that somebody ended it early.
    """

    budget: float = 0.0
    networks: int = 0
    ranking_seconds: float | None = None
    groups: tuple[str, ...] = ()
    queued: tuple[str, ...] = ()
    tried: tuple[Tried, ...] = ()
    not_tried: tuple[NotTried, ...] = ()
    best: str = ""
    alone: str = ""
    regret: Regret | None = None
    test: MetricValue | None = None
    stopped: bool = False

    @property
    def share(self) -> float:
        """Return how much of its time is over, 0..1."""
        return min(1.0, self.seconds / self.budget) if self.budget else 0.0

    def run(self, run_id: str) -> Tried | None:
        """Return one of the runs that it tried; None where it has none of that id."""
        return next((each for each in self.tried if each.run_id == run_id), None)
