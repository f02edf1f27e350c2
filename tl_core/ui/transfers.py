"""What the Compare page says of transfers whose twin from scratch is among the chosen runs."""

from collections.abc import Mapping, Sequence

import streamlit as st

from tl_core.analysis.comparison import MINUS, gap, p_text
from tl_core.analysis.statistics import Interval
from tl_core.analysis.transfer import NEARLY, Effect, Gain, Learning, Reached
from tl_core.metrics import Metric
from tl_core.runs.store import Run
from tl_core.runs.twins import Twins, twins
from tl_core.ui import compare_by, session
from tl_core.ui.verdicts import names_of

DASH = "\N{EN DASH}"
VERDICTS = {Effect.HELPS: "Helps", Effect.NO_EVIDENCE: "No evidence", Effect.HARMS: "Harms"}
ABOUT = {
    "Jump-start": "How many points of validation accuracy the transfer is ahead after the first epoch.",
    "Area": "The same in the mean over all epochs; a run that has ended keeps what it had.",
    "Asymptote": "The same at the end of training.",
    "Epochs": f"After how many epochs half of the seeds reach {NEARLY:.0%} of what the runs from scratch end with: the transfer, "
    "against its twin. What never comes so far is counted.",
}


def transfers(chosen: Sequence[Run], metric: Metric) -> None:
    """Draw a table of the transfers among the chosen runs, each beside its twin; nothing where there is no such pair."""
    values = compare_by.values(chosen, metric)
    found = twins(
        [run for run in chosen if run.id in values],
        values,
        lambda one, other: compare_by.tested(one, other, metric),
        lambda run: session.events(run, "epoch"),
    )
    if not found:
        return
    names = names_of([each.match for each in found])
    st.markdown("**Transfer against its twin from scratch**")
    st.dataframe(
        [_row(each, names, metric) for each in found],
        hide_index=True,
        width="stretch",
        column_config={name: st.column_config.TextColumn(help=about) for name, about in ABOUT.items()},
        alt="Transfers against their twins from scratch",
    )


def _row(each: Twins, names: Mapping[str, str], metric: Metric) -> dict[str, object]:
    p_value = each.test.own_p if each.test.corrected is None else each.test.corrected
    sign = MINUS if each.gain < 0 else "+"
    by = f"{sign}{gap(each.gain, is_share=metric.percent, in_unit=metric.in_unit)}"
    return {
        "Transfer": names[each.match.others[0].id],
        "Twin": names[each.match.baseline[0].id],
        "Seeds": len(each.match.others),
        "Transfer pays": VERDICTS[each.effect],
        f"Test {metric.in_sentence}": f"{by}, {p_text(p_value)}" if p_value is not None else by,
    } | _learning(each.learning)


def _learning(found: Learning | None) -> dict[str, object]:
    if found is None:
        return dict.fromkeys(ABOUT, DASH)
    gains = [_gain(each) for each in (found.jump_start, found.area, found.asymptote)]
    return dict(zip(ABOUT, [*gains, f"{_reached(found.transfer)} against {_reached(found.scratch)}"], strict=True))


def _gain(gain: Gain) -> str:
    return _points(gain.mean) + (f" ({_ends(gain.interval)})" if gain.interval else "")


def _ends(interval: Interval) -> str:
    return f"{_points(interval.low)} to {_points(interval.high)}"


def _points(value: float) -> str:
    return f"{100 * value:+.1f}".replace("-", MINUS)


def _reached(found: Reached) -> str:
    missed = f"not reached in {found.missed} of {found.seeds}"
    if found.epochs is None:
        return missed
    return f"{found.epochs:g}" + (f" ({missed})" if found.missed else "")
