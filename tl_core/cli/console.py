"""What all commands share: the application, its two outputs, and how a mistake is told."""

import json
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from typer.core import TyperGroup
from typer.exceptions import TyperException

from tl_core.cli.format import ENDING, STOPPED, USER_MISTAKE
from tl_core.errors import SettingError, TransferError
from tl_core.registry import documentation
from tl_core.runs.schema import Priority


class Commands(TyperGroup):
    """All commands. A call that is none is told in JSON where JSON was asked for, as every other mistake is."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Read the arguments, and remember whether they ask for JSON."""
        ctx.meta[JSON] = JSON in args
        return super().parse_args(ctx, args)

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        """Run the command. Raises `typer.Exit` with a user's mistake told in JSON."""
        try:
            return super().invoke(ctx)
        except TyperException as error:
            if not ctx.meta[JSON]:
                raise
            print_json(dict.fromkeys(ENDING) | {"error": error.format_message()})
            raise typer.Exit(USER_MISTAKE) from None


JSON = "--json"
app = typer.Typer(
    cls=Commands, add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help="Transfer learning, measured."
)
# A pipe has no width of its own, and a run's id cut short is of no use to whoever reads it there.
out = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
err = Console(stderr=True, highlight=False)

AsJson = Annotated[bool, typer.Option(JSON, help="Print JSON on standard output.")]
RunId = Annotated[str, typer.Argument(metavar="RUN", help="The id of a run, or the end of one that no other run has.")]

PRIORITIES = "|".join(priority.name.lower() for priority in Priority)


def priority_named(text: str) -> Priority:
    """Return the priority of that name. Raises `typer.BadParameter` where there is none; typer tells the user of it."""
    names = {priority.name.lower(): priority for priority in Priority}
    if text.lower() not in names:
        raise typer.BadParameter(f"A priority is one of {', '.join(names)}. Received: {text}")
    return names[text.lower()]


def path_in(text: str) -> Path:
    """Return the path that `text` is. Raises `typer.BadParameter` for a blank one, which `Path` takes for the current folder."""
    if not text.strip():
        raise typer.BadParameter("The path is blank, as an unset variable leaves it. Name a file or a folder.")
    return Path(text)


def says_what_is_wrong(command: Callable[..., None]) -> Callable[..., None]:
    """Make a command turn a `TransferError` into one sentence (or one JSON object) and exit code 2."""

    @wraps(command)
    def guarded(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except TransferError as error:
            if kwargs.get("as_json"):
                print_json(dict.fromkeys(ENDING) | {"error": str(error)})
            else:
                err.print(f"[red]Error:[/] {escape(str(error))}", soft_wrap=True)
            raise typer.Exit(USER_MISTAKE) from None

    guarded.__doc__ = documentation(command)  # the help of the command
    return guarded


def confirm(question: str) -> None:
    """Ask, and leave where the answer is no: with exit code 0, since nothing went wrong. Raises `SettingError` where nobody can
    answer."""
    try:
        is_wanted = typer.confirm(question)
    except typer.Abort:
        if sys.stdin.isatty():  # Ctrl-C
            raise typer.Exit(STOPPED) from None
        raise SettingError("Nobody answered this question.", "With --yes it is not asked.") from None
    if not is_wanted:
        err.print("Nothing was done.")
        raise typer.Exit


def print_json(value: Any) -> None:
    """Print JSON alone on standard output."""
    sys.stdout.write(json.dumps(value) + "\n")
