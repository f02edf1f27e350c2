"""The runs of a group: every combination that makes sense, once, and why the others are left out."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tl_core.datasets import Dataset
from tl_core.errors import SettingError, TransferError
from tl_core.groups.group import Group, key
from tl_core.planning.cuts import SplitSizes
from tl_core.recipe import LOOK, Look, Recipe, changed
from tl_core.registry import registry
from tl_core.spec import PART_KINDS, PartSpec, RunSpec


@dataclass(frozen=True)
class Shape:
    """How many examples each split of a dataset has, and how many classes there are."""

    images: SplitSizes
    classes: int


ReadShape = Callable[[Dataset, int], Shape | None]
"""From a dataset and a seed to its shape; None where it is fetched by the run. Raises `DataError`."""


def read_shape(dataset: Dataset, seed: int) -> Shape | None:
    """Return the shape of `dataset` as a run from `seed` would see it; None where the run would fetch it. Raises `DataError`."""
    if dataset.fetches:
        return None
    data = dataset.load(seed)
    return Shape(SplitSizes.of(data), len(data.class_names))


@dataclass(frozen=True)
class Member:
    """A run of a group: its values of the `axes` that say something for it, and its recipe with the spec written out. `shape` is
    that of its data, where it is known."""

    settings: Mapping[str, Any]
    recipe: Recipe
    spec: RunSpec
    shape: Shape | None = None


@dataclass(frozen=True)
class Dropped:
    """A combination that makes no sense, and the sentence that says why."""

    settings: Mapping[str, Any]
    reason: str


@dataclass(frozen=True)
class Expansion:
    """What a group comes to: its runs, the combinations that are dropped, and by (kind, part) the settings that a part does not
    have: on these axes it has one run for all values."""

    runs: tuple[Member, ...]
    dropped: tuple[Dropped, ...]
    lacking: Mapping[tuple[str, str], tuple[str, ...]]

    def require_runs(self) -> None:
        """Raise the `SettingError` of a group none of whose combinations makes sense."""
        if not self.runs:
            raise SettingError(f"No combination of this group makes sense. The first: {self.dropped[0].reason}")

    def readable(self, read: ReadShape) -> "Expansion":
        """Return this without runs whose data cannot be read; each dataset is looked at once."""
        found: dict[str, Shape | TransferError | None] = {}
        runs, dropped = list[Member](), list(self.dropped)
        for each in self.runs:
            dataset = each.recipe.dataset
            of = key(each.spec.dataset.content.model_dump(mode="json")) + dataset.label_kind.title
            if of not in found:
                try:
                    found[of] = read(dataset, each.recipe.seed)
                except TransferError as error:
                    found[of] = error
            shape = found[of]
            if isinstance(shape, TransferError):
                dropped.append(Dropped(each.settings, str(shape)))
            else:
                runs.append(replace(each, shape=shape))
        return replace(self, runs=tuple(runs), dropped=tuple(dropped))


def expand(group: Group, look: Look = LOOK) -> Expansion:
    """Return the runs of `group` in a stable order, without reading any data.

    A setting that a part does not have is none of its axes; specs that are equal appear once. Raises `SettingError` for a setting
    that no part of the group has.
    """
    runs, dropped = dict[str, Member](), list[Dropped]()
    lacking, had = defaultdict[tuple[str, str], list[str]](list), set[str]()
    for combination in group.combinations():
        try:
            given = flat(group.base) | flat(combination)
            spec = changed(RunSpec(), {name: value for name, value in given.items() if "." not in name})
            unknown = dict(_lacking(spec, given))
            for name, part in unknown.items():
                if name not in lacking[part]:
                    lacking[part].append(name)
            had |= given.keys() - unknown.keys()
            recipe = Recipe.of(spec.with_settings({name: value for name, value in given.items() if name not in unknown}), look)
            recipe.require_weights()
            full = recipe.spec()
        except TransferError as error:
            dropped.append(Dropped(combination, str(error)))
            continue
        settings = {name: value for name, value in combination.items() if name not in unknown}
        runs.setdefault(full.content, Member(settings, recipe, full))
    for (kind, _), names in lacking.items():
        if misspelt := next((name for name in names if name not in had), None):
            where = "See all settings with: python -m tl_core parts"
            raise SettingError(f"No {kind} of this group has such a setting.", where, received=misspelt)
    return Expansion(tuple(runs.values()), tuple(dropped), {part: tuple(names) for part, names in lacking.items()})


def flat(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with a part that is a dict, with its name and its settings, taken apart into dotted names."""
    found: dict[str, Any] = {}
    for name, value in settings.items():
        if name in PART_KINDS and isinstance(value, dict):
            own = dict(value)
            found[name] = own.pop("name", None)
            found |= {f"{name}.{field}": each for field, each in own.items()}
        else:
            found[name] = value
    return found


def _lacking(spec: RunSpec, given: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield the names of given settings that the parts of `spec` do not have, each with the kind and the name of the part."""
    for name in given:
        kind, _, field = name.partition(".")
        if field:
            part = getattr(spec, kind).name
            if field not in type(registry(kind).build(PartSpec(name=part))).model_fields:
                yield name, (kind, part)
