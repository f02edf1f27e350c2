"""The state machine: what leads where, and that everything else is refused."""

import pytest

from tests.helpers import WAYS, keep_run
from tl_core.runs.schema import RUNS, WAITS
from tl_core.runs.states import AT_WORK, ENDS, State, before
from tl_core.runs.store import Store

LEGAL = {(state, to) for to in State for state in before(to)}


def test_every_state_is_one_thing() -> None:
    for state in State:
        kinds = [state is State.QUEUED, state is State.PAUSED, state.at_work, state.ended]
        assert kinds.count(True) == 1, state
        assert state.alive == (state is State.QUEUED or state in AT_WORK)
    assert set(WAITS) | set(RUNS) == {state for state in State if state.alive}
    assert not set(WAITS) & set(RUNS)


def test_only_done_is_final_and_every_end_can_be_reached() -> None:
    leads_on = {state for state, _ in LEGAL}
    assert set(State) - leads_on == {State.DONE}
    reached = {State.QUEUED}
    while (more := {to for state, to in LEGAL if state in reached}) - reached:
        reached |= more
    assert reached == set(State)


def test_work_begins_only_in_the_queue() -> None:
    """A run comes to a process only from the queue, where exactly one runner takes it out."""
    assert before(State.STARTING) == (State.QUEUED,)
    for to in AT_WORK:
        assert to is State.STARTING or set(before(to)) <= set(AT_WORK)


def test_a_stop_cannot_be_taken_back_and_outruns_a_pause() -> None:
    assert {to for state, to in LEGAL if state is State.CANCELLING} == {State.CANCELLED}
    assert State.PAUSING in before(State.CANCELLING)
    assert State.CANCELLING not in before(State.PAUSING)


@pytest.mark.parametrize("state", State)
def test_the_store_moves_along_the_machine_and_nowhere_else(store: Store, state: State) -> None:
    for to in State:
        name = f"{state} {to}"
        keep_run(store, name, state)
        if (state, to) in LEGAL:
            assert store.change_state(name, (state,), to)
            assert store.run(name).state is to
        else:
            with pytest.raises(ValueError, match=f"No run goes from {state} to {to}"):
                store.change_state(name, (state,), to)
            assert store.run(name).state is state


def test_the_ways_of_the_tests_are_complete() -> None:
    assert set(WAYS) == set(State)
    assert set(ENDS) == {state for state in State if state.ended}


@pytest.fixture
def store() -> Store:
    return Store()
