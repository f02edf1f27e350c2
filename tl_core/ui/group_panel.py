"""A group that was started: a chart that grows while it runs, its runs in a table, and what can be done with all of them."""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from tl_core.groups import statements
from tl_core.groups.group import values_in
from tl_core.runner import control, group_control
from tl_core.runs import compared, deletion, rungs
from tl_core.runs.groups import StoredGroup
from tl_core.runs.states import State
from tl_core.runs.store import Run
from tl_core.ui import formatting, polling, session, steps, stored_groups
from tl_core.ui.charts.groups import Axis, GroupPoint, group_chart
from tl_core.ui.example_sizes import typical_size
from tl_core.ui.group_draft import titled
from tl_core.ui.group_plan import shape
from tl_core.ui.live_chart import live_chart

PICKED = "picked_group"
REPEATED = "seed"
"""An axis along which the same is done again: its runs are points of one line."""


def group_panel() -> None:
    """Draw the chosen group, every two seconds while one of its runs moves on by itself."""
    every = {each.id: each for each in stored_groups.listed()}
    found = stored_groups.chosen()
    if not every:
        st.info("The runs of a group are shown here as they end. Choose a question and start it.", icon=":material/grid_view:")
        return
    picked = f"{PICKED}_{found.id if found else None}"  # of its own for each group: a browser may yet have to hear of a new one
    st.selectbox(
        "Group",
        list(every),
        index=list(every).index(found.id) if found else None,
        key=picked,
        format_func=lambda group_id: stored_groups.label(every[group_id]),
        on_change=lambda: stored_groups.look_at(st.session_state[picked]),
        placeholder="There is no group of that id here; choose one",
        help="Any group that was started. The address of this page names the chosen one.",
    )
    if found is None:
        return
    alive = any(map(rungs.moves, stored_groups.runs_of(found)))
    st.fragment(_live, run_every=session.POLL_SECONDS if alive else None)(found.id, alive)
    _more(found)


def _live(group_id: str, was_alive: bool) -> None:
    with formatting.sentence_for_mistakes():
        found = stored_groups.chosen()
        if found is None or found.id != group_id:
            st.rerun()
        runs = stored_groups.runs_of(found)
        if any(map(rungs.moves, runs)) != was_alive:
            st.rerun()  # the polling begins or ends
        _standing(runs)
        _buttons(found.id, runs)
        _chart(found, runs)
        _table(found, runs)
        for text in (*rungs.not_tried_fully(runs), *statements.missing(found.group, found.not_started, found.lost)):
            st.caption(formatting.plain(text))
        if any(run.state is State.DONE for run in runs):
            about = "The page Compare with the runs of this group, and nothing else."
            address = session.url_parameters() | {session.GROUP_PARAMETER: found.id}
            st.page_link(steps.COMPARE.script, label="Compare them", icon=steps.COMPARE.icon, help=about, query_params=address)


def _standing(runs: Sequence[Run]) -> None:
    """Draw how many runs are done, and how many are in each other state."""
    counted = Counter(formatting.state_of(run) for run in runs if run.state is not State.DONE)
    others = "".join(f", {count} {state.lower()}" for state, count in counted.items())
    done = sum(run.state is State.DONE for run in runs)
    ended = sum(1.0 if run.state.ended or run.left_at else run.done for run in runs)
    st.progress(ended / len(runs) if runs else 0.0, f"{done} of {len(runs)} runs done{others}")


def _buttons(group_id: str, runs: Sequence[Run]) -> None:
    wishes = (
        ("Pause all", "pause", control.PAUSABLE, group_control.pause, "Keep those that wait, and pause those that work."),
        ("Resume all", "resume", control.RESUMABLE, group_control.resume, "Queue what is paused, failed or stopped again."),
        ("Stop all", "stop", control.STOPPABLE, group_control.stop, "End all runs of this group that are not done."),
    )
    with st.container(horizontal=True, gap="small", key="group_buttons"):
        for label, icon, states, wish, about in wishes:
            meant = [run for run in runs if not run.left_at and (wish is not group_control.resume or not rungs.is_at_rung(run))]
            if any(run.state in states for run in meant):
                key = f"{icon}_group"
                st.button(label, key=key, icon=f":material/{icon}:", help=about, on_click=session.request, args=(wish, group_id))
    polling.refused(group_control.__name__)


def _chart(found: StoredGroup, runs: Sequence[Run]) -> None:
    """Draw what the runs reached that are done, by the metric that decides the first of them."""
    tested = [(run, value) for run in runs if (value := compared.decided(run))]
    metric = compared.deciding(tested[0][0] if tested else runs[0]) if runs else compared.ACCURACY
    x, *others = found.group.axes
    lines = next((axis for axis in others if axis != REPEATED), None)
    points = [
        GroupPoint(
            run_id=run.id,
            x=_place(x, found.runs[run.id][x]),
            line=titled(lines, found.runs[run.id][lines]) if lines else None,
            transfers=not compared.is_control(run),
            value=value.value,
            label=", ".join(titled(axis, each) for axis, each in found.runs[run.id].items()),
        )
        for run, value in tested
        if compared.is_of(value, metric) and {x, lines or x} <= found.runs[run.id].keys()
    ]
    across = Axis(found.group.titles[x], [_place(x, value) for value in found.group.axes[x]])
    names = [titled(lines, value) for value in found.group.axes[lines]] if lines else []
    figure = group_chart(points, across, names, metric, found.id)
    live_chart(str(figure.to_json(validate=False)), f"group_{found.id}", f"Test {metric.in_sentence} of the runs of this group")
    if left := len(tested) - len(points):
        st.caption(f"{left} of the runs {'has' if left == 1 else 'have'} no place in this chart, and only in the table.")


def _place(axis: str, value: Any) -> Any:
    """Return where a value stands on the axis of a chart: a number as it is, anything else by its title."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else titled(axis, value)


def _table(found: StoredGroup, runs: Sequence[Run]) -> None:
    """Draw the runs, a row each, in the order of the axes; what failed with its reason."""
    titles = found.group.titles
    why = {run.id: run.error or (statements.left_at(run.left_at) if run.left_at else "") for run in runs}
    rows: list[dict[str, object]] = [
        {titles[axis]: titled(axis, value) for axis, value in found.runs[run.id].items()}
        | {
            "State": formatting.state_of(run),
            "Test": formatting.decided(run),
            "Seconds": run.seconds,
            "Why": why[run.id],
            "Run": f"{(steps.RESULT if run.state is State.DONE else steps.TRAIN).path}?{session.RUN_PARAMETER}={run.id}",
        }
        for run in runs
    ]
    columns = [*titles.values(), "State", "Test", "Seconds", *(["Why"] if any(why.values()) else []), "Run"]
    st.dataframe(
        pd.DataFrame(rows, columns=columns),
        hide_index=True,
        width="stretch",
        key=f"group_table_{found.id}",
        placeholder="",
        column_config={
            "Seconds": st.column_config.NumberColumn(format="%.1f", help="Wall seconds of data, backbone, training and test."),
            "Test": st.column_config.TextColumn(width=120, help="Of the test examples, with its 95 % interval."),
            "Run": st.column_config.LinkColumn(display_text="Open", help="All of this run, in another tab."),
        },
        alt="The runs of this group, with their settings and what they reached",
    )


def _more(found: StoredGroup) -> None:
    """Draw how a group is extended and taken away as a file, apart from what polls: nobody is disturbed in typing."""
    with st.expander("More values, the file, and deletion", key="group_more"):
        titles, about = found.group.titles, "The setting that gets further values."
        axis = st.selectbox("Axis", list(titles), format_func=titles.__getitem__, key=f"extended_axis_{found.id}", help=about)
        values = st.text_input("Further values", key="extended_values", help="Separated by commas, such as 3, 4.")
        pressed = st.button("Add them", key="extend_group", icon=":material/add:", help="Queue the runs that are new.")
        if pressed:
            with formatting.sentence_for_mistakes():
                wanted = found.id, axis, values_in(values)
                group_control.extend(session.store(), *wanted, look=typical_size, read=shape)
                session.forget_runs()
                stored_groups.look_at(found.id)
                st.rerun()
        st.download_button(
            "Download this group",
            found.group.to_yaml(),
            file_name=f"group-{found.id[-6:]}.yaml",
            mime="application/yaml",
            icon=":material/download:",
            help="Start it anywhere with python -m tl_core sweep FILE, or load it on this page.",
            on_click="ignore",
            key="download_group",
        )
        if st.button("Delete this group", key="delete_group", icon=":material/delete:", help="Asks first."):
            _ask(found)


@st.dialog("Delete this group?")
def _ask(found: StoredGroup) -> None:
    st.markdown(f"**{formatting.plain(stored_groups.label(found))}**")
    about = "With their results, models and logs. Runs that are in another group, too, stay. This cannot be undone."
    st.checkbox(f"Its runs, too ({len(found.runs)})", key="delete_group_runs", help=about)
    with st.container(horizontal=True, horizontal_alignment="right"):
        kept = st.button("Keep it", key="delete_group_no")
        how: dict[str, Any] = {"on_click": _delete, "args": (found.id,), "type": "primary", "icon": ":material/delete:"}
        if st.button("Delete it", key="delete_group_yes", **how) or kept:
            st.rerun()


def _delete(group_id: str) -> None:
    with_runs = st.session_state["delete_group_runs"]
    session.request(partial(deletion.delete_group, group_id=group_id, with_runs=with_runs), asker=group_control.__name__)
    if session.refusal(group_control.__name__) is None:
        stored_groups.forget()
