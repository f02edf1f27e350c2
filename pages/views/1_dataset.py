"""Dataset: which examples, and how many labels."""

import streamlit as st

from tl_core.analysis.statements import span
from tl_core.errors import TransferError
from tl_core.notes import sentences
from tl_core.recipe import Recipe
from tl_core.ui import (
    class_levels,
    data_checks,
    faults,
    formatting,
    forms,
    frame,
    image_map,
    image_size,
    previews,
    session,
    sources,
)
from tl_core.ui.charts import data
from tl_core.ui.recipe_bar import recipe_bar, require_allowed_paths
from tl_core.ui.steps import PageInfo


def summary() -> str:
    """Return the dataset's name, and its number of classes where it can be read."""
    recipe = session.recipe()
    try:
        require_allowed_paths(recipe)
        return f"{recipe.dataset.shown_name}, {previews.asked(previews.preview(recipe.dataset, recipe.seed))}"
    except TransferError:
        return recipe.dataset.shown_name


PAGE = PageInfo(1, "Dataset", ":material/counter_1:", "Which data, and how many labels?", summary)


def draw() -> None:
    """Draw the page."""
    recipe = session.recipe()
    frame.heading(PAGE)
    recipe_bar()
    choice, evidence = st.columns([1, 2], gap="large")
    with choice:
        sources.sources(recipe)
    labels = forms.labels("dataset", recipe.dataset)
    unfilled = forms.is_unfilled(recipe.dataset) and not recipe.dataset.fetches
    mistakes, bugs = formatting.sentence_for_mistakes(labels, unfilled=unfilled), faults.contained("the view of this dataset")
    with evidence, mistakes, class_levels.offered(labels), bugs:
        draw_evidence(recipe)


def draw_evidence(recipe: Recipe) -> None:
    """Draw samples, counts and what is known of the dataset."""
    require_allowed_paths(recipe)
    preview = previews.preview(recipe.dataset, recipe.seed)
    images, thing = preview.images, recipe.dataset.thing
    formatting.chart(data.split_bar(images.train, images.validation, images.test, thing), "split", "Examples in each split")
    previews.samples(preview)
    previews.balance(preview, thing)
    if preview.sizes:
        widths, heights = map(span, zip(*preview.sizes, strict=True))
        size = image_size.sentence(recipe)
        st.caption(f"Sample images are {widths} pixels wide and {heights} high. The network is given {size}")
    st.caption(formatting.plain(f"They come from {recipe.dataset.location()}."))
    if preview.notes:
        st.info("\n".join(f"- {formatting.plain(note)}" for note in sentences(preview.notes)), icon=":material/rule:")
    data_checks.examination(recipe)
    if recipe.is_accepted:
        image_map.image_map(recipe)


if __name__ == "__main__":
    draw()
