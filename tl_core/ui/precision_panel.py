"""Which precision a run computes in, what was measured of each, what "auto" takes, and whether it computes in a fixed order."""

from functools import partial

import streamlit as st

from tl_core.planning import precision_speeds
from tl_core.planning.cuts import SplitSizes
from tl_core.precision import Precision, Speeds
from tl_core.recipe import Recipe
from tl_core.spec import RunSpec
from tl_core.studies.precision_benchmark import PrecisionBenchmark, PrecisionBenchmarkResult
from tl_core.ui import formatting, forms, session
from tl_core.ui.charts.speeds import speed_chart
from tl_core.ui.study_panel import StudyPanel

ABOUT = (
    "GPUs are often faster in mixed bfloat16 or with steps compiled by XLA; most CPUs are slower. Auto chooses by what was "
    "measured on this machine, and takes float32 if nothing was."
)
COST = (
    "Deterministic operations make each step on a GPU slower, some networks much more than others; what it costs yours was not "
    "measured. A processor does not need them: there runs come to the same bits anyway, though to others than with them."
)


def precision_panel(recipe: Recipe, images: SplitSizes) -> None:
    """Draw the setting, its evidence, and a button that starts the measurement."""
    with st.expander("Precision", icon=":material/speed:", key="precision_panel"):
        forms.run_setting(RunSpec, "precision", recipe.precision)
        show = partial(_show, recipe, images)
        StudyPanel(PrecisionBenchmark(), ABOUT, "Measure on this machine", "Measure again", "speed", show).draw(recipe)
        forms.run_setting(RunSpec, "deterministic", recipe.deterministic)
        st.caption(COST)


def _show(recipe: Recipe, images: SplitSizes, found: PrecisionBenchmarkResult) -> None:
    if found.speeds is not None:
        st.caption(_told(recipe, images, found.speeds))
        formatting.chart(speed_chart(found.speeds), "speeds", "How fast this network is in each precision")


def _told(recipe: Recipe, images: SplitSizes, known: Speeds) -> str:
    """Return which precision auto takes, why, and on which device that was measured, in a sentence."""
    taken = precision_speeds.decide(session.store().home)(recipe, images)
    gain = "nothing else is faster" if taken is Precision.FLOAT32 else "it needs the least time, compiling included"
    return f"On {known.device}, for this run, auto takes {taken.value}: {gain}."
