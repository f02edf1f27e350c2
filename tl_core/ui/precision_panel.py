"""Which precision a run computes in, what was measured of each, and what "auto" takes."""

import streamlit as st

from tl_core.planning import precision_benchmark
from tl_core.planning.cuts import SplitSizes
from tl_core.precision import Precision, Speeds
from tl_core.recipe import Recipe
from tl_core.spec import RunSpec
from tl_core.ui import formatting, forms, session
from tl_core.ui.charts.speeds import speed_chart
from tl_core.ui.polling import refused

ABOUT = (
    "Graphics processors are often faster in 16-bit numbers (mixed bfloat16) or with steps compiled by XLA; most processors are "
    "slower. Auto goes by what was measured here, and takes float32 where nothing was."
)


def precision_panel(recipe: Recipe, images: SplitSizes) -> None:
    """The setting, its evidence, and a button that has it measured."""
    with st.expander("Precision", icon=":material/speed:", key="precision_panel"):
        forms.run_setting(RunSpec, "precision", recipe.precision)
        at_work = precision_benchmark.is_measuring(session.store().home, recipe.backbone, recipe.image_size)
        evidence = st.fragment(_evidence, run_every=session.POLL_SECONDS) if at_work else _evidence
        evidence(recipe, images, at_work)


def _evidence(recipe: Recipe, images: SplitSizes, was_at_work: bool) -> None:
    home = session.store().home
    asked = home, recipe.backbone, recipe.image_size
    at_work = precision_benchmark.is_measuring(*asked)
    if at_work != was_at_work:
        st.rerun()
    known = precision_benchmark.read(*asked)
    st.caption(ABOUT if known is None else _told(recipe, images, known))
    if known is not None:
        formatting.chart(speed_chart(known), "speeds", "How fast this network is in each precision")
    if at_work:
        st.info("Being measured, for three minutes at most.", icon=":material/hourglass_top:")
    else:
        title = "Measure on this machine" if known is None else "Measure again"
        st.button(title, key="measure_precision", icon=":material/speed:", on_click=_request, args=(recipe,))
    refused(__name__)


def _told(recipe: Recipe, images: SplitSizes, known: Speeds) -> str:
    """What auto takes, and on which device that was measured."""
    taken = precision_benchmark.decide(session.store().home)(recipe, images)
    gain = "nothing else pays" if taken is Precision.FLOAT32 else "it needs the least time, compiling included"
    return f"On {known.device}, for this run, auto takes {taken.value}: {gain}."


def _request(recipe: Recipe) -> None:
    session.request(lambda store: precision_benchmark.request(store.home, recipe.backbone, recipe.image_size))
