"""Backbone: which pretrained network."""

import streamlit as st

from tl_core import backbones
from tl_core.analysis.statements import count
from tl_core.ui import formatting, forms, frame, image_size, session, steps
from tl_core.ui.charts import choices
from tl_core.ui.recipe_bar import recipe_bar

recipe = session.recipe()
present = recipe.backbone.listing()
offered = [(name, listing) for name, source in backbones.backbones.parts().items() for listing in source.catalogue()]
offered.sort(key=lambda entry: (entry[1].accuracy is None, not entry[1].here))  # what can be transferred now comes first
frame.heading(steps.BACKBONE)
recipe_bar()
choice, evidence = st.columns([1, 2], gap="large")


def choose() -> None:
    """Make the network picked in the list the draft's."""
    name, listing = next(entry for entry in offered if entry[1].title == st.session_state["network"])
    session.change({"backbone": name} | {f"backbone.{key}": value for key, value in listing.settings.items()})


with choice:
    st.session_state["network"] = present.title
    st.radio(
        "Network",
        [listing.title for _, listing in offered],
        captions=[
            f"{count(entry.parameters)} parameters, "
            + ("never pretrained" if entry.accuracy is None else "weights here" if entry.here else "weights not on this machine")
            for _, entry in offered
        ],
        key="network",
        on_change=choose,
        help="A backbone is the network whose lower part is kept and whose features the new classifier uses.",
    )
    image_size.image_size(recipe)
    forms.part_form("backbone", recipe.backbone, without=tuple(present.settings))

with evidence:
    formatting.chart(
        choices.backbone_scatter(offered, present.title), "scatter", "Published accuracy against size of each network"
    )
    with st.container(border=True, key="backbone_card"):
        st.markdown(f"**{present.title}**")
        st.caption(recipe.backbone.about())
        accuracy = f"{100 * present.accuracy:.1f} % ({present.reference})" if present.accuracy else "never pretrained"
        facts = {
            "Learned from": present.learned_from,
            "ImageNet top-1 accuracy": accuracy,
            "Parameters without a classifier": f"{present.parameters:,}",
            "Licence of the weights": present.licence,
            "Weights": present.weights,
        }
        st.markdown("\n".join(f"- **{name}:** {formatting.plain(fact)}" for name, fact in facts.items()))
    with formatting.sentence_for_mistakes():
        recipe.require_weights()
