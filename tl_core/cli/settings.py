"""The options by which a command is told a run's parts and settings."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Annotated, Any

import typer

from tl_core.errors import SettingError
from tl_core.spec import PartSpec, from_text

Name = Annotated[str | None, typer.Option(help="Name of the part; see: python -m tl_core parts")]
Settings = Annotated[list[str] | None, typer.Option("--set", help="A setting by its dotted name: --set dataset.path=DIR")]
Parts = Mapping[str, str | None]
"""The name of a part by its kind; None where the option was not given."""


def with_parts(*kinds: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command an option for each of `kinds`, such as --dataset; their values come as its argument `parts`."""

    def widen(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def widened(*args: Any, **options: Any) -> None:
            command(*args, parts={kind: options.pop(kind) for kind in kinds}, **options)

        added = [inspect.Parameter(kind, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Name) for kind in kinds]
        own = inspect.signature(command).parameters
        places = [(each,) if name != "parts" else added for name, each in own.items()]
        parameters = [parameter for place in places for parameter in place]
        widened.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # read by `inspect`, and so by typer
        return widened

    return widen


def chosen(parts: Parts, settings: Sequence[str] | None) -> dict[str, str]:
    """Return the `parts` that are named, a blank name included, and the settings of --set over them. Raises `SettingError`."""
    return {kind: name for kind, name in parts.items() if name is not None} | dict(map(assignment, settings or []))


def given_part(kind: str, parts: Parts, settings: Sequence[str] | None) -> PartSpec | None:
    """Return the part of the one `kind` that a command takes, with the settings of --set; None where none is named. Raises
    `SettingError` for a setting of anything else."""
    given = chosen(parts, settings)
    if other := next((name for name in given if name.partition(".")[0] != kind), None):
        raise SettingError(f"Only settings of the {kind} can be set here.", f"For example: --set {kind}.k=3", received=other)
    if kind not in given and given:
        raise SettingError(f"A setting of the {kind} needs its name.", f"Give --{kind} NAME, too.", received=next(iter(given)))
    own = {name.partition(".")[2]: from_text(value) for name, value in given.items() if name != kind}
    return PartSpec(name=given[kind], **own) if given else None


def assignment(text: str) -> tuple[str, str]:
    """Return `name=value` as a pair. Raises `SettingError` where there is no equals sign."""
    name, equals, value = text.partition("=")
    if not equals:
        raise SettingError("A setting is written name=value.", "For example: --set image_size=96", received=text)
    return name, value
