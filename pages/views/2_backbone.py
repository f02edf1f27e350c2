"""Backbone: which pretrained network."""

import streamlit as st

from tl_core.recipe import Recipe
from tl_core.ui import formatting, forms, frame, image_size, session
from tl_core.ui.backbone_card import backbone_card, networks_for
from tl_core.ui.backbone_list import Offered, backbone_list
from tl_core.ui.bring_network import bring_network
from tl_core.ui.charts import choices
from tl_core.ui.dataset_similarity import dataset_similarity
from tl_core.ui.ranking import backbone_ranking
from tl_core.ui.recipe_bar import recipe_bar, require_allowed_paths
from tl_core.ui.steps import PageInfo
from tl_core.ui.this_computer import this_computer


def summary() -> str:
    """Return the network and the size of its inputs."""
    recipe = session.recipe()
    return f"{recipe.backbone.listing().title}, {recipe.shown_size}"


PAGE = PageInfo(2, "Backbone", ":material/counter_2:", "Which pretrained network suits them?", summary)


def draw() -> None:
    """Draw the page."""
    recipe = session.recipe()
    offered = networks_for(recipe)
    frame.heading(PAGE)
    recipe_bar()
    choice, evidence = st.columns([1, 2], gap="large")
    with choice:
        draw_choice(recipe, offered)
    with evidence:
        title = recipe.backbone.listing().title
        if any(entry.accuracy for _, entry in offered):
            formatting.chart(
                choices.backbone_scatter(offered, title), "scatter", "Published accuracy against size of each network"
            )
        with st.container(border=True, key="backbone_card"):
            backbone_card(recipe)
        with formatting.sentence_for_mistakes(forms.labels("backbone", recipe.backbone)):
            require_allowed_paths(recipe)
            recipe.require_weights()
        backbone_ranking(recipe)
        dataset_similarity(recipe)
        this_computer(recipe)


def draw_choice(recipe: Recipe, offered: Offered) -> None:
    """Draw the networks to choose from, and the settings of the chosen one."""
    backbone_list(recipe, offered)
    if recipe.has_images:
        image_size.image_size(recipe)
    forms.part_form("backbone", recipe.backbone, without=tuple(recipe.backbone.listing().settings))
    if recipe.has_images:
        bring_network()


if __name__ == "__main__":
    draw()
