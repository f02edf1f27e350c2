"""What the Compare page says of runs that differ in labels a class."""

from collections.abc import Mapping, Sequence
from functools import partial

import streamlit as st

from tl_core.analysis.label_saving import Saving
from tl_core.analysis.power_law import FARTHEST, LEAST_EXPLAINED, Silence
from tl_core.analysis.statements import measured
from tl_core.metrics import Metric
from tl_core.runs.label_counts import NEXT_LABELS, LabelCurve, label_curves, savings, typical
from tl_core.runs.store import Run
from tl_core.ui import compare_by, formatting, session
from tl_core.ui.charts import label_counts

REASONS = {
    Silence.TOO_FEW: "a power law needs three numbers of labels and four runs",
    Silence.NO_ERROR: "some run makes no error, or this metric has none",
    Silence.FLAT: "the error is not shown to fall with the labels",
    Silence.POOR_FIT: f"a power law explains less than {LEAST_EXPLAINED:.0%} of the means, or misses them by more than seeds do",
    Silence.TOO_FAR: f"that is more than {FARTHEST:g} times the labels that were tried",
}


def by_labels(chosen: Sequence[Run], metric: Metric) -> None:
    """Draw a metric over the labels a class of the chosen runs, and say what the next labels would bring, and what a transfer
    saves; nothing where no runs differ in them."""
    values = compare_by.values(chosen, metric)
    tested = [run for run in chosen if run.id in values]
    curves = label_curves(tested, values, metric, lambda run: len(session.result(run.id).class_names))
    if not curves:
        return
    names = formatting.names_apart([curve.runs[0] for curve in curves])
    alt = f"Test {metric.in_sentence} by the labels a class"
    formatting.chart(
        label_counts.metric_by_labels(curves, [names[curve.runs[0].id] for curve in curves], metric), "by_labels", alt
    )
    for one, other, found in savings(curves, values):
        st.markdown(f"- {formatting.plain(saved(found, names[one.runs[0].id], names[other.runs[0].id]))}")
    for curve in curves:
        st.markdown(f"- {formatting.plain(foretold(curve, names, metric))}")


def saved(found: Saving, transfer: str, twin: str) -> str:
    """Return what a transfer saves, in words."""
    missed = f", not reached in {found.missed} of {found.seeds} seeds" if found.missed else ""
    goal = f"what {twin} attains with {found.labels:,} labels a class"
    if found.factor is None:
        return f"{transfer} does not reach {goal}{missed}."
    least = "at least " if found.at_least else ""
    if found.factor < 1:
        return f"{transfer} needs {1 / found.factor:.1f} times more labels for {goal}{missed}."
    return f"{transfer} needs {least}{found.factor:.1f} times fewer labels for {goal} (median of {found.seeds} seeds{missed})."


def foretold(curve: LabelCurve, names: Mapping[str, str], metric: Metric) -> str:
    """Return what the next labels would bring, in words, or why that is not foretold."""
    name, most = names[curve.runs[0].id], curve.points[-1].labels
    asked = f"{NEXT_LABELS} more labels ({curve.more:.0f} instead of {most:,} a class)"
    if isinstance(curve.law, Silence):
        return _silent(name, asked, curve.law)
    if isinstance(curve.foretold, Silence):
        return _silent(name, asked, curve.foretold)
    shown = partial(measured, is_share=metric.percent, in_unit=metric.in_unit)
    value, now = typical(curve.law, curve.more, metric), typical(curve.law, most, metric)
    floor = f" and a floor of {curve.law.floor:.3g}" if curve.law.floor else ""
    law = f"a power law with exponent {curve.law.exponent:.2f}{floor}, fitted to {len(curve.runs)} runs"
    return (
        f"{name}: {asked} would bring {metric.in_sentence} from {shown(now, None)} to {shown(value, curve.foretold)}, by {law}."
    )


def _silent(name: str, asked: str, why: Silence) -> str:
    return f"{name}: what {asked} would bring is not foretold, since {REASONS[why]}."
