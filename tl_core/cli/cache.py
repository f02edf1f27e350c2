"""The command that looks at the cache of activations."""

from typing import Annotated

import typer

from tl_core.analysis.statements import size
from tl_core.cli.console import AsJson, app, out, print_json, says_what_is_wrong
from tl_core.features.cache import cache_of
from tl_core.runs.store import Store


@app.command()
@says_what_is_wrong
def cache(
    clear: Annotated[bool, typer.Option("--clear", help="Remove all of it. Runs compute again what they need.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say what the cache of activations and decoded images takes, or clear it."""
    kept = cache_of(Store().home)
    removed = kept.clear() if clear else 0
    if as_json:
        print_json({"folder": str(kept.folder), "bytes": kept.size(), "limit_bytes": kept.limit, "removed_bytes": removed})
    elif clear:
        out.print(f"{size(removed)} removed from {kept.folder}.", soft_wrap=True)
    else:
        out.print(f"{size(kept.size())} of at most {size(kept.limit)} in {kept.folder}.", soft_wrap=True)
