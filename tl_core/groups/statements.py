"""What is said of a group before it starts, on pages and on the command line alike."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tl_core.analysis.statements import seconds, size
from tl_core.groups.budget import NotStarted
from tl_core.groups.cost import GroupCost
from tl_core.groups.expansion import Expansion, Member
from tl_core.groups.group import Group, key, shown
from tl_core.groups.halving import FACTOR, LeftAt
from tl_core.registry import lowered
from tl_core.system.settings import CACHE_VARIABLE

Titles = Mapping[str, str]
"""What forms call axes, by their names."""
MOST_REASONS = 5
"""So many reasons are told one by one."""


def runs_of(found: Expansion, there: int) -> str:
    """Return how many runs a group has, and how many of them are `there` already: "12 runs, 3 of which are there already"."""
    count = len(found.runs)
    known = {0: "", count: ", all of which are there already"}.get(there, f", {there} of which {_are(there)} there already")
    return f"{count} run{'s' if count != 1 else ''}{known}"


def takes(cost: GroupCost, new: int) -> Iterator[str]:
    """Yield what the `new` runs of a group take."""
    if cost.unknown < new:
        saved = (
            f"; {seconds(cost.shared_seconds)} more if each computed the frozen part alone" if cost.shared_seconds >= 1 else ""
        )
        yield f"About {seconds(cost.seconds)} on this machine, one run after the other{saved}."
        yield f"Up to {size(cost.memory_bytes)} of memory at a time, and up to {size(cost.disk_bytes)} of disk in all."
    if cost.unknown:
        which = "The run is" if new == 1 else f"{cost.unknown} of {new} runs {_are(cost.unknown)}"
        yield f"{which} not counted: how fast the network is here has not been measured yet, or the data are not here."


def elsewhere(members: Sequence[Member]) -> Iterator[str]:
    """Yield where those of the `members` run that are not for this machine, and what they share there; nothing where all are."""
    away = [each.recipe.executor.title for each in members if not each.recipe.executor.shares_store]
    if away:
        runs = "They run" if len(away) == len(members) else f"{len(away)} of them run{'s' if len(away) == 1 else ''}"
        yield (
            f"{runs} elsewhere ({', '.join(dict.fromkeys(away))}), several at once and at another pace: times and sizes here are "
            "those of this machine. The frozen part is computed once on each machine there, or once for all of them where "
            f"{CACHE_VARIABLE} names a folder that they all see."
        )


def lacks(cost: GroupCost, memory: int, disk: int) -> Iterator[str]:
    """Yield what this machine lacks for it; `memory` and `disk` are the bytes that are free."""
    if cost.memory_bytes > memory:
        yield f"A run may need {size(cost.memory_bytes)} of memory, and {size(memory)} is free now: choose smaller images."
    if cost.disk_bytes > disk:
        yield f"The runs may need {size(cost.disk_bytes)} of disk, and {size(disk)} is free: choose fewer, or clear the cache."


def left_out(found: Expansion) -> Iterator[str]:
    """Yield why combinations are dropped, each reason once, and which settings are no axis for which parts."""
    reasons = Counter(each.reason for each in found.dropped)
    for reason, count in reasons.most_common(MOST_REASONS):
        yield f"{count} combination{'s are' if count != 1 else ' is'} dropped: {reason}"
    if (others := len(reasons) - MOST_REASONS) > 0:
        yield f"{others} further reason{'s' if others != 1 else ''} to drop combinations."
    for (_, part), names in found.lacking.items():
        yield f"{part} has no {' and no '.join(names)}, and so one run for all values."


def halved(rung: int | None) -> Iterator[str]:
    """Yield how runs are halved that are first held against each other after `rung` epochs."""
    if rung is None:
        yield "No run trains for more than 1 epoch, so that there is nothing to halve."
        return
    yield (
        f"Each trains {_epochs(rung)} at first; of the settings that learn from the same data the best third by their validation "
        f"examples, seeds together, goes on to {_epochs(FACTOR * rung)}, and so on. The time above, and what a budget counts, is "
        "that of all to their end."
    )


def left_after(left: LeftAt) -> str:
    """Return the state of a run that was left at a rung."""
    return f"left after {_epochs(left.epochs)}"


def waiting_after(rung: int) -> str:
    """Return the state of a run that waits at a rung."""
    return f"waiting after {_epochs(rung)}"


def waiting(runs: int, held_up_by: int) -> Iterator[str]:
    """Yield what so many runs wait for at a rung, and how many were paused by somebody on their way there; nothing where none
    waits."""
    if runs:
        yield (
            f"{'1 run waits' if runs == 1 else f'{runs} runs wait'} at a rung until the others have come as far, and then the "
            "better ones go on by themselves. Resumed by hand, one goes back to the queue, trains an epoch more and waits again."
        )
    if runs and held_up_by:
        they = "1 run that somebody paused is" if held_up_by == 1 else f"{held_up_by} runs that somebody paused are"
        yield f"{they} waited for, too: resume or stop {'it' if held_up_by == 1 else 'them'}."


def left_at(left: LeftAt) -> str:
    """Return why a run was left at a rung."""
    kept = "the best one" if left.kept == 1 else f"the best {left.kept}"
    place = f"Place {left.place} of {left.of} settings after {_epochs(left.epochs)}"
    return f"{place}, by the validation examples; {kept} went on."


def not_tried_fully(left: Sequence[LeftAt]) -> Iterator[str]:
    """Yield how many runs of a group were left at a rung."""
    if left:
        runs = "1 run was" if len(left) == 1 else f"{len(left)} runs were"
        after = " or ".join(_epochs(count) for count in sorted({each.epochs for each in left}))
        yield (
            f"{runs} left after {after} by successive halving, without a test, and so without a place beside those that went on. "
            "Whoever resumes one, or starts this group again without halving, lets it go on from there."
        )


def _epochs(count: int) -> str:
    return f"{count} epoch{'s' if count != 1 else ''}"


def not_started(left: Sequence[NotStarted], budget: float, titles: Titles) -> Iterator[str]:
    """Yield which runs are not started within a `budget` of seconds, and why, with their axes by their `titles`."""
    beyond = [(each, each.seconds) for each in left if each.seconds is not None]
    if beyond:
        told = "; ".join(f"{_values(each.settings, titles)} (about {seconds(took)})" for each, took in beyond[:MOST_REASONS])
        more = f"; and {len(beyond) - MOST_REASONS} more" if len(beyond) > MOST_REASONS else ""
        runs = "1 run is" if len(beyond) == 1 else f"{len(beyond)} runs are"
        yield f"{runs} not started, as beyond the budget of {seconds(budget)}: {told}{more}."
    if unknown := len(left) - len(beyond):
        runs = "1 run is" if unknown == 1 else f"{unknown} runs are"
        yield f"{runs} not started within a budget: how long it takes here is not known."


def spent(used: float, budget: float) -> Iterator[str]:
    """Yield what of a `budget` of seconds the runs of a group have `used`; nothing where none has run."""
    if used:
        yield f"Its runs have taken about {seconds(used)} of the budget of {seconds(budget)}, or will where they are at work."


def fits(new: int, budget: float) -> Iterator[str]:
    """Yield that all `new` runs fit into a `budget` of seconds; nothing where none is new."""
    if new:
        yield f"{'It fits' if new == 1 else f'All {new} fit'} into the budget of {seconds(budget)}."


def unanswered(members: Sequence[Member], left: Sequence[NotStarted], titles: Titles) -> Iterator[str]:
    """Yield the values of axes of which nothing is started, of the runs that are `left`: the group says nothing of them."""
    started = {(axis, key(value)) for member in members for axis, value in member.settings.items()}
    lost = {(axis, key(value)): value for each in left for axis, value in each.settings.items()}
    told = [_values({axis: value}, titles) for (axis, content), value in lost.items() if (axis, content) not in started]
    if told:
        of_it = "it" if len(told) == 1 else "them"
        yield f"No run has {' or '.join(told)}, so this group says nothing of {of_it}: give it more time."


def missing(group: Group, left: Sequence[NotStarted], lost: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield which runs a stored group does not have: what its budget `left` out, and what was deleted."""
    yield from not_started(left, group.budget or 0.0, group.titles)
    yield from deleted(lost, group.titles)


def deleted(lost: Sequence[Mapping[str, Any]], titles: Titles) -> Iterator[str]:
    """Yield which runs of a group were deleted, by their values of its axes; nothing where none was."""
    if lost:
        told = "; ".join(_values(each, titles) for each in lost[:MOST_REASONS])
        more = f"; and {len(lost) - MOST_REASONS} more" if len(lost) > MOST_REASONS else ""
        runs = "1 run of this group was" if len(lost) == 1 else f"{len(lost)} runs of this group were"
        yield f"{runs} deleted ({told}{more}). Whoever starts the same group again queues what is missing."


def _values(settings: Mapping[str, Any], titles: Titles) -> str:
    return ", ".join(f"{lowered(titles.get(axis, axis))} {shown(value)}" for axis, value in settings.items())


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
