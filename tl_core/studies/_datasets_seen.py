"""Datasets that finished runs of a home have learned from, with what won there and where transfer harmed, and what is said of
how like them others are."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from tl_core.analysis.dataset_distances import interval
from tl_core.analysis.ranking import Scored, lead
from tl_core.analysis.transfer import Effect
from tl_core.metrics import MetricValue, metrics
from tl_core.notes import listed
from tl_core.recipe import Recipe, titles_of
from tl_core.runs import compared, score
from tl_core.runs.compared import ACCURACY, Read
from tl_core.runs.states import State
from tl_core.runs.store import Run
from tl_core.runs.twins import twins
from tl_core.spec import PartSpec
from tl_core.studies._ranking_audit import recipe_of

FAR = "But each of them is farther from these data than any two of them are from each other: what won there says little here."


@dataclass(frozen=True)
class Winner:
    """What reached the most on a dataset: the network, the strategy, and the value of the metric that ranks runs there."""

    network: str
    strategy: str
    value: MetricValue


@dataclass(frozen=True)
class SeenDataset:
    """A dataset that so many finished `runs` have learned from, beside the one that is asked about: how far it lies from that by
    so many training `examples`, who won there (None where no run was tested), and the networks with strategies whose transfer was
    shown there to be worse than learning from scratch."""

    title: str
    examples: int
    mmd: Scored
    frechet: float
    runs: int
    winner: Winner | None
    harmed: tuple[str, ...]


@dataclass(frozen=True)
class Known:
    """The recipe of a run on a dataset, and all finished runs on it, the newest first."""

    recipe: Recipe
    runs: tuple[Run, ...]


def datasets_known(runs: Sequence[Run], recipe: Recipe) -> list[Known]:
    """Return the datasets of the finished among `runs`, but for that of the recipe, whose examples are of the same kind; those of
    the newest runs come first. One that was used with other settings is the same."""
    built, found = dict[tuple[str, str], Recipe | None](), dict[tuple[str, ...], Known]()
    for run in sorted((run for run in runs if run.state is State.DONE), key=lambda run: -run.number):
        data = run.spec.dataset.model_dump_json(), run.spec.task.name
        if data not in built:  # of a thousand runs most are on the same few
            built[data] = recipe_of(run)
        if (its := built[data]) and its.dataset.modality is recipe.dataset.modality and _place(its) != _place(recipe):
            before = found.get(_place(its), Known(its, ()))
            found[_place(its)] = replace(before, runs=(*before.runs, run))
    return list(found.values())


def _place(recipe: Recipe) -> tuple[str, ...]:
    return recipe.dataset.name, recipe.dataset.location(), recipe.dataset.own_name


def winner(runs: Sequence[Run]) -> Winner | None:
    """Return which of the runs on a dataset reached the most, by the metric that ranks runs of the newest one's task."""
    metric = score.primary_metric(runs[0])
    values = {run.id: compared.stored_value(run, metric) or compared.Lacks.NOT_TESTED for run in runs}
    best = compared.ranked(runs, values)[0]
    value = values[best.id]
    return Winner(*titles_of(best.spec)[1:], value) if isinstance(value, MetricValue) else None


def harmed(runs: Sequence[Run], read: Read) -> tuple[str, ...]:
    """Return the networks with strategies whose accuracy a paired test shows to be below that of their twins from scratch."""
    values = {run.id: compared.stored_value(run, ACCURACY) for run in runs}
    known = {run_id: value for run_id, value in values.items() if isinstance(value, MetricValue)}
    tested = [run for run in runs if run.id in known]
    test = partial(compared.paired_test, metric=ACCURACY, read=read)
    found = [each for each in twins(tested, known, test, lambda run: ()) if each.effect is Effect.HARMS]
    return tuple(dict.fromkeys(" with ".join(titles_of(each.match.others[0].spec)[1:]) for each in found))


def verdict(seen: Sequence[SeenDataset], apart: float | None) -> str:
    """Return which of the datasets `seen` lies nearest and who won there, and what warns of taking that for an answer; an empty
    text where there are none. `apart` is the largest discrepancy of any two of them, None of one alone."""
    if not seen:
        return ""
    nearest, *others = sorted(seen, key=lambda each: each.mmd.value)
    level = [each for each in others if lead(each.mmd, nearest.mmd).low <= 0]
    said = [f"Most like {nearest.title}{_won(nearest)}."] if others else [_of_one(nearest)]
    if level:
        said.append(f"{listed([each.title for each in level], what='datasets')} cannot be told from it in that.")
    if apart is not None and interval(nearest.mmd).low > apart:
        said.append(FAR)
    said += [_harm(each) for each in (nearest, *level) if each.harmed]
    return " ".join(said)


def _of_one(only: SeenDataset) -> str:
    return f"The only other data that runs have learned from are {only.title}{_won(only)}; whether that is near, one cannot tell."


def _won(where: SeenDataset) -> str:
    if where.winner is None:
        return ""
    value = where.winner.value
    metric = metrics.build(PartSpec(name=value.name, **value.settings))
    told = f"{metric.in_sentence} {compared.shown(value, metric)}, {where.runs:,} {'runs' if where.runs > 1 else 'run'}"
    return f", where {where.winner.network} with {where.winner.strategy} won ({told})"


def _harm(where: SeenDataset) -> str:
    what = listed(where.harmed, what="transfers")
    return f"On {where.title} transfer harmed ({what}, against the same from scratch): hold a run here against one from scratch."
