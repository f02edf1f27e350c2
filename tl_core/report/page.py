"""A comparison as one HTML file that needs nothing else: its charts are live, it asks no network, and it can be printed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path

import pandas as pd
import plotly.io as pio
from plotly.offline import get_plotlyjs

from tl_core.analysis.comparison import Cost
from tl_core.report import figures, sentences, tables
from tl_core.report.figures import Drawing
from tl_core.report.sentences import Names
from tl_core.runs.findings import Findings, Reads
from tl_core.ui.charts import theme

HERE = Path(__file__).parent
POLICY = "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:"
"""What a browser lets the file do: run what is written in it, and load nothing. Plotly makes functions of text."""


@dataclass(frozen=True)
class View:
    """What is drawn of a comparison: the metric against a `cost`, the place of the validation curves among `figures.curves_of`,
    and the id of the run whose curve stands out."""

    cost: Cost = Cost.SECONDS
    curve: int = 0
    chosen: str | None = None


def page(found: Findings, names: Names, reads: Reads, view: View) -> str:
    """Return the text of the file. All that people wrote, such as names of runs, is in it as text."""
    title = f"{len(found.runs)} runs compared by {found.metric.in_sentence}"
    style, script = ((HERE / name).read_text(encoding="utf-8") for name in ("style.css", "print.js"))
    parts = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="about">{escape(found.metric.summary())} Of the test examples. Made {datetime.now():%d %b %Y, %H:%M}.</p>',
        _list(sentences.verdicts(found, names)),
        _table("Runs", tables.compared_runs(found, names)),
        _table(sentences.TWINS_TITLE, pd.DataFrame(sentences.beside_twins(found, names))),
        _figure(figures.by_labels(found, names)) if found.curves else "",
        _list(sentences.by_labels(found, names)),
        *map(_figure, _drawings(found, names, reads, view)),
        _table("Settings that differ", tables.differences(found.runs, names).reset_index()),
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n<script>{get_plotlyjs()}</script>\n</head>\n"
        f"<body>\n<main>\n{''.join(parts)}</main>\n<script>\n{script}</script>\n</body>\n</html>\n"
    )


def _drawings(found: Findings, names: Names, reads: Reads, view: View) -> Iterator[Drawing]:
    yield figures.against_cost(found.runs, found.values, found.metric, view.cost, names=names, reads=reads)
    if len(found.runs) > 1:
        yield figures.parallel_coordinates(found, names)
    yield figures.curves(found.runs, view.curve, names, reads, chosen=view.chosen)
    yield figures.usage(found.runs, names, reads)


def _figure(drawing: Drawing) -> str:
    drawing.figure.update_layout(font_color=theme.INK)
    chart = pio.to_html(
        drawing.figure,
        config=theme.CONFIG | {"responsive": True},
        include_plotlyjs=False,
        full_html=False,
        default_height=f"{drawing.figure.layout.height}px",
    )
    notes = "".join(f'<p class="note">{escape(text)}</p>\n' for text in drawing.notes)
    return f'<figure role="group" aria-label="{escape(drawing.alt)}">\n{notes}{chart}\n</figure>\n'


def _list(texts: list[str]) -> str:
    items = "".join(f"<li>{escape(text)}</li>" for text in texts)
    return f"<ul>{items}</ul>\n" if texts else ""


def _table(title: str, rows: pd.DataFrame) -> str:
    """Return a table with its title, every text escaped; nothing where it has no rows."""
    if rows.empty:
        return ""
    with pd.option_context("display.max_colwidth", None):  # or long names would be cut
        table = rows.to_html(index=False, border=0, na_rep="", escape=True)
    return f'<h2>{escape(title)}</h2>\n<div class="table">\n{table}\n</div>\n'
