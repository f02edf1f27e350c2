"""A Plotly chart that keeps what was zoomed and hidden in it while its data go on changing.

`st.plotly_chart` (1.67) counts the data to what a chart is, and begins anew with every change. Here the data are given to
the same chart; what is kept is Plotly's own choice (`uirevision` of the figure's layout). Plotly itself is the copy in its
Python package, served by this server: no network is needed.
"""

from pathlib import Path
from typing import NamedTuple

import plotly
import streamlit as st
from streamlit.components import v1, v2

SCRIPT = Path(__file__).with_suffix(".js")
PLOTLY = "plotly.min.js"
SERVED = "plotly_package"
_ADDRESS = f"component/{__name__}.{SERVED}/{PLOTLY}"


@st.cache_resource(show_spinner=False)
def _serve_plotly() -> None:
    """Make the server answer for the folder of Plotly's script; once a process is enough."""
    v1.declare_component(SERVED, path=str(Path(plotly.__file__).parent / "package_data"))


_mount = v2.component("transfer_lab_kept_chart", js=SCRIPT.read_text(encoding="utf-8"), isolate_styles=False)


class Sheet(NamedTuple):
    """Pictures of `size` pixels a side on one image (a data address), `columns` of them a row, for a chart's points: the first
    number of a point's `customdata` is the place of its picture."""

    address: str
    columns: int
    size: int


def live_chart(figure_json: str, key: str, alt: str, *, sheet: Sheet | None = None) -> None:
    """Draw a figure (Plotly's JSON, with `uirevision` and `height` in its layout), as wide as its place. Calls with the same
    `key` bring new data to the same chart. `alt` is what screen readers say. With a `sheet`, a point that is pointed at shows
    its picture."""
    _serve_plotly()
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    address = f"/{base}/{_ADDRESS}".replace("//", "/")
    _mount(key=key, data={"figure": figure_json, "alt": alt, "plotly": address, "sheet": sheet and sheet._asdict()})
