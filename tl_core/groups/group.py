"""A group of runs: what all of them have, and the axes along which they differ. It is a file that people write and share."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from math import inf, nan, prod
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, field_validator

from tl_core.errors import SettingError, is_visible, printable
from tl_core.registry import setting_titles
from tl_core.spec import PART_KINDS, RunSpec, from_text, setting_error, to_text, with_current_names

VERSION: Literal[1] = 1
MOST_VALUES, MOST_RUNS = 100, 500
"""Of an axis, and of all axes together."""
MOST_BYTES = 1_000_000
"""A group file that is larger is none."""
HOW = ("budget", "successive_halving")
"""What of a group says how it is answered, and is no part of its question."""
UNITS = {"s": 1, "m": 60, "h": 3600}
"""Seconds of each unit of a time."""


class Group(BaseModel):
    """Settings by their dotted names, as `--set` has them: `base` for all runs, and `axes` with the values that each is given.

    The runs are all combinations, the values of the last axis changing first. A part may be a dict: its name and its settings.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)
    version: Literal[1] = VERSION
    name: str = Field(min_length=1, max_length=80)
    base: dict[str, JsonValue] = {}
    axes: dict[str, tuple[JsonValue, ...]]
    budget: float | None = None
    """Seconds for the runs that are not there yet, one after the other; a file may say "10m"."""
    successive_halving: bool = False
    """Whether runs begin with few epochs, and only the better ones go on (`groups.halving`)."""

    @field_validator("name")
    @classmethod
    def _can_be_read(cls, name: str) -> str:
        if not all(map(is_visible, name)):
            raise SettingError("The name holds a character that cannot be seen.", "Leave it out.", received=printable(name))
        return name

    @field_validator("budget", mode="before")
    @classmethod
    def _is_a_time(cls, given: Any) -> float | None:
        return None if given is None else seconds_in(given)

    @field_validator("base", "axes")
    @classmethod
    def _are_settings(cls, given: dict[str, Any]) -> dict[str, Any]:
        named = with_current_names(given)
        for name in named:
            kind, dot, _ = name.partition(".")
            if kind not in RunSpec.model_fields or (dot and kind not in PART_KINDS):
                known = ", ".join(RunSpec.model_fields)
                raise SettingError("There is no setting of that name.", f"Its name begins with one of {known}.", received=name)
        return named

    @field_validator("axes")
    @classmethod
    def _vary(cls, axes: dict[str, tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
        if not axes:
            raise SettingError("A group has at least one axis.", "For example: seed: [0, 1, 2]")
        once = {name: tuple({key(value): value for value in values}.values()) for name, values in axes.items()}
        for name, values in once.items():
            if len(values) < 2:
                what = f"The axis {name} has {'one value' if values else 'no value'}, so that nothing varies along it."
                raise SettingError(what, "Give it two or more, or put the setting under base.", received=list(values))
            if len(values) > MOST_VALUES:
                what = f"The axis {name} has more than {MOST_VALUES} values."
                raise SettingError(what, "Give it fewer.", received=f"{len(values):,}")
        if (count := prod(map(len, once.values()))) > MOST_RUNS:
            raise SettingError(f"A group has at most {MOST_RUNS} runs.", "Give its axes fewer values.", received=f"{count:,}")
        return once

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Return `value` checked. Raises `SettingError` with the first thing that does not fit."""
        if not isinstance(value, Mapping):
            raise SettingError("A group file holds a name, base and axes.", "See docs/guide.md.", received=type(value).__name__)
        if (version := value.get("version", VERSION)) != VERSION:
            what = f"This group file is of another version than {VERSION}, which is the one that can be read here."
            raise SettingError(what, "Take a Transfer Lab of its time, or write the file anew.", received=f"version: {version}")
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            raise setting_error(error, "", cls) from None

    @classmethod
    def from_yaml(cls, text: str | bytes) -> Self:
        """Return the group that a file's `text` says. Raises `SettingError`."""
        if len(text) > MOST_BYTES:
            raise SettingError("A group file has at most a megabyte.", "Choose another file.", received=f"{len(text):,} bytes")
        try:
            value = yaml.safe_load(text)
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            first = printable(str(error).splitlines()[0]) if str(error) else type(error).__name__
            raise SettingError("This is no YAML file.", "See docs/guide.md for one of a group.", received=first) from None
        return cls.parse(value)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return the group in the file at `path`. Raises `SettingError`."""
        try:
            with path.open("rb") as file:
                text = file.read(MOST_BYTES + 1)
        except OSError as error:
            raise SettingError(f"The group file cannot be read ({error}).", "Choose another file.", received=path) from None
        return cls.from_yaml(text)

    def to_yaml(self) -> str:
        """Return the text of a file that `from_yaml` reads."""
        value = self.stored()
        return str(yaml.safe_dump(value, sort_keys=False, allow_unicode=True, default_flow_style=None, width=120))

    def stored(self) -> dict[str, Any]:
        """Return this as it is kept: versions that know no budget, and no halving, read a group without one."""
        return self.model_dump(mode="json", exclude={name for name in HOW if getattr(self, name) in (None, False)})

    @property
    def titles(self) -> dict[str, str]:
        """Return what forms call its axes, by their names."""
        parts = [(kind, value) for kind in PART_KINDS for value in self.axes.get(kind, (self.base.get(kind),)) if value]
        return setting_titles([*(RunSpec.salvage({kind: value}) for kind, value in parts), RunSpec()], list(self.axes))

    def combinations(self) -> Iterator[dict[str, Any]]:
        """Yield each combination of the values of the axes, by their names."""
        for values in product(*self.axes.values()):
            yield dict(zip(self.axes, values, strict=True))

    def extended(self, axis: str, values: Sequence[Any]) -> Self:
        """Return this with further values of an axis; those that it has are passed over. Raises `SettingError`."""
        if axis not in self.axes:
            raise SettingError("This group has no such axis.", f"Its axes: {', '.join(self.axes)}.", received=axis)
        return self.parse(self.model_dump() | {"axes": {**self.axes, axis: (*self.axes[axis], *values)}})


def question(stored: Mapping[str, Any]) -> str:
    """Return text that is equal for groups as they are kept that ask the same, however they are answered."""
    return key({name: value for name, value in stored.items() if name not in HOW})


def seconds_in(given: Any) -> float:
    """Return a time in seconds: that of a number, or of a text such as "90s", "10m" or "1.5h". Raises `SettingError`."""
    number, unit = str(given).strip()[:-1], str(given).strip()[-1:]
    try:
        found = float(number) * UNITS[unit] if unit in UNITS else float(str(given))
    except (TypeError, ValueError):
        found = nan
    if not 0 < found < inf:
        raise SettingError("A time budget is a time above 0.", "Give it as 90s, 10m or 1.5h.", received=given)
    return found


def key(value: Any) -> str:
    """Return text that is equal for values that are."""
    return json.dumps(value, sort_keys=True)


def shown(value: Any) -> str:
    """Return a value as people read it: "lp_ft (epochs 3)" of a part with settings."""
    if isinstance(value, dict):
        own = ", ".join(f"{name} {to_text(each)}" for name, each in value.items() if name != "name")
        return f"{value.get('name', '')} ({own})" if own else str(value.get("name", ""))
    return to_text(value)


def values_in(text: str) -> list[Any]:
    """Return the values of an axis that a line of text gives, separated by commas: numbers, words, and `null`."""
    return [_value(word.strip()) for word in text.split(",") if word.strip()]


def _value(word: str) -> Any:
    try:
        return json.loads(word)
    except ValueError:
        return from_text(word)
