"""`RunSpec`: everything that decides a run, as plain JSON. It goes in; events and a `Result` come out."""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tl_core.errors import SettingError
from tl_core.precision import Precision

FORMER_NAMES = {"arithmetic": "precision"}
"""What settings of a run were called before: stored specs, addresses and commands still say so."""


DISPLAY_NAME = "display_name"
"""The setting of a part that says what people call it, and changes nothing of what it does."""


class PartSpec(BaseModel):
    """A part by its name, with the settings that differ from its defaults (or all of them)."""

    model_config = ConfigDict(frozen=True, extra="allow")
    name: str

    @model_validator(mode="before")
    @classmethod
    def _a_name_alone_will_do(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @property
    def settings(self) -> dict[str, Any]:
        """Return the settings without the name."""
        return dict(self.__pydantic_extra__ or {})

    @property
    def content(self) -> "PartSpec":
        """Return this without what people call it: equal for parts that do the same."""
        return PartSpec(name=self.name, **{name: value for name, value in self.settings.items() if name != DISPLAY_NAME})


class RunSpec(BaseModel):
    """One run: which data, which backbone, which strategy, at which size, from which seed, executed where, judged by which
    metric, and what is asked of the data."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    dataset: PartSpec = PartSpec(name="photo_patches")
    backbone: PartSpec = PartSpec(name="efficientnet_lite0")
    strategy: PartSpec = PartSpec(name="linear_probe")
    executor: PartSpec = PartSpec(name="local")
    metric: PartSpec = PartSpec(name="accuracy")
    task: PartSpec = PartSpec(name="classification")
    image_size: int | None = Field(
        None,
        ge=8,
        le=1024,
        title="Image size",
        description="Side of the square, in pixels, that every image is cropped and resized to; empty follows the images and the "
        "network. A run that was started has the number in its place.",
    )
    seed: int = Field(
        0, ge=0, le=2**31 - 1, title="Seed", description="Draws the labelled images, the first weights and the order of the data."
    )
    precision: Precision = Field(
        Precision.AUTO,
        title="Precision",
        description="The numbers that the network is computed in, and whether XLA compiles its steps. Auto takes float32, unless "
        "something else was measured to be faster for such a run on this machine.",
    )
    deterministic: bool = Field(
        False,
        title="Deterministic operations",
        description="Have every step computed in one fixed order, so that a run on a GPU comes to the same bits again. Steps "
        "take longer there; on a processor a run comes to the same bits without it.",
    )

    @model_validator(mode="before")
    @classmethod
    def _reads_former_names(cls, value: Any) -> Any:
        return with_current_names(value) if isinstance(value, dict) else value

    @classmethod
    def parse(cls, value: Mapping[str, Any]) -> Self:
        """Return `value` checked. Raises `SettingError` with the first thing that does not fit."""
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            raise setting_error(error, "", cls) from None

    @classmethod
    def salvage(cls, value: Mapping[str, Any]) -> Self:
        """Return what fits of a `value` that another version has stored, and the default for all that does not."""
        readable: dict[str, Any] = {}
        value = with_current_names(value)
        for name in cls.model_fields.keys() & value.keys():
            with suppress(SettingError):
                readable |= cls.parse({name: value[name]}).model_dump(include={name})
        return cls.parse(readable)

    def with_settings(self, settings: Mapping[str, Any]) -> Self:
        """Return this spec with settings changed by their dotted names, as in `{"dataset.path": "/data", "seed": "1"}`.

        Naming a part alone (`{"dataset": "digits"}`) chooses that part with its defaults. Values may be text, as they come from a
        command line or a URL. Raises `SettingError` for a name that does not exist.
        """
        value = self.model_dump()
        settings = with_current_names(settings)
        for name in sorted(settings, key=lambda name: name.count(".")):
            kind, _, field = name.partition(".")
            if field and kind in PART_KINDS:
                part = value[kind] if isinstance(value[kind], dict) else {"name": value[kind]}
                value[kind] = part | {field: from_text(settings[name])}
            else:
                value[name] = from_text(settings[name])
        return self.parse(value)

    def dotted(self) -> dict[str, Any]:
        """Return every value by its dotted name: the inverse of `with_settings`."""
        flat: dict[str, Any] = {}
        for name, value in self.model_dump(mode="json").items():
            if name in PART_KINDS:
                flat[name] = value.pop("name")
                flat |= {f"{name}.{field}": setting for field, setting in value.items()}
            else:
                flat[name] = value
        return flat

    @property
    def content(self) -> str:
        """Return text that is equal for specs, written out in full, that do the same, whatever people call their data."""
        return json.dumps(self.model_copy(update={"dataset": self.dataset.content}).model_dump(mode="json"), sort_keys=True)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return the spec in a JSON file. Raises `SettingError` where the file cannot be read or is not a spec."""
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise SettingError(
                f"The run file cannot be read ({error}).", "Give a JSON file with a run's settings.", received=path
            ) from None
        if not isinstance(value, dict):
            raise SettingError("A run file holds one JSON object.", "See spec.json in the folder of any run.", received=path)
        return cls.parse(value)


PART_KINDS = tuple(name for name, field in RunSpec.model_fields.items() if field.annotation is PartSpec)
"""The kinds of parts that each run has."""


def with_current_names(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a run with today's names in place of `FORMER_NAMES`; today's wins where both are given."""
    former = {FORMER_NAMES[name]: value for name, value in settings.items() if name in FORMER_NAMES}
    return former | {name: value for name, value in settings.items() if name not in FORMER_NAMES}


def setting_error(error: ValidationError, prefix: str, model: type[BaseModel]) -> SettingError:
    """Return the first complaint of `error` about `model`, as a sentence that names the setting as the user wrote it."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    name = f"{prefix}.{place}" if prefix and place else prefix or place
    if first["type"] == "extra_forbidden":
        known = ", ".join(model.model_fields) or "none"
        return SettingError(f"There is no setting {name}.", f"Known settings here: {known}.", received=f"{name}={first['input']}")
    reason = first["msg"].removeprefix("Value error, ").removeprefix("Input ").removeprefix("String ")
    received = "null" if first["input"] is None else first["input"]
    return SettingError(f"The setting {name} {reason}.", "Give a value that fits.", received=received)


def to_text(value: Any) -> str:
    """Return a value of a setting as text that `from_text` and the setting's own type read again, as in an address."""
    return "null" if value is None else str(value)


def from_text(value: Any) -> Any:
    """Return `null` and lists read as JSON. All other text is left to the field's own type, so that a folder may be named 10."""
    if value == "null":
        return None
    if isinstance(value, str) and value.startswith(("[", "{")):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value
