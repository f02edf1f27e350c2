"""The networks that fit, and the card of one: what it learned from, how good it is, its size, its licence and its weights."""

import streamlit as st

from tl_core import backbones
from tl_core.backbones import CatalogueEntry
from tl_core.recipe import Recipe
from tl_core.ui import formatting


def backbone_card(recipe: Recipe) -> None:
    """Draw what is known of the chosen network."""
    present = recipe.backbone.listing()
    st.markdown(f"**{present.title}**")
    st.caption(recipe.backbone.about())
    published = f"{100 * present.accuracy:.1f} % ({present.reference})" if present.accuracy else "never pretrained"
    counted = "Parameters with its classifier" if present.counts_head else "Parameters without a classifier"
    facts = {
        "Learned from": present.learned_from,
        **({"ImageNet top-1 accuracy": published} if present.accuracy or not present.pretrained else {}),
        **({counted: f"{present.parameters:,}"} if present.parameters else {}),
        "Licence of the weights": present.licence,
        "Weights": present.weights,
    }
    st.markdown("\n".join(f"- **{name}:** {formatting.plain(fact)}" for name, fact in facts.items()))


def networks_for(recipe: Recipe) -> list[tuple[str, CatalogueEntry]]:
    """Return the networks that take the examples of the draft, and its own network, each with its source's name: first what
    can be transferred now."""
    taken = {recipe.dataset.modality, recipe.backbone.accepts}
    sources = {name: part for name, part in backbones.backbones.parts().items() if part.accepts in taken}
    offered = [(name, entry) for name, part in sources.items() for entry in part.catalogue()]
    own = recipe.backbone.name, recipe.backbone.listing()  # it may be one of a folder, which no catalogue has
    offered += [own] if own not in offered else []
    return sorted(offered, key=lambda pair: (not pair[1].pretrained, not pair[1].here))
