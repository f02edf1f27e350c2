"""What every part keeps to, of whichever kind."""

import json
from collections.abc import Callable
from functools import partial

from pydantic import ValidationError

from tl_core.registry import Part, registries
from tl_core.spec import PartSpec


def check_is_found_by_its_name(part: type[Part]) -> None:
    """Check that it is registered, in a registry of its kind."""
    assert [registry.kind for registry in registries().values() if registry.parts().get(part.name) is part]


def check_describes_itself(part: type[Part]) -> None:
    """Check that part and settings have titles, and descriptions that are sentences."""
    assert part.title
    assert part.summary().endswith((".", "?"))
    for name, field in part.model_fields.items():
        assert field.title, name
        assert field.description, name
        assert field.description.endswith("."), name


def check_has_defaults(part: type[Part]) -> None:
    """Check that it has defaults, with which a form starts."""
    assert isinstance(part(), part)


def check_cannot_be_changed(part: type[Part]) -> None:
    """Check that no setting can be set once it is made, and that it has no other ones."""
    example = part.example()
    for name in part.model_fields:
        assert _is_refused(partial(setattr, example, name, getattr(example, name))), name
    assert _is_refused(lambda: part.model_validate({"no_such_setting": 1}))


def check_survives_json(part: type[Part]) -> None:
    """Check that it is the same when it is written as JSON and read again."""
    example = part.example()
    written = json.loads(json.dumps(example.spec().model_dump(mode="json")))
    assert part.model_validate(PartSpec(**written).settings) == example


def _is_refused(change: Callable[[], object]) -> bool:
    try:
        change()
    except ValidationError:
        return True
    return False
