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


@dataclass
class _Shared:
    """What each pass through a frozen part takes: all of them together, and each once, the largest of its like."""

    all: float = 0.0
    once: dict[Any, float] = field(default_factory=dict)

    def add(self, like: Any, amount: float) -> None:
        self.all += amount
        self.once[like] = max(amount, self.once.get(like, 0.0))

    @property
    def saved(self) -> float:
        return self.all - sum(self.once.values())


def of(runs: Sequence[Member], measured: Measured, room: float, *, has_spare: bool) -> GroupCost:
    """Return what `runs` take, in float32 and with an empty cache. `room` is how many bytes the cache may take for a run;
    `has_spare` says whether a Python that has started waits for each of them."""
    seconds, memory, disk, unknown = 0.0, 0, 0, 0
    passes, rows = _Shared(), _Shared()
    profiles: dict[Any, BackboneProfile | None] = {}  # each is asked for once, since who has none may wait for it
    for run in runs:
        network = run.spec.backbone.model_dump_json(), run.recipe.input_size
        if run.shape and network not in profiles:
            profiles[network] = measured(run.recipe)
        profile = profiles.get(network)
        if profile is None or run.shape is None:
            unknown += 1
            continue
        found = estimate(run.recipe, profile, run.shape.images, run.shape.classes, room)
        seconds += found.running_seconds + (0.0 if has_spare else found.starting_seconds)
        memory, disk = max(memory, found.memory_bytes), disk + found.disk_bytes
        for like, images, size in _passes(
            run, run.shape, cost_model.of(run.recipe, profile.outline.blocks, run.shape.images, room)
        ):
            passes.add(like, images / profile.frozen_rate)
            rows.add(like, size)
    return GroupCost(seconds - passes.saved, passes.saved, memory, int(disk - rows.saved), unknown)


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
