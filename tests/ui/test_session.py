"""What is drawn once for all browsers."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

import pytest
import streamlit as st

from tl_core.runs.states import State
from tl_core.runs.store import Run, Store
from tl_core.spec import RunSpec
from tl_core.ui import session


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    store = Store(tmp_path)
    store.create("a", RunSpec())
    yield replace(store.run("a"), state=State.RUNNING)
    st.cache_resource.clear()


@pytest.fixture
def slow(run: Run) -> Iterator[Event]:
    """A browser has version 2 made, in place of version 1, until the event is set."""
    assert session.newest("chart", run, 1, lambda: "before") == "before"
    begun, may_end = Event(), Event()

    def make() -> str:
        begun.set()
        assert may_end.wait(60)
        return "after"

    other = Thread(target=lambda: session.newest("chart", run, 2, make))
    other.start()
    assert begun.wait(60)
    yield may_end
    may_end.set()
    other.join(60)


def never() -> str:
    raise AssertionError("made twice")


def test_while_it_is_made_others_are_given_the_one_before(run: Run, slow: Event) -> None:
    assert session.newest("chart", run, 2, never) == "before"
    slow.set()
    assert session.newest("chart", replace(run, state=State.DONE), 2, never) == "after"


def test_of_a_run_that_has_ended_nobody_is_given_the_one_before(run: Run, slow: Event) -> None:
    """He will not ask again."""
    found: list[str] = []
    last = Thread(target=lambda: found.append(session.newest("chart", replace(run, state=State.DONE), 2, never)))
    last.start()
    last.join(0.2)
    assert not found
    slow.set()
    last.join(60)
    assert found == ["after"]


def test_what_fails_is_made_by_the_next(run: Run) -> None:
    with pytest.raises(ZeroDivisionError):
        session.newest("chart", run, 1, lambda: str(1 / 0))
    assert session.newest("chart", run, 1, lambda: "made") == "made"
