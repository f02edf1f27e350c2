"""The map of a dataset: a button, progress, and a scatter whose points show their pictures."""

import base64
from functools import partial

import streamlit as st

from tl_core.analysis.statements import seconds
from tl_core.checks.domain_shift import sentence
from tl_core.checks.projection import COLUMNS, METHOD, MOST, THUMBNAIL, ImageMap
from tl_core.data.label_kinds import CLASSES
from tl_core.recipe import Recipe
from tl_core.studies.image_map import ImageMapResult, ImageMapStudy
from tl_core.ui import formatting, session
from tl_core.ui.charts.image_map import image_map as map_chart
from tl_core.ui.live_chart import Sheet, live_chart
from tl_core.ui.study_panel import StudyPanel

ABOUT = (
    "The data as the chosen network sees them: examples that are close together are alike to it. Classes that form islands are "
    "easy to learn; an example among those of another class is hard, or its label is wrong. Up to "
    f"{sum(MOST.values()):,} of them pass through the network, once for all runs."
)
ABOUT_NUMBERS = (
    "The data as the chosen network sees them: examples that are close together are alike to it. Where neighbours have nearly "
    "the same number, it is easy to learn; one that stands out among its neighbours is hard, or its number is wrong. Up to "
    f"{sum(MOST.values()):,} of them pass through the network, once for all runs."
)


ABOUT_LABELS = (
    "The data as the chosen network sees them: examples that are close together are alike to it. A label whose examples form "
    f"islands is easy to learn. Up to {sum(MOST.values()):,} of them pass through the network, once for all runs."
)
STUDY = ImageMapStudy()


def image_map(recipe: Recipe) -> None:
    """Draw the map's panel, for a network with pretrained weights."""
    kind = recipe.dataset.label_kind
    about = ABOUT if kind == CLASSES else ABOUT_NUMBERS if kind.single else ABOUT_LABELS
    st.subheader("Map", help=about)
    StudyPanel(STUDY, about, "Draw the map", "Draw again", "scatter_plot", partial(_show, recipe)).draw(recipe)


def _coloured(found: ImageMap) -> int:
    """Return which of several labels the colours show, as it is chosen in a list; the commonest at first."""
    if not found.of_several:
        return 0
    counts = [sum(found.has(label)) for label in range(len(found.class_names))]
    return st.selectbox(
        "Colour by",
        range(len(counts)),
        index=counts.index(max(counts)),
        format_func=lambda label: f"{formatting.plain(found.class_names[label])} ({counts[label]:,})",
        key="map_label",
        help="The label whose examples stand out on the map, and how many of those that are drawn have it.",
    )


def _show(recipe: Recipe, found: ImageMapResult) -> None:
    if found.map is None:
        return
    try:
        pictures = STUDY.sheet_file(session.store().home, recipe).read_bytes()
    except OSError:
        pictures = b""
    sheet = (
        Sheet("data:image/webp;base64," + base64.b64encode(pictures).decode("ascii"), COLUMNS, THUMBNAIL) if pictures else None
    )
    names, label = found.map.class_names, _coloured(found.map)
    figure = map_chart(found.map, label)
    several = f"by {names[label]}" if found.map.of_several else f"of {len(names)} classes"
    of = f"by {names[0]}" if found.map.of_numbers else several
    drawn = f"{len(found.map.x):,} {recipe.dataset.thing} {of}"
    alt = f"{drawn} as {recipe.backbone.title} sees them"
    live_chart(str(figure.to_json(validate=False)), "image_map", alt, sheet=sheet)
    st.caption(
        f"{METHOD}, in {seconds(found.seconds)}. Distances between islands mean little; which points are neighbours means much."
    )
    st.caption(formatting.plain(sentence(found.shift, recipe.dataset.thing)))
