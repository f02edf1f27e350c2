"""Where a run stands, in words."""

import time
from typing import Any

import streamlit as st

from tl_core.analysis.stage_titles import stage_title
from tl_core.analysis.statements import seconds
from tl_core.machine import backends
from tl_core.recipe import things_of
from tl_core.runs import artifacts, compared
from tl_core.runs.states import State
from tl_core.runs.store import Run
from tl_core.ui import formatting, queue_text, run_progress, session, steps


def standing(run: Run) -> None:
    """Draw where the run stands, in the words of its state: its place in the line, its progress, its result, or why it ended."""
    if run.unreadable:
        formatting.say_wrong(run.unreadable)
    if run.state is State.QUEUED:
        _place(run)
    elif run.state.at_work:
        st.progress(run.done, text=formatting.plain(run_progress.activity(run)))
    elif run.state is State.DONE:
        took = formatting.unbroken(seconds(run.seconds or 0))
        metric = formatting.plain(compared.deciding(run).in_sentence)
        st.markdown(f"### Test {metric} {formatting.unbroken(formatting.decided(run))}, in {took}")
        address = session.url_parameters() | {session.RUN_PARAMETER: run.id}
        st.page_link(steps.RESULT.script, label="See the result", icon=":material/arrow_forward:", query_params=address)
    elif run.state is State.PAUSED:
        rest = f"Paused at {100 * run.done:.0f} %: its device is free for others." if run.attempts else "On hold."
        st.info(f"{rest} Resume puts it at the end of the queue. {resumes(run)}", icon=":material/pause_circle:")
    elif run.error and run.error != run.unreadable:
        formatting.say_wrong(run.error)
    else:
        st.info("This run was stopped. Everything that it reported until then is below.", icon=":material/stop_circle:")
    for placement in placements(run):
        if placement["unused"]:
            st.warning(formatting.plain(backends.unseen_gpu(placement["backend"])), icon=":material/memory_alt:")
    st.caption(" · ".join(_facts(run)))
    if run.state.ended:
        _log(run)


def placements(run: Run) -> list[dict[str, Any]]:
    """Return what the run's last attempt has told of where it computes, if it has come so far."""
    return [event.data for event in session.events(run, "placement")[-1:]]


def _place(run: Run) -> None:
    runs = session.runs()
    st.markdown(f"#### {queue_text.place(run, runs)}")
    st.markdown(formatting.plain(queue_text.when(run, runs, time.time())))
    if run.stage:
        st.warning(
            formatting.plain(f"It could not be started yet; trying again. {stage_title(run.stage)}"),
            icon=":material/hourglass_top:",
        )


def _facts(run: Run) -> list[str]:
    now = time.time()
    facts = _phase_and_epoch(run) if run.state.at_work else []
    waited, ran = run.waiting_seconds(now), run.running_seconds(now)
    if run.state is State.QUEUED:
        facts.append(f"waiting for {formatting.clock(waited)}")
    elif run.attempts:
        facts.append(f"waited {formatting.clock(waited)}")
    if ran:
        whole = " in total" if run.state is State.DONE else ""  # with what the seconds of a result leave out
        facts.append(f"running for {formatting.clock(ran)}" if run.state.at_work else f"ran {formatting.clock(ran)}{whole}")
    left = run_progress.seconds_left(run, now)
    if left:
        facts.append(f"about {seconds(left)} left")
    if run.state.at_work and run.images_per_second:
        facts.append(f"{run.images_per_second:,.0f} {things_of(run.spec)} a second in this stage")
    return facts


def _phase_and_epoch(run: Run) -> list[str]:
    """Return where the training stands, once it has begun."""
    plan, every_step = session.events(run, "plan"), session.events(run, "step")
    if not plan or not every_step:
        return []
    phases, last = plan[-1].data["phases"], every_step[-1].data
    number = next(index for index, phase in enumerate(phases) if phase["name"] == last["phase"])
    return [f"phase {number + 1} of {len(phases)}, epoch {last['epoch']} of {phases[number]['epochs']}"]


def _log(run: Run) -> None:
    log = artifacts.read_log(session.store().folder(run.id))
    if log:
        with st.expander("Log of the run", icon=":material/notes:"):
            st.code(log, language=None, wrap_lines=True)


def resumes(run: Run) -> str:
    """Return what a resumed run will do, in a sentence."""
    if not run.attempts:
        return "It had not started."
    kept = artifacts.has_checkpoint(session.store().folder(run.id))
    return "It continues from its last checkpoint." if kept else "It has no checkpoint and starts over."
