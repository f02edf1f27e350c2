"""How long a run still takes."""

from dataclasses import replace

import pytest

from tests.helpers import QUICK
from tl_core.runs.store import Run, Store
from tl_core.runs.watching import eta


@pytest.fixture
def run() -> Run:
    store = Store()
    store.create("a", QUICK)
    return store.run("a")


def test_nothing_is_said_before_there_is_something_to_say_it_from(run: Run) -> None:
    assert eta(run, 100.0) is None
    assert eta(replace(run, started=90.0, done=0.01), 100.0) is None


def test_what_is_left_goes_as_fast_as_what_is_done(run: Run) -> None:
    assert eta(replace(run, started=90.0, done=0.25), 100.0) == pytest.approx(30.0)
    assert eta(replace(run, started=90.0, done=1.0), 100.0) == 0
