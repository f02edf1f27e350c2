"""How a search goes: the ranking, then heads on the networks in front, then fine-tuning of the best, all within one time.

It has the ranking answered and starts groups of runs, as anybody could; what follows from what stands here.
"""

import time
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from tl_core.analysis import ranking
from tl_core.analysis.ranking import Candidate
from tl_core.analysis.statements import seconds as spoken
from tl_core.errors import RunError, SettingError
from tl_core.groups.expansion import Shape, expand, read_shape
from tl_core.groups.group import Group, key
from tl_core.jobs.background import ResultWriter
from tl_core.planning import backbone_profile
from tl_core.planning.backbone_profile import BackboneProfile
from tl_core.recipe import Recipe
from tl_core.result import MetricValue
from tl_core.runner import control, group_control, group_plan, search_space, service
from tl_core.runner.search_result import SearchResult
from tl_core.runs import compared, groups, rungs, searched
from tl_core.runs.searched import NotTried, Why
from tl_core.runs.states import State
from tl_core.runs.store import Run, Store
from tl_core.spec import RunSpec
from tl_core.strategies import strategies
from tl_core.studies.backbone_ranking import BackboneRanking, BackboneRankingResult, candidates, described

POLL_SECONDS = 0.5
PROBE = RunSpec().strategy.name
"""The strategy of which a ranking foretells how good a network is with it."""
RANKING = BackboneRanking()


def stop(store: Store, run_ids: Collection[str]) -> None:
    """End those of some runs that move on, the waiting ones first, or the next would begin as soon as one is ended."""
    moving = [run for run in store.runs() if run.id in run_ids and rungs.moves(run)]
    for run in sorted(moving, key=lambda run: run.state is not State.QUEUED):
        with suppress(RunError):  # it has just come to its end
            control.stop(store, run.id)


def stopped(store: Store, now: SearchResult) -> SearchResult:
    """Stop the runs of a search that somebody has ended, and return what it has come to."""
    stop(store, now.queued)
    runs = {run.id: run for run in store.runs()}
    states = {run.id: State.CANCELLED if run.id in now.queued and run.state.alive else run.state for run in runs.values()}
    tried = tuple(replace(each, state=states.get(each.run_id, each.state)) for each in now.tried)
    test = compared.decided(runs[now.best]) if now.best in runs else None
    return replace(now, tried=tried, test=test, finished=True, stopped=True)


class Course:
    """A search that is at work for so many seconds: what it does next, and what it knows."""

    def __init__(self, recipe: Recipe, store: Store, writer: ResultWriter[SearchResult], seconds: float) -> None:
        self._recipe, self._store, self._writer = recipe, store, writer
        self._ends = time.monotonic() + seconds
        self._first: Candidate | None = None
        self._validation = dict[str, MetricValue | None]()
        writer.update(budget=seconds)

    @property
    def _left(self) -> float:
        return self._ends - time.monotonic()

    def go(self) -> None:
        """Do all of it. Raises `TransferError` where nothing could be tried.

        The first heads stand on the recipe's own network, so that there is an answer whatever else takes too long.
        """
        shape = read_shape(self._recipe.dataset, self._recipe.seed)
        if shape is None or not shape.images.validation:
            which = "these data have none" if shape else "these data are not on this machine yet"
            raise SettingError(f"A search goes by validation examples, and {which}.", "Choose other data.")
        networks = candidates(self._recipe)
        self._writer.update(networks=len(networks))
        own = described(networks[0], 0)
        self._start("first heads", {"backbone": search_space.network(own)}, {"strategy": search_space.computed()})
        front = self._front(networks, shape, own.title)
        if any(each.title != own.title for each in front):
            networks_in_front = [search_space.network(each) for each in front]
            self._start("probes", {"strategy": PROBE}, {"backbone": networks_in_front}, weighed=False)
        if best := self._writer.now.best:
            backbone = self._store.run(best).spec.backbone
            self._start("fine-tuning", {"backbone": backbone.model_dump()}, {"strategy": search_space.tuned()}, halved=True)
        self._end()

    def _front(self, networks: Sequence[Recipe], shape: Shape, tried: str) -> list[Candidate]:
        """Return the networks that the ranking cannot tell from the best; none where there is nothing, or no time, to rank. That
        called `tried` has its heads already."""
        if len(networks) < 2:
            return []
        takes = 0.0 if self._ranking() else self._ranking_seconds(networks, min(RANKING.examples, shape.images.train))
        if takes > self._left:
            self._writer.update(ranking_seconds=takes)
            return []
        begun = time.monotonic()
        if (ranked := self._ranked(len(networks))) is None:
            self._writer.update(ranking_seconds=max(takes, time.monotonic() - begun))
            return []
        found = ranked.candidates
        front = ranking.front_runners(found, RANKING.asked[0].name)
        self._first, probe = front[0], strategies.part(PROBE).title
        behind = [each for each in found if each not in front and not each.random and each.title != tried]
        self._leave(NotTried(each.title, probe, Why.CONTROL if each.control else Why.BEHIND) for each in behind)
        return front

    def _ranking_seconds(self, networks: Sequence[Recipe], examples: int) -> float:
        """Return what the ranking takes, by those of the networks that were measured here, the first one now if need be: the
        others, and the one with random weights, are taken for their mean."""
        self._measured(networks[0])
        known = [each for each in map(self._known, networks) if each]
        takes = [each.loading_seconds + each.frozen_first + examples / each.frozen_rate for each in known]
        return (len(networks) + 1) * sum(takes) / len(takes) + known[0].starting_seconds if known else 0.0

    def _ranking(self) -> BackboneRankingResult | None:
        """Return the ranking that is kept, if one is."""
        found = RANKING.read(self._store.home, self._recipe)
        return found if found and found.finished and not found.error else None

    def _ranked(self, networks: int) -> BackboneRankingResult | None:
        """Return the ranking, a new one where none is kept; None where time is over before. Raises `RunError` if it fails."""
        if kept := self._ranking():
            return kept
        home = self._store.home
        RANKING.request(home, self._recipe)
        while RANKING.is_at_work(home, self._recipe):
            if self._left < 0:
                RANKING.cancel(home, self._recipe)
                return None
            self._writer.update(stage=f"Ranking {networks} networks")
            time.sleep(POLL_SECONDS)
        found = RANKING.read(home, self._recipe)
        if found is None or found.error:
            raise RunError(found.error if found else "The process that was to rank the networks has gone.")
        return found

    def _start(
        self, what: str, base: dict[str, Any], axes: dict[str, Any], *, weighed: bool = True, halved: bool = False
    ) -> None:
        """Start a group of what fits into the time that is left, wait for its end, and keep what does not.

        Args:
            what: Its runs, in a word.
            base: What all of them have beside the recipe's settings.
            axes: What varies.
            weighed: Whether those alone are started whose estimated time is there, for which networks are measured; else all are,
                while there is time.
            halved: Whether only the better ones are trained to their end.
        """
        asked = base.keys() | axes.keys()
        own = {name: value for name, value in self._recipe.overrides().items() if name.partition(".")[0] not in asked}
        name = f"Search {time.strftime('%d %b %H:%M:%S')}: {what}"
        group = Group.parse({"name": name, "base": own | base, "axes": axes, "successive_halving": halved})
        found = expand(group).readable(read_shape)
        titles = {key(settings): search_space.titles(group, settings) for settings in group.combinations()}
        self._leave(NotTried(*titles[key(each.settings)], Why.UNSUITED, reason=each.reason) for each in found.dropped)
        measured = self._measured if weighed else self._known
        for each in found.runs:
            measured(each.recipe)
        if not found.runs:
            return
        if weighed or self._left < 0:
            group = group.model_copy(update={"budget": max(self._left, POLL_SECONDS)})
        plan = group_plan.plan(self._store.home, self._store.runs(), group, found, measured)
        for left in plan.left:
            why = Why.UNKNOWN if left.seconds is None and self._left > 0 else Why.BUDGET
            self._leave([NotTried(*titles[key(left.settings)], why, left.seconds)])
        if plan.members:
            kept, now = group_control.start(self._store, group), self._writer.now
            self._writer.update(groups=(*now.groups, kept.group_id), queued=(*now.queued, *kept.queued))
            self._follow(kept.group_id, what)

    def _follow(self, group_id: str, what: str) -> None:
        """Wait until none of a group's runs moves on; when the time is over, those that were made for it are stopped."""
        while True:
            runs = groups.one(self._store, group_id).among(self._store.runs())
            done = sum(run.state is State.DONE for run in runs)
            self._tell(f"{what.capitalize()}: {done} of {len(runs)} done")
            moving = [run for run in runs if rungs.moves(run)]
            if self._left < 0:
                moving = [run for run in moving if run.id in self._writer.now.queued]
                stop(self._store, [run.id for run in moving])
            if not moving:
                return
            service.ensure(self._store.home)
            time.sleep(POLL_SECONDS)

    def _tell(self, stage: str) -> None:
        """Keep what all runs have come to, and which is the best of them."""
        known = self._store.runs()
        own = (groups.one(self._store, each).among(known) for each in self._writer.now.groups)
        runs = list({run.id: run for each in own for run in each}.values())
        for run in runs:
            if run.state is State.DONE and run.id not in self._validation:
                self._validation[run.id] = searched.validation_of(run, self._store.folder(run.id))
        tried = tuple(searched.tried(run, self._validation.get(run.id)) for run in runs)
        alone = next((run.id for run in runs if self._is_first(run)), "")
        best, value = searched.best(tried), self._validation.get(alone)
        regret = searched.regret(value, best.validation) if value and best and best.validation else None
        self._writer.update(stage=stage, tried=tried, best=best.run_id if best else "", alone=alone, regret=regret)

    def _is_first(self, run: Run) -> bool:
        """Return whether a run is a linear probe on the network that the ranking puts first."""
        first, spec = self._first, run.spec
        is_on_it = first and spec.backbone.name == first.backbone and first.settings.items() <= spec.backbone.settings.items()
        return bool(is_on_it) and spec.strategy.name == PROBE

    def _end(self) -> None:
        """Keep the test of the best. Raises a `TransferError` where there is none."""
        now = self._writer.now
        if now.best:
            self._writer.update(test=compared.decided(self._store.run(now.best)))
            return
        if failed := next((each.error for each in now.tried if each.error), ""):
            raise RunError(f"No run of the search came to its end. {failed}")
        takes = [each.seconds for each in now.not_tried if each.seconds is not None]
        least = f": the quickest run takes about {spoken(min(takes))}" if takes else ""
        ranked = "" if now.ranking_seconds is None else f", and the ranking about {spoken(now.ranking_seconds)}"
        why = next((f" {each.reason}" for each in now.not_tried if each.reason), "")
        raise SettingError(
            f"Nothing was finished within {spoken(now.budget)}{least}{ranked}.{why}",
            "Give it more time.",
            received=f"{now.budget / 60:g} minutes",
        )

    def _leave(self, left: Iterable[NotTried]) -> None:
        known = self._writer.now.not_tried
        told = {(each.network, each.strategy) for each in known}
        self._writer.update(not_tried=(*known, *(each for each in left if (each.network, each.strategy) not in told)))

    def _known(self, recipe: Recipe) -> BackboneProfile | None:
        return BackboneProfile.read(self._store.home, recipe.backbone, recipe.input_size)

    def _measured(self, recipe: Recipe) -> BackboneProfile | None:
        """Return how fast the network of a recipe is here. Where that is not known it is measured now, while there is time."""
        if self._left < 0:
            return self._known(recipe)
        home, size = self._store.home, recipe.input_size
        told = f"Measuring {recipe.backbone.listing().title} on this machine, once"
        return backbone_profile.awaited(home, recipe.backbone, size, partial(self._writer.update, stage=told))
