"""Parts and where they are found: a part is one module with one frozen pydantic model, registered by a decorator.

Its fields describe themselves; that one declaration checks the values, draws the form, makes the
command-line option, the documentation and the JSON schema.
"""

import ast
import difflib
import importlib
import inspect
import pkgutil
import sys
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeVar, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)

from tl_core.errors import SettingError
from tl_core.spec import PART_KINDS, PartSpec, RunSpec, setting_error

KINDS = {
    "dataset": "tl_core.datasets:datasets",
    "backbone": "tl_core.backbones:backbones",
    "strategy": "tl_core.strategies:strategies",
    "executor": "tl_core.executors:executors",
    "study": "tl_core.studies:studies",
    "engine": "tl_core.features.engines:engines",
    "metric": "tl_core.metrics:metrics",
    "task": "tl_core.tasks:tasks",
    "ranking": "tl_core.ranking:scores",
    "export": "tl_core.exports:formats",
    "tracker": "tl_core.trackers:trackers",
}
"""Every kind of part and where its registry is. From this list follow the documentation (`parts`), the forms and the contract
tests; a kind that each run has is, beside this, a field of `RunSpec` and of `Recipe`."""
ENTRY_POINT_GROUP = "transfer_lab.parts"


@cache
def documentation(thing: Any) -> str:
    """Return the docstring of a class or function, from its source where Python drops docstrings (`python -OO`)."""
    if thing.__doc__ is not None or not sys.flags.optimize > 1:
        return thing.__doc__ or ""
    (node,) = ast.parse(textwrap.dedent(inspect.getsource(thing))).body
    return ast.get_docstring(node, clean=False) or ""  # type: ignore[arg-type]  # a class or a function


class Part(BaseModel):
    """What all parts share: a name, a title, a one-sentence docstring, and fields that are its settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: ClassVar[str]
    title: ClassVar[str]
    listing_order: ClassVar[int] = 100
    """Where it stands among the parts of its kind: lower numbers first, equal ones by name. Pages may hide those above 100 behind
    "More"."""
    added: ClassVar[Mapping[str, Callable[[Mapping[str, Any]], Any]]] = {}
    """Settings that earlier versions did not have and did not do the default of, each with what gives its value for the settings
    of a run that such a version stored."""

    @model_validator(mode="before")
    @classmethod
    def _reads_earlier_settings(cls, value: Any) -> Any:
        """Write out the settings that were `added`, where all others are given, as only a stored run gives them."""
        missing = cls.model_fields.keys() - value.keys() if isinstance(value, Mapping) else set()
        if not missing or missing - cls.added.keys():
            return value
        return {**value, **{name: cls.added[name](value) for name in missing}}

    @field_validator("*", mode="wrap")
    @classmethod
    def _blank_is_unset(cls, value: Any, check: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        """Return None for a blank text or path that may be None: a shell's unset variable leaves `dataset.path=`, and an empty
        path would be the current folder."""
        checked = check(value)
        is_blank = isinstance(value, str) and not value.strip()
        return None if is_blank and cls.model_fields[str(info.field_name)].default is None else checked

    @classmethod
    def example(cls) -> Self:
        """Return a small, quick instance of this part for the contract tests. It has the default settings, unless overridden."""
        return cls()

    @classmethod
    def summary(cls) -> str:
        """Return the first sentence of the docstring: what the part is, for people."""
        return documentation(cls).strip().split("\n\n")[0].replace("\n", " ")

    @classmethod
    def about(cls) -> str:
        """Return the whole docstring, with its line breaks folded."""
        return " ".join(documentation(cls).split())

    @property
    def paths(self) -> tuple[Path, ...]:
        """Return the paths among its settings."""
        return tuple(value for value in self.model_dump().values() if isinstance(value, Path))

    @property
    def own_settings(self) -> dict[str, Any]:
        """Return the settings that differ from the defaults, as plain values."""
        return self.model_dump(mode="json", exclude_defaults=True)

    def spec(self) -> PartSpec:
        """Return this part as plain values, every setting written out."""
        return PartSpec(name=self.name, **self.model_dump(mode="json"))


LONGEST_SETTING = 24
"""Characters of a setting in a title; costs of many classes are a long matrix."""


def title_with_settings(part: Part) -> str:
    """Return the title of a part, with the settings that differ from the defaults: "Top-5 accuracy (classes 3)"."""
    own = (f"{type(part).model_fields[name].title or name} {_short(value)}" for name, value in part.own_settings.items())
    told = ", ".join(map(lowered, own))
    return f"{part.title} ({told})" if told else part.title


def lowered(text: str) -> str:
    """Return `text` with a small first letter, unless its first word is an abbreviation."""
    return text if text[:2].isupper() else text[:1].lower() + text[1:]


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= LONGEST_SETTING else f"{text[: LONGEST_SETTING - 1]}\N{HORIZONTAL ELLIPSIS}"


P = TypeVar("P", bound=Part)


class Registry(Generic[P]):
    """The parts of one kind: modules of one package, but for the shared bases in `_` modules, and installed entry points.
    `renamed` gives what a spec is called today."""

    def __init__(self, kind: str, package: str, renamed: Callable[[PartSpec], PartSpec] = lambda spec: spec) -> None:
        self.kind = kind
        self.package = package
        self._renamed = renamed
        self._parts: dict[str, type[P]] = {}
        self._discovered = False

    def register(self, name: str) -> Callable[[type[P]], type[P]]:
        """Return a class decorator that makes a part known by `name`. Two parts of one name are a bug, hence `ValueError`."""

        def keep(part: type[P]) -> type[P]:
            known = self._parts.get(name)
            if known is not None and known.__module__ != part.__module__:
                raise ValueError(f"Two {self.kind} parts are named {name!r}: {known.__module__} and {part.__module__}.")
            part.name = name
            self._parts[name] = part
            return part

        return keep

    def parts(self) -> dict[str, type[P]]:
        """Return every part of this kind by name, in the order in which they are listed everywhere."""
        self._discover()
        return dict(sorted(self._parts.items(), key=lambda entry: (entry[1].listing_order, entry[0])))

    def part(self, name: str) -> type[P]:
        """Return the class of the part called `name`. Raises `SettingError` with the nearest name there is."""
        parts = self.parts()
        if name not in parts:
            near = difflib.get_close_matches(name, parts, n=1)
            hint = f"Did you mean {near[0]}? " if near else ""
            raise SettingError(f"There is no {self.kind} of that name.", f"{hint}Known: {', '.join(parts)}.", received=name)
        return parts[name]

    def build(self, spec: PartSpec) -> P:
        """Return the part that `spec` names, with its settings checked. Raises `SettingError`."""
        spec = self._renamed(spec)
        part = self.part(spec.name)
        try:
            return part.model_validate(spec.settings)
        except ValidationError as error:
            raise setting_error(error, self.kind, part) from None

    def _discover(self) -> None:
        if self._discovered:
            return
        package: Any = importlib.import_module(self.package)
        for module in pkgutil.iter_modules(package.__path__):
            if not module.name.startswith("_"):
                importlib.import_module(f"{self.package}.{module.name}")
        for entry in entry_points(group=ENTRY_POINT_GROUP):
            entry.load()
        self._discovered = True


def registry(kind: str) -> Registry[Any]:
    """Return the registry of the parts of `kind`. Raises `SettingError` for a kind that does not exist."""
    if kind not in KINDS:
        raise SettingError("There is no such kind of part.", f"Known: {', '.join(KINDS)}.", received=kind)
    return cast(Registry[Any], pkgutil.resolve_name(KINDS[kind]))


def registries() -> dict[str, Registry[Any]]:
    """Return the registry of each kind of part, in the order of `KINDS`."""
    return {kind: registry(kind) for kind in KINDS}


def setting_title(spec: RunSpec, name: str) -> str:
    """Return what forms call a setting of `spec`, given by its dotted name: that name where its part has no such setting, or is
    not installed."""
    if name in PART_KINDS:
        return name.capitalize()
    kind, _, setting = name.rpartition(".")
    owner = registry(kind).parts().get(getattr(spec, kind).name) if kind else RunSpec
    field = owner.model_fields.get(setting) if owner else None
    return (field.title if field else None) or name


def setting_titles(specs: Iterable[RunSpec], names: Sequence[str]) -> dict[str, str]:
    """Return what forms call settings, by their dotted `names`: as the first of `specs` does that has it, with the kind of its
    part where several are called the same."""
    specs = list(specs)
    titles = {name: next((told for spec in specs if (told := setting_title(spec, name)) != name), name) for name in names}
    alike = Counter(titles.values())
    return {name: f"{name.partition('.')[0]}: {told}" if alike[told] > 1 else told for name, told in titles.items()}
