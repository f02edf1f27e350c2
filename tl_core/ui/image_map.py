"""The map of a dataset: a button, progress, and a scatter whose points show their pictures."""

import base64
from functools import partial

import streamlit as st

from tl_core.analysis.statements import seconds
from tl_core.checks.domain_shift import sentence
from tl_core.checks.projection import COLUMNS, METHOD, MOST, THUMBNAIL
from tl_core.recipe import Recipe
from tl_core.runs.store import Store
from tl_core.studies import image_map_job
from tl_core.studies.image_map_job import Mapped
from tl_core.ui import formatting, session
from tl_core.ui.charts.image_map import image_map as map_chart
from tl_core.ui.live_chart import Sheet, live_chart
from tl_core.ui.polling import is_at_work, polled
from tl_core.ui.recipe_bar import require_allowed_paths

ABOUT = (
    "The images as the chosen network sees them: what lies together looks alike to it. Classes that form islands are easy to "
    "learn; an image among those of another class is hard, or its label is wrong. Up to "
    f"{sum(MOST.values()):,} images go through the network, once for all runs."
)


def image_map(recipe: Recipe) -> None:
    """Shown for a network with pretrained weights, and polled while a map is drawn."""
    st.subheader("Map", help=ABOUT)
    polled(__name__, lambda: Mapped.read(session.store().home, recipe), partial(_panel, recipe))


def _panel(recipe: Recipe, found: Mapped | None) -> None:
    if found is None:
        st.caption(ABOUT)
    elif found.error:
        formatting.say_wrong(found.error)
    else:
        _show(recipe, found)
    if not is_at_work(found):
        title, icon = ("Draw again", "replay") if found else ("Draw the map", "scatter_plot")
        st.button(title, key="draw_map", icon=f":material/{icon}:", on_click=_request, args=(recipe,))


def _show(recipe: Recipe, found: Mapped) -> None:
    if found.map is None:
        rate = f", {found.images_per_second:,.0f} images a second" if found.images_per_second else ""
        st.progress(0.0, f"{found.stage}{rate}")
        return
    try:
        pictures = image_map_job.sheet_file(session.store().home, recipe).read_bytes()
    except OSError:
        pictures = b""
    sheet = (
        Sheet("data:image/webp;base64," + base64.b64encode(pictures).decode("ascii"), COLUMNS, THUMBNAIL) if pictures else None
    )
    figure = map_chart(found.map)
    alt = f"{len(found.map.x):,} images of {len(found.map.class_names)} classes as {recipe.backbone.title} sees them"
    live_chart(str(figure.to_json(validate=False)), "image_map", alt, sheet=sheet)
    st.caption(f"{METHOD}, in {seconds(found.seconds)}. Distances between islands mean little; who is a neighbour means much.")
    st.caption(formatting.plain(sentence(found.shift)))


def _request(recipe: Recipe) -> None:
    def ask(store: Store) -> None:
        require_allowed_paths(recipe)
        recipe.require_weights()
        image_map_job.request(store.home, recipe)

    session.request(ask)
