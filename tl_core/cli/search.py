"""The command that searches for the best network and strategy within a time."""

from typing import Annotated

import typer

from tl_core.cli.console import AsJson, app, says_what_is_wrong
from tl_core.cli.settings import Parts, Settings, chosen, with_parts
from tl_core.cli.study import answered, tell
from tl_core.recipe import Recipe, changed
from tl_core.spec import PartSpec, RunSpec
from tl_core.studies import build
from tl_core.studies.search import Search

(MINUTES,) = Search.model_fields.values()


@app.command()
@says_what_is_wrong
@with_parts("dataset", "backbone", "task", "metric")
def search(
    *,
    parts: Parts,
    settings: Settings = None,
    minutes: Annotated[float, typer.Option(help=MINUTES.description)] = MINUTES.default,
    as_json: AsJson = False,
) -> None:
    """Find the best network and strategy for a dataset within a time, and wait for it. Ctrl-C ends it, and its runs."""
    part = build(PartSpec(name=Search.name, minutes=minutes))
    tell(part, answered(part, Recipe.of(changed(RunSpec(), chosen(parts, settings)))), as_json=as_json)
