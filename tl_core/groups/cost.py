"""What the runs of a group take on this machine, with what they share counted once."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tl_core.groups.expansion import Member, Shape
from tl_core.planning import cost_model
from tl_core.planning.backbone_profile import BackboneProfile
from tl_core.planning.estimate import estimate
from tl_core.recipe import Recipe

Measured = Callable[[Recipe], BackboneProfile | None]
"""From a recipe to its backbone as it was measured on this machine; None where it was not."""


@dataclass(frozen=True)
class GroupCost:
    """Seconds of all runs, one after the other; it would be `shared_seconds` more if each passed its images through the frozen
    network for itself. `memory_bytes` is the most at a time, `disk_bytes` what all write at most, and `unknown` how many runs are
    not counted, since their network was not measured or their data are not here."""

    seconds: float
    shared_seconds: float
    memory_bytes: int
    disk_bytes: int
    unknown: int


@dataclass(frozen=True)
class Pass:
    """A pass through a frozen part, done once for all runs that are `like` in this: its seconds, and the bytes that it keeps."""

    like: Any
    seconds: float
    kept_bytes: float


@dataclass(frozen=True)
class RunCost:
    """What a run takes alone, and which of that are `passes` that others may share."""

    seconds: float
    memory_bytes: int
    disk_bytes: int
    passes: tuple[Pass, ...]


@dataclass
class Together:
    """What runs take together: each pass is done once, the largest of its like."""

    seconds: float = 0.0
    shared_seconds: float = 0.0
    disk_bytes: float = 0.0
    once: dict[Any, Pass] = field(default_factory=dict)

    def saved_by(self, run: RunCost) -> float:
        """Return the seconds that a further run need not take."""
        return sum(min(each.seconds, self.once[each.like].seconds) for each in run.passes if each.like in self.once)

    def add(self, run: RunCost) -> None:
        """Count a further run."""
        saved = self.saved_by(run)
        self.seconds += run.seconds - saved
        self.shared_seconds += saved
        self.disk_bytes += run.disk_bytes
        for each in run.passes:
            before = self.once.get(each.like, each)
            self.once[each.like] = Pass(each.like, max(each.seconds, before.seconds), max(each.kept_bytes, before.kept_bytes))
            if before is not each:
                self.disk_bytes -= min(each.kept_bytes, before.kept_bytes)


def of(costs: Sequence[RunCost | None]) -> GroupCost:
    """Return what runs take that cost so much each; None stands for one of which that is not known."""
    together, known = Together(), [each for each in costs if each]
    for each in known:
        together.add(each)
    memory = max((each.memory_bytes for each in known), default=0)
    return GroupCost(together.seconds, together.shared_seconds, memory, int(together.disk_bytes), unknown=len(costs) - len(known))


def of_each(runs: Sequence[Member], measured: Measured, room: float, *, has_spare: bool) -> list[RunCost | None]:
    """Return what each of `runs` takes, in float32 and with an empty cache; None where its network was not measured or its data
    are not here. `room` is how many bytes the cache may take for a run; `has_spare` says whether a Python that has started waits
    for each of them."""
    profiles: dict[Any, BackboneProfile | None] = {}  # each is asked for once, since who has none may wait for it
    found = list[RunCost | None]()
    for run in runs:
        network = run.spec.backbone.model_dump_json(), run.recipe.input_size
        if run.shape and network not in profiles:
            profiles[network] = measured(run.recipe)
        profile = profiles.get(network)
        found.append(_alone(run, run.shape, profile, room, has_spare=has_spare) if profile and run.shape else None)
    return found


def _alone(run: Member, shape: Shape, profile: BackboneProfile, room: float, *, has_spare: bool) -> RunCost:
    found = estimate(run.recipe, profile, shape.images, shape.classes, room)
    seconds = found.running_seconds + (0.0 if has_spare else found.starting_seconds)
    costs = cost_model.of(run.recipe, profile.outline.blocks, shape.images, room)
    passes = tuple(Pass(like, images / profile.frozen_rate, size) for like, images, size in _passes(run, shape, costs))
    return RunCost(seconds, found.memory_bytes, found.disk_bytes, passes)


def _passes(run: Member, shape: Shape, costs: cost_model.Costs) -> Iterator[tuple[Any, float, float]]:
    """Yield what of a run is done once for all runs of its like: a key of these, the passes, and the bytes that are kept. More
    labels of a dataset hold the fewer; training images differ from seed to seed, and test images do not."""
    cuts, spec = costs.cuts, run.spec
    data = spec.dataset.content.model_copy(update={"labels_per_class": None})
    network = data.model_dump_json(), spec.backbone.model_dump_json(), run.recipe.input_size, spec.precision
    for index, phase in enumerate(cuts.phases):
        below = cuts.cut(phase)
        if cuts.is_new(index) and not cuts.moved(below, index):
            yield (*network, spec.seed, cuts.key(index)), costs.frozen(index).frozen, cuts.pictures(phase) * cuts.row_bytes(below)
    yield (*network, cuts.test_cut), costs.test.frozen, shape.images.test * cuts.row_bytes(cuts.test_cut)
