"""Strategy: how much of the network is retrained."""

import streamlit as st

from tl_core import executors
from tl_core.analysis.statements import count
from tl_core.planning import estimate
from tl_core.recipe import Recipe
from tl_core.ui import decisions, estimates, formatting, forms, frame, lr_finder, precision_panel, previews, session, what_ifs
from tl_core.ui.charts import network
from tl_core.ui.recipe_bar import recipe_bar, require_allowed_paths
from tl_core.ui.steps import PageInfo
from tl_core.ui.strategy_choice import strategy_choice

PAGE = PageInfo(3, "Strategy", ":material/counter_3:", "How much of it is retrained?", lambda: session.recipe().strategy.title)
ABOUT_EXECUTORS = "The machine or the cluster that the run's process is started on."


def draw() -> None:
    """Draw the page."""
    recipe = session.recipe()
    frame.heading(PAGE)
    recipe_bar()
    choice, evidence = st.columns([1, 2], gap="large")
    with choice:
        draw_choice(recipe)
    with evidence, formatting.sentence_for_mistakes():
        draw_evidence(recipe)


def draw_choice(recipe: Recipe) -> None:
    """Draw the list of strategies, the settings of the chosen one, and where it runs."""
    strategy_choice(recipe)
    forms.part_form("strategy", recipe.strategy)
    decisions.choice(recipe)
    with st.expander("Where it runs"):
        forms.part_choice(executors.executors, recipe.executor, "Executor", ABOUT_EXECUTORS)
        forms.part_form("executor", recipe.executor)


def draw_evidence(recipe: Recipe) -> None:
    """Draw the network with its phases, and the studies that help to choose."""
    st.markdown(f"**When to use {recipe.strategy.title}.** {recipe.strategy.when_to_use}")
    recipe.require_weights()
    require_allowed_paths(recipe)
    preview, measured = previews.preview(recipe.dataset, recipe.seed), estimates.probe(recipe)
    if measured is None:
        st.info("The network is drawn here as soon as it has been loaded once on this machine.", icon=":material/hourglass_top:")
        return
    outline, classes = measured.outline, len(preview.class_names)
    head = estimate.head_parameters(recipe, outline, classes)
    planned = estimates.planned(recipe, outline, preview.images)
    formatting.chart(network.phase_chart(planned, head), "phases", "Which blocks are frozen and which train in each phase")
    st.caption(
        f"{recipe.backbone.listing().title}: {len(outline.blocks)} blocks, {count(outline.parameters)} parameters, "
        f"{outline.multiply_adds / 1e6:,.0f} million multiply-adds an example of {recipe.shown_size}. "
        f"The head is one dense layer from {recipe.strategy.feature_size(outline):,} features to {previews.asked(preview)}: "
        f"{head:,} parameters. {network.batch_norm(planned.cuts.phases, outline.blocks)} "
        "A full pass is forward and backward through the whole network; an image passes the frozen part only once."
    )
    lr_finder.rate_finder(recipe, measured, preview.images.train)
    what_ifs.what_ifs(recipe)
    precision_panel.precision_panel(recipe, preview.images)


if __name__ == "__main__":
    draw()
