"""Every numeric setting of every part has two ends: both can be chosen, and one step beyond is refused in a sentence."""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from pydantic import BaseModel

from tl_core.errors import SettingError
from tl_core.registry import Part, registries
from tl_core.spec import PartSpec, RunSpec
from tl_core.ui.forms import kind_of

REGISTRIES = tuple(registries().values())


class End(NamedTuple):
    """An end of a numeric field: the last value that can be chosen there, and the next one, which cannot."""

    last: float
    beyond: float


def numeric_fields(model: type[BaseModel]) -> Iterator[tuple[str, tuple[End, ...]]]:
    """The name of each field of `model` that holds a number, and its ends."""
    for name, field in model.model_fields.items():
        kind, _ = kind_of(field.annotation)
        if kind in {int, float}:
            yield name, tuple(end for item in field.metadata for end in ends(item, kind))


def ends(bound: Any, kind: type) -> Iterator[End]:
    """The ends that one item of a field's metadata says, such as `annotated_types.Ge`."""

    def step(value: float, towards: float) -> float:
        return value + math.copysign(1, towards) if kind is int else math.nextafter(value, towards)

    for sign, closed, exclusive in ((-math.inf, "ge", "gt"), (math.inf, "le", "lt")):
        if (value := getattr(bound, closed, None)) is not None:
            yield End(kind(value), step(value, sign))
        elif (value := getattr(bound, exclusive, None)) is not None:
            yield End(kind(step(value, -sign)), value)


PARTS = [(registry, name, part) for registry in REGISTRIES for name, part in registry.parts().items()]


@pytest.mark.parametrize(("registry", "name", "part"), PARTS, ids=lambda value: value if isinstance(value, str) else "")
def test_ends_of_parts(registry: Any, name: str, part: type[Part]) -> None:
    for field, found in numeric_fields(part):
        assert len(found) == 2, f"{name}.{field} has no two ends"
        for end in found:
            built = registry.build(PartSpec.model_validate({"name": name, field: end.last}))
            assert getattr(built, field) == end.last
            for beyond in (end.beyond, math.copysign(math.inf, end.beyond - end.last), math.nan):
                with pytest.raises(SettingError, match=rf"^The setting {registry.kind}\.{field} should be .*Received: ") as error:
                    registry.build(PartSpec.model_validate({"name": name, field: beyond}))
                assert "\n" not in str(error.value)


def test_ends_of_the_run_itself() -> None:
    found = dict(numeric_fields(RunSpec))
    assert set(found) == {"image_size", "seed"}
    for field, (low, high) in found.items():
        for end in (low, high):
            assert getattr(RunSpec.parse({field: end.last}), field) == end.last
            with pytest.raises(SettingError, match=f"^The setting {field} should be "):
                RunSpec.parse({field: end.beyond})
