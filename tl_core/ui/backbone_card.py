"""The card of a network: what it learned from, how good it is, its size, its licence, and where its weights are."""

import streamlit as st

from tl_core.recipe import Recipe
from tl_core.ui import formatting


def backbone_card(recipe: Recipe) -> None:
    """Draw what is known of the chosen network."""
    present = recipe.backbone.listing()
    st.markdown(f"**{present.title}**")
    st.caption(recipe.backbone.about())
    facts = {
        "Learned from": present.learned_from,
        "ImageNet top-1 accuracy": f"{100 * present.accuracy:.1f} % ({present.reference})"
        if present.accuracy
        else "never pretrained",
        "Parameters without a classifier": f"{present.parameters:,}",
        "Licence of the weights": present.licence,
        "Weights": present.weights,
    }
    st.markdown("\n".join(f"- **{name}:** {formatting.plain(fact)}" for name, fact in facts.items()))
