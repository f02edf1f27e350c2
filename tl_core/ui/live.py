"""The live view of a run: drawn from what is stored, every two seconds while it runs, by any number of browsers."""

import os
import time

import streamlit as st

from tl_core.analysis.statements import seconds
from tl_core.runs import artifacts, control
from tl_core.runs.states import STOPPABLE, State
from tl_core.runs.store import Run
from tl_core.runs.watching import eta
from tl_core.ui import session, shown, steps
from tl_core.ui.charts import curves


def live(run_id: str) -> None:
    """Show the run, and go on showing it until it has ended."""
    alive = session.run(run_id).state.alive
    st.fragment(_panel, run_every=session.POLL_SECONDS if alive else None)(run_id, alive)


def _panel(run_id: str, was_alive: bool) -> None:
    run = session.run(run_id)
    if was_alive and not run.state.alive:
        st.rerun()
    _headline(run)
    epochs, every_step = session.events(run_id, "epoch"), session.events(run_id, "step")
    shown.chart(curves.learning_curves(every_step, epochs, run_id), f"curves_{run_id}", "Loss and accuracy by step")
    _machine(run)


def _headline(run: Run) -> None:
    left, right = st.columns([5, 1], vertical_alignment="center")
    with left, st.container(horizontal=True, vertical_alignment="center", gap="small"):
        shown.badge(run)
        st.markdown(f"**{shown.plain(shown.title_of(run))}**", width="content")
    with right:
        if run.state in STOPPABLE and st.button(
            "Stop", key="stop", icon=":material/stop:", width="stretch", help="End this run at its next batch."
        ):
            with shown.sentence_for_mistakes():
                control.stop(session.store(), run.id)
                session.forget_runs()
                st.rerun(scope="fragment")
    if run.state.alive:
        _progress(run)
    elif run.state is State.DONE:
        st.markdown(f"### Test accuracy {shown.accuracy_of(run)}, in {seconds(run.seconds or 0)}")
        st.page_link(
            steps.RESULT.script,
            label="See the result",
            icon=":material/arrow_forward:",
            query_params={session.RUN_PARAMETER: run.id},
        )
    else:
        _why_it_ended(run)


def _progress(run: Run) -> None:
    left = eta(run, time.time())
    what = "Ending" if run.state is State.CANCELLING else run.stage or "Starting Python and Keras, which takes some seconds"
    st.progress(run.done, text=shown.plain(what))
    waiting = seconds(time.time() - run.created)
    facts = [*_phase_and_epoch(run), f"{waiting} since Start"]
    if left is not None:
        facts.append(f"about {seconds(left)} left")
    if run.images_per_second:
        facts.append(f"{run.images_per_second:,.0f} images a second in this stage")
    st.caption(" · ".join(facts))


def _phase_and_epoch(run: Run) -> list[str]:
    """Where the training stands, once it has begun."""
    plan, every_step = session.events(run.id, "plan"), session.events(run.id, "step")
    if not plan or not every_step:
        return []
    phases, last = plan[-1].data["phases"], every_step[-1].data
    number = next(index for index, phase in enumerate(phases) if phase["name"] == last["phase"])
    return [f"phase {number + 1} of {len(phases)}, epoch {last['epoch']} of {phases[number]['epochs']}"]


def _why_it_ended(run: Run) -> None:
    if run.error:
        shown.say_wrong(run.error)
    elif run.state is State.CANCELLED:
        st.info("This run was stopped. What it had reported until then is kept below.", icon=":material/stop_circle:")
    log = artifacts.read_log(session.store().folder(run.id))
    if log:
        with st.expander("Log of the run"):
            st.code(log, language=None)


def _machine(run: Run) -> None:
    samples = session.events(run.id, "telemetry")
    if not samples:
        st.caption("Processor and memory use appear here with the first sample.")
        return
    shown.chart(
        curves.telemetry(samples, run.created, os.cpu_count() or 1), f"machine_{run.id}", "Processor and memory use of this run"
    )
    if all(sample.data["gpu_percent"] is None for sample in samples):
        st.caption("No GPU on this machine: NVIDIA's driver is not there. The run uses the processor.")
