"""The command that writes a model card."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from tl_core.cli.console import RunId, app, out, path_in, says_what_is_wrong
from tl_core.errors import SettingError
from tl_core.runs import evaluations
from tl_core.runs.card import card_of
from tl_core.runs.card_text import FORMATS
from tl_core.runs.store import Store
from tl_core.system.files import write_whole


@app.command()
@says_what_is_wrong
def card(
    run: RunId,
    to: Annotated[Path, typer.Option("--to", metavar="FILE", parser=path_in, help="A file whose name ends with .md or .html.")],
) -> None:
    """Write the model card of a finished run: data, backbone, licences, scores, where it fails, limits and cost."""
    store, render = Store(), FORMATS.get(to.suffix.lower())
    if render is None:
        raise SettingError("A model card is Markdown or HTML.", f"End the name with {' or '.join(FORMATS)}.", received=to)
    text = render(card_of(evaluations.finished(store, store.named(run))))
    write_whole(to, lambda path: path.write_text(text, encoding="utf-8"))
    out.print(escape(f"The model card is in {to}."), soft_wrap=True)
