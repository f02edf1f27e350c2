"""What every part keeps to, of whichever kind and module: a new one is tested here without an edit."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from tl_core.registry import Part, Registry, registries
from tl_core.spec import PartSpec

PARTS = [(registry, part) for registry in registries().values() for part in registry.parts().values()]


@pytest.fixture(params=PARTS, ids=lambda found: f"{found[0].kind}-{found[1].name}")
def found(request: pytest.FixtureRequest) -> tuple[Registry[Any], type[Part]]:
    return request.param


@pytest.fixture
def part(found: tuple[Registry[Any], type[Part]]) -> Part:
    return found[1].example()


def test_it_describes_itself(part: Part) -> None:
    assert part.title
    assert part.summary().endswith((".", "?"))
    for name, field in type(part).model_fields.items():
        assert field.title, name
        assert field.description, name
        assert field.description.endswith("."), name


def test_a_form_starts_empty(found: tuple[Registry[Any], type[Part]]) -> None:
    assert isinstance(found[1](), found[1])


def test_it_cannot_be_changed(part: Part) -> None:
    for name in type(part).model_fields:
        with pytest.raises(ValidationError):
            setattr(part, name, getattr(part, name))
    with pytest.raises(ValidationError):
        type(part).model_validate({"no_such_setting": 1})


def test_it_survives_json(found: tuple[Registry[Any], type[Part]], part: Part) -> None:
    written = json.loads(json.dumps(part.spec().model_dump(mode="json")))
    assert found[0].build(PartSpec(**written)) == part
