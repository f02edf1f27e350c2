"""The image size of the draft: it follows the images and the network until somebody sets it, and the page says why."""

import streamlit as st

from tl_core.recipe import Recipe
from tl_core.spec import RunSpec
from tl_core.ui import forms, session


def image_size(recipe: Recipe) -> None:
    """Draw the field of the image size, what it follows, and the way back to that."""
    fitting = recipe.backbone.fitting_size(recipe.typical_size)
    field = RunSpec.model_fields["image_size"]
    forms.setting("image_size", field, recipe.given_size, scope="run", empty=f"{fitting}, follows the images")
    st.caption(sentence(recipe))
    if recipe.given_size is not None:
        st.button(
            f"Follow the images: {fitting} px",
            key="follow_images",
            type="tertiary",
            icon=":material/undo:",
            on_click=session.change,
            args=({"image_size": None},),
            help="Take the number out, so that the size goes with whatever images and network are chosen.",
        )


def sentence(recipe: Recipe) -> str:
    """Return how large the network is given the images, and why."""
    why = _reason(recipe) if recipe.given_size is None else "set by hand."
    return f"{recipe.input_size} px: {why}"


def _reason(recipe: Recipe) -> str:
    """Return why the image size is what it is where nobody set it."""
    network, side, fitting = recipe.backbone, recipe.typical_size, recipe.backbone.fitting_size(recipe.typical_size)
    learned = "the size that the network learned at" if network.pretrained else "the most for this network"
    if side is None:
        return f"{learned}; the images cannot be looked at yet."
    images = f"the shorter sides of the images have about {side:,} px"
    if side > fitting:
        return f"{images}, and {fitting} px is {learned}."
    if fitting > max(side, network.size_step * -(-side // network.size_step)):
        return f"{images}, and are enlarged: in fewer pixels this network tells little."
    return f"{images}." if side == fitting else f"{images}, and the network takes multiples of {network.size_step} px best."
