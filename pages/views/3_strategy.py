"""Strategy: how much of the network is retrained."""

import streamlit as st

from tl_core import executors, strategies
from tl_core.analysis.statements import count
from tl_core.planning import estimate
from tl_core.ui import estimates, formatting, forms, frame, lr_finder, precision_panel, previews, session, steps, what_ifs
from tl_core.ui.charts import network
from tl_core.ui.recipe_bar import recipe_bar, require_allowed_paths

recipe = session.recipe()
offered = strategies.strategies.parts()
frame.heading(steps.STRATEGY)
recipe_bar()
choice, evidence = st.columns([1, 2], gap="large")


def choose() -> None:
    """Make the strategy picked in the list the draft's."""
    if st.session_state["strategy_name"]:
        session.change({"strategy": st.session_state["strategy_name"]})


with choice:
    families = list(strategies.Family)
    family = st.selectbox(
        "Kind of strategy",
        families,
        index=families.index(recipe.strategy.family),
        key="strategy_family",
        help="From the cheapest to the dearest: what of the network is retrained, and what holds it back.",
    )
    of_family = [name for name, part in offered.items() if part.family == family]
    st.session_state["strategy_name"] = recipe.strategy.name if recipe.strategy.name in of_family else None
    st.radio(
        "Strategy",
        of_family,
        format_func=lambda name: offered[name].title,
        captions=[offered[name].summary() for name in of_family],
        key="strategy_name",
        on_change=choose,
        help="A strategy says which blocks of the network train, in which phase, and how fast.",
    )
    forms.part_form("strategy", recipe.strategy)
    with st.expander("Where it runs"):
        about = "The machine or the cluster that the run's process is started on."
        forms.part_choice(executors.executors, recipe.executor, "Executor", about)
        forms.part_form("executor", recipe.executor)

with evidence, formatting.sentence_for_mistakes():
    st.markdown(f"**When to use {recipe.strategy.title}.** {recipe.strategy.when_to_use}")
    recipe.require_weights()
    require_allowed_paths(recipe)
    preview = previews.preview(recipe.dataset, recipe.seed)
    classes = len(preview.class_names)
    measured = estimates.probe(recipe)
    if measured is None:
        st.info("The network is drawn here as soon as it has been loaded once on this machine.", icon=":material/hourglass_top:")
        st.stop()
    outline = measured.outline
    head = estimate.head_parameters(recipe, outline, classes)
    planned = estimates.planned(recipe, outline, preview.images)
    formatting.chart(network.phase_chart(planned, head), "phases", "Which blocks are frozen and which train in each phase")
    st.caption(
        f"{recipe.backbone.listing().title}: {len(outline.blocks)} blocks, {count(outline.parameters)} parameters, "
        f"{outline.multiply_adds / 1e6:,.0f} million multiply-adds an image at {recipe.image_size} px. "
        f"The head is one dense layer from {recipe.strategy.feature_size(outline):,} features to {classes} classes: "
        f"{head:,} parameters. {network.batch_norm(planned.cuts.phases, outline.blocks)} "
        "A full pass takes an image forward and backward through the whole network; what is frozen, each image passes once."
    )
    lr_finder.rate_finder(recipe, measured, preview.images.train)
    what_ifs.what_ifs(recipe)
    precision_panel.precision_panel(recipe, preview.images)
