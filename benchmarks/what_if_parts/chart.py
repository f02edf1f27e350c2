"""The picture: seconds of ours and of what it is held against, on a log axis."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import sync_playwright
from plotly import graph_objects as go
from plotly.offline import get_plotlyjs

from benchmarks.what_if_parts.results import Bar
from tl_core.ui.charts import theme

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync")
WIDTH, ROW, MARGIN = 960, 46, 110
"""Pixels: of the picture, of each of its rows, and above and below them."""


def figure(bars: Sequence[Bar], title: str) -> go.Figure:
    """Draw two horizontal bars for each of `bars` that has seconds on both sides, those aside left out."""
    shown = [bar for bar in reversed(bars) if bar.ours and bar.theirs and not bar.aside]
    height = MARGIN + ROW * len(shown)
    drawn = theme.figure(title, height, legend=True)
    titles = [theme.lines(_folded(bar.title), 80) for bar in shown]
    seconds = []
    for name, side, colour in (("what it is held against", "theirs", theme.SCRATCH), ("Transfer Lab", "ours", theme.CHOSEN)):
        costs = [getattr(bar, side).wall for bar in shown]
        seconds += costs
        labels = [f"{_rounded(cost)} s" for cost in costs]
        if side == "ours":
            labels = [f"{label}  <b>{_ratio(bar)}</b>" for label, bar in zip(labels, shown, strict=True)]
        drawn.add_bar(
            y=titles,
            x=costs,
            name=name,
            orientation="h",
            marker_color=colour,
            text=labels,
            textposition="outside",
            cliponaxis=False,
        )
    theme.log_axis(drawn, [min(seconds), 3 * max(seconds)])  # room for the text behind the longest bar
    drawn.update_yaxes(tickmode="linear", dtick=1)  # a title for each
    drawn.update_layout(barmode="group", bargap=0.3, legend_traceorder="reversed", paper_bgcolor="white", font_color=theme.INK)
    return theme.axes(drawn, "seconds, from the end of the imports to the result", "")


def draw(bars: Sequence[Bar], title: str, file: Path) -> None:
    """Write the picture into `file` (PNG), by a browser without a window. Raises `OSError` where there is no browser."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        raise OSError(f"there is none of {', '.join(BROWSERS)}")
    drawn = figure(bars, title)
    content = drawn.to_html(include_plotlyjs=False, config=theme.CONFIG, default_width=f"{WIDTH}px")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=QUIET)
        page = browser.new_page(viewport={"width": WIDTH, "height": int(drawn.layout.height)}, device_scale_factor=2)
        page.set_content("<style>body {margin: 0}</style>")
        page.add_script_tag(content=get_plotlyjs())
        page.evaluate("html => document.body.append(document.createRange().createContextualFragment(html))", content)
        page.wait_for_selector(".main-svg")
        page.screenshot(path=file)
        browser.close()


def _ratio(bar: Bar) -> str:
    return f"{_rounded(bar.value)} times the {'time' if bar.at_most else 'speed'}"


def _folded(title: str) -> str:
    """Return `title` in two lines, parted after a comma near its middle where there is one."""
    places = [place for place, letter in enumerate(title) if letter == ","]
    nearest = min(places, key=lambda place: abs(place - len(title) / 2), default=None)
    return title if nearest is None or len(title) < 40 else f"{title[: nearest + 1]}\n{title[nearest + 2 :]}"


def _rounded(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 else f"{number:.1f}"
