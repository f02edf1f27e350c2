"""The live view of a run: drawn from what is stored, every two seconds while it lives, by any number of browsers."""

import os

import plotly.graph_objects as go
import streamlit as st

from tl_core.analysis.usage import gpus_of
from tl_core.recipe import Recipe
from tl_core.runner import control
from tl_core.runs.states import State
from tl_core.runs.store import Run, Store
from tl_core.ui import decisions, formatting, queue_panel, recipe_bar, run_status, session
from tl_core.ui.charts import curves, machine
from tl_core.ui.live_chart import live_chart


def live(run_id: str) -> None:
    """Show the run, and go on showing it while it moves on by itself. Raises `RunError` where there is none."""
    alive = session.run(run_id).state.alive
    st.fragment(_panel, run_every=session.POLL_SECONDS if alive else None)(run_id, alive)


def _panel(run_id: str, was_alive: bool) -> None:
    with formatting.sentence_for_mistakes():
        run = session.run(run_id)
        if run.state.alive != was_alive or session.run_id() not in {run_id, None}:
            st.rerun()  # once, so that the rest of the page follows and the polling begins or ends
        _headline(run)
        run_status.standing(run)
        _charts(run)


def _headline(run: Run) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        formatting.badge(run)
        st.markdown(f"**{formatting.plain(formatting.title_of(run))}**", width="content")
        if run.name:
            st.caption(formatting.plain(formatting.parts_of(run)), width="content")
    with st.container(horizontal=True, gap="small", key="run_buttons"):
        if run.state in control.PAUSABLE:
            held = "Keep it from starting until you resume it."
            paused = "Save a checkpoint at the next batch, and free the device."
            title, about = ("Hold", held) if run.state is State.QUEUED else ("Pause", paused)
            _button(title, "pause", about, control.pause, run.id)
        if run.state in control.RESUMABLE:
            _button("Resume", "resume", f"Queue it again. {run_status.resumes(run)}", control.resume, run.id)
        if run.state in control.STOPPABLE:
            _button("Stop", "stop", "End this run; what it has reported is kept.", control.stop, run.id)
        _button("Run again", "replay", "Queue a new run with the same settings.", _again, run)
    problem = session.refusal(control.__name__, __name__, queue_panel.__name__)
    if problem:
        formatting.say_wrong(problem)


def _button(label: str, icon: str, about: str, *wish: object) -> None:
    key = label.lower().replace(" ", "_")
    st.button(label, key=key, icon=f":material/{icon}:", help=about, on_click=session.request, args=wish)


def _again(_store: Store, run: Run) -> None:
    recipe_bar.start(Recipe.of(run.spec), repeats=run.id if run.state is State.DONE else None)


def _charts(run: Run) -> None:
    if not run.attempts:
        return  # it has not begun
    versions = tuple(session.version(run, kind) for kind in ("step", "epoch", "telemetry"))
    plans, steps, epochs = (session.events(run, kind) for kind in ("plan", "step", "epoch"))
    computed = curves.computed(plans, steps, epochs, decisions.measures(run))
    if computed:
        st.caption(computed)
    elif run.state.alive or epochs or steps:
        drawn = session.newest("curves", run, versions[:2], lambda: _curves(run))
        live_chart(drawn, f"curves_{run.id}", decisions.curves_alt(run))
    samples = session.events(run, "telemetry")
    if not samples:
        st.caption("Processor and memory use appear here with the first sample.")
        return
    drawn = session.newest("machine", run, versions[2:], lambda: _machine(run))
    live_chart(drawn, f"machine_{run.id}", "Processor and memory use of this run")
    if not any(gpus_of(sample.data) for sample in samples) and not any(told["unused"] for told in run_status.placements(run)):
        st.caption("No GPU on this machine: there is no NVIDIA driver. The run uses the CPU.")


def _curves(run: Run) -> str:
    events = session.events(run, "step"), session.events(run, "epoch")
    return _json(curves.learning_curves(*events, run.id, decisions.measures(run)))


def _machine(run: Run) -> str:
    samples = session.events(run, "telemetry")
    started = samples[0].data.get("since") or samples[0].at  # its first process; before that it waited
    return _json(machine.telemetry(samples, started, os.cpu_count() or 1))


def _json(figure: go.Figure) -> str:
    return str(figure.to_json(validate=False))
