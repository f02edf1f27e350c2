"""Which data that runs have learned from these are like: a button, a sentence, and each of them with who won there."""

from functools import partial

import pandas as pd
import streamlit as st

from tl_core.analysis.comparison import MINUS
from tl_core.analysis.dataset_distances import interval
from tl_core.analysis.statements import seconds
from tl_core.notes import listed
from tl_core.recipe import Recipe
from tl_core.studies._datasets_seen import SeenDataset, datasets_known
from tl_core.studies.dataset_similarity import DatasetSimilarity, DatasetSimilarityResult, smallest
from tl_core.ui import formatting, session, steps
from tl_core.ui.study_panel import StudyPanel

STUDY = DatasetSimilarity()
ABOUT = (
    "Up to 500 training examples of these data, and of each dataset that finished runs have learned from, pass through the "
    "smallest pretrained network on this machine. What won on the data that look most alike to it is a good first guess here."
)
DISTANCES = (
    "MMD is the squared maximum mean discrepancy (Gretton et al. 2012) with the kernel of the kernel inception distance "
    "(Binkowski et al. 2018): 0, and as often below as above, where the network sees both alike; it orders the list. The Fréchet "
    "distance of Gaussians (Heusel et al. 2017) is the more above the truth the fewer examples there are."
)
CAVEAT = "Neither distance has a unit: they say which of two datasets is nearer, not what transfer will bring."


def dataset_similarity(recipe: Recipe) -> None:
    """Draw the panel, where there is a network that takes such examples."""
    if smallest(recipe.dataset.modality) is None:
        return
    st.subheader(DatasetSimilarity.title, help=f"{ABOUT} {DISTANCES}")
    if not datasets_known(session.runs(), recipe):
        st.caption(
            f"Once runs have learned from other {recipe.dataset.modality} than these, you see here which of them are most like "
            "these, what won there, and where transfer has harmed."
        )
        address = session.url_parameters()
        st.page_link(steps.DATASET.script, label="Choose other data", icon=":material/arrow_forward:", query_params=address)
        return
    StudyPanel(STUDY, ABOUT, "Compare them", "Compare again", "compare", partial(_show, recipe)).draw(recipe)


def _show(recipe: Recipe, found: DatasetSimilarityResult) -> None:
    if found.finished:
        st.markdown(f"**{formatting.plain(STUDY.conclusion(found))}**")
    if found.seen:
        rows = [_row(each) for each in sorted(found.seen, key=lambda each: each.mmd.value)]
        st.dataframe(
            pd.DataFrame(rows).dropna(axis="columns", how="all"),
            hide_index=True,
            width="stretch",
            placeholder="\N{EN DASH}",
            alt="Each dataset that was seen before, the nearest first, with what won there",
        )
    if found.finished:
        lost = f" Not to be read any more, or too small: {listed(found.lost, what='datasets')}." if found.lost else ""
        told = f"{found.examples:,} training {recipe.dataset.thing}, seen by {found.network}, {seconds(found.seconds)}.{lost}"
        st.caption(f"{formatting.plain(told)} {CAVEAT}")


def _row(each: SeenDataset) -> dict[str, object]:
    span, won = interval(each.mmd), each.winner
    return {
        "Dataset": each.title,
        "MMD": f"{_told(each.mmd.value)} ({_told(span.low)} to {_told(span.high)})",
        "Fréchet": _told(each.frechet),
        "Transfer": "harmed" if each.harmed else None,
        "Won there": f"{won.network}, {won.strategy}" if won else None,
    }


def _told(distance: float) -> str:
    """Return a distance to two digits, whatever its size is: networks differ in that by orders of magnitude."""
    told = f"{distance:,.0f}" if abs(distance) >= 100 else f"{distance:z.2g}"
    return told.replace("-", MINUS)
