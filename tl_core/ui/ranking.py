"""Which network suits the data: a button, a chart of what is foretold against what it costs, and a click that takes one."""

from collections.abc import Sequence
from functools import partial

import pandas as pd
import streamlit as st

from tl_core.analysis import ranking, similarity
from tl_core.analysis.ranking import Candidate
from tl_core.analysis.statements import percent, seconds
from tl_core.analysis.statistics import Interval, wilson
from tl_core.data.label_kinds import CLASSES
from tl_core.recipe import Recipe
from tl_core.studies.backbone_ranking import BackboneRanking, BackboneRankingResult, candidates
from tl_core.ui import formatting, session
from tl_core.ui.charts.ranking import ranked_networks, similar_networks
from tl_core.ui.live_chart import live_chart
from tl_core.ui.ranking_audit import ranking_audit
from tl_core.ui.study_panel import StudyPanel

STUDY = BackboneRanking()
DECIDING = STUDY.asked[0]
ABOUT = (
    "Up to 1,000 of your labelled training images or texts pass once through each network that is on this machine. How well a "
    "linear probe tells their classes then, in cross-validation, foretells how well the network suits them. No test example is "
    "looked at, and later runs reuse what was computed."
)
CAVEAT = (
    "All scores look at frozen features: they foretell a linear probe, and say less of what fine-tuning makes of a network. "
    "Published accuracy on ImageNet, which knows nothing of your data, stands beside them: where the ranks cannot be told apart, "
    "it is as good a guide."
)

ALIKE = (
    "Linear CKA (Kornblith et al. 2019, without its bias) of what the networks make of your training examples: 1 where it is the "
    "same but for direction and scale, 0 where it has nothing in common."
)


def backbone_ranking(recipe: Recipe) -> None:
    """Draw the panel, for data with classes and where there is more than one network to choose from."""
    if recipe.dataset.label_kind != CLASSES or len(candidates(recipe)) < 2:
        return
    st.subheader(BackboneRanking.title, help=f"{ABOUT} {CAVEAT}")
    StudyPanel(STUDY, ABOUT, "Rank them", "Rank again", "leaderboard", partial(_show, recipe)).draw(recipe)


def _show(recipe: Recipe, found: BackboneRankingResult) -> None:
    placed = ranking.ranks(found.candidates, DECIDING.name)
    if not placed:
        return
    if found.finished:
        st.markdown(f"**{formatting.plain(STUDY.conclusion(found))}**")
    ordered = [rank.candidate for rank in placed]
    spans = [_interval(each, found.examples) for each in ordered]
    offered = [each for each in ordered if not each.random]  # which would press all others together
    ends = [_interval(each, found.examples) for each in offered]
    figure = ranked_networks(offered, DECIDING.name, ends, recipe.backbone.listing().title)
    live_chart(str(figure.to_json(validate=False)), "backbone_ranking", "Foretold accuracy of each network against its cost")
    table = pd.DataFrame([_row(rank, span) for rank, span in zip(placed, spans, strict=True)])
    st.dataframe(
        table.dropna(axis="columns", how="all"),
        hide_index=True,
        width="stretch",
        placeholder="\N{EN DASH}",
        alt="Each network's rank by each score, its published accuracy and its cost",
    )
    if found.finished:
        _take(recipe, found)
        st.caption(f"{found.examples:,} training {recipe.dataset.thing}, {seconds(found.seconds)}. {CAVEAT}")
        _alike(found, ordered)
        ranking_audit(found, DECIDING.name)


def _alike(found: BackboneRankingResult, ordered: Sequence[Candidate]) -> None:
    """Draw which networks, the best first, see the examples alike; nothing of a ranking that does not know it."""
    said = similarity.told(found.candidates, found.similarities, DECIDING.name) if found.similarities else ""
    if not said:
        return
    st.markdown("**Which of them see your data alike?**", help=ALIKE)
    st.markdown(formatting.plain(said))
    if len(ordered) > 2:
        places = [found.candidates.index(each) for each in ordered]
        alike = [[similarity.between(found.similarities, one, other) for other in places] for one in places]
        figure = similar_networks([each.title for each in ordered], alike)
        formatting.chart(figure, "similar_networks", "How alike each two networks see the examples")


def _interval(each: Candidate, examples: int) -> Interval:
    return wilson(round(each.scores[DECIDING.name].value * examples), examples)


def _row(rank: ranking.Rank, span: Interval) -> dict[str, object]:
    each = rank.candidate
    others = {score.title: _told(each, score.name, percent_=score.percent) for score in STUDY.asked[1:]}
    return {
        "Rank": str(rank),
        "Network": each.title,
        "Input": each.size,
        "Linear probe": percent(each.scores[DECIDING.name].value, span),
        **others,
        "ImageNet": None if each.published is None else f"{100 * each.published:.1f} %",
        "Million multiply-adds": round(each.multiply_adds / 1e6),
    }


def _told(each: Candidate, score: str, *, percent_: bool) -> str | None:
    if score not in each.scores:
        return None
    value = each.scores[score].value
    return f"{100 * value:.1f} %" if percent_ else f"{value:.3f}"


def _take(recipe: Recipe, found: BackboneRankingResult) -> None:
    """Draw a button for the best network, and one for the cheapest that cannot be told from it, but for the chosen one."""
    chosen = ranking.choice(found.candidates, DECIDING.name)
    present = recipe.backbone.listing().title
    offered = {each.title: each for each in chosen or () if each.title != present}
    for place, (title, each) in enumerate(offered.items()):
        settings = {"backbone": each.backbone} | {f"backbone.{name}": value for name, value in each.settings.items()}
        st.button(f"Take {title}", key=f"take_network_{place}", on_click=session.change, args=(settings,))
