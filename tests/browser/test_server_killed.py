"""The crash matrix' third row: kill -9 of the server that served the page on which a run was started, at every instant that
matters. The run does not notice, and the page of a new server shows it."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Server, Tab
from tests.browser.test_main_job import press_start
from tests.helpers import ENDLESS, HANGS_SECONDS, QUICK, wait_until
from tests.tools.crashing import Breakpoint, Watchman, assert_whole, short_training
from tests.tools.variants import variants
from tl_core.recipe import Recipe
from tl_core.runner import control
from tl_core.runs.states import State
from tl_core.runs.store import Run, Store
from tl_core.system.settings import CHECKPOINT_VARIABLE
from tl_core.ui.formatting import state_of

pytestmark = pytest.mark.browser

ADDRESS = "/train?" + urlencode(Recipe.of(QUICK.with_settings({"strategy.epochs": 12})).overrides())
HALTS = {
    "starting": "import:tl_core.training.train",
    "checkpoint write": "os.rename:state.npz",
    "final write": "os.rename:model.keras",
    "pausing": "os.rename:state.npz",
    "cancelling": "os.rename:state.npz",
}
ENDS = {"pausing": State.PAUSED, "cancelling": State.CANCELLED}


@pytest.fixture
def store(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    home.parent.mkdir(parents=True, exist_ok=True)
    monkeypatch.setenv(CHECKPOINT_VARIABLE, "0")
    short_training(monkeypatch)
    yield Store(home)


def shows(page: Page, run: Run) -> None:
    expect(page.get_by_test_id("stMain").get_by_text(state_of(run), exact=True).first).to_be_visible()


MOMENTS = ("queued", "starting", "first step", "epoch end", "checkpoint write", "final write", *ENDS)


@pytest.mark.parametrize("moment", variants(MOMENTS, {"starting", "checkpoint write", "pausing"}))
def test_a_killed_server_is_not_missed(
    moment: str, store: Store, browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocker = control.start(store, ENDLESS) if moment == "queued" else None
    halt = Breakpoint.at(HALTS[moment], tmp_path / "break", monkeypatch) if moment in HALTS else None
    server = Server(store.home)
    with Watchman(store.home).on_guard():
        tab = Tab(browser, server.url)
        run_id = press_start(tab.open(ADDRESS))
        if halt:
            halt.process()
        elif moment != "queued":
            wait_until(lambda: store.events(run_id, {"first step": "step", "epoch end": "epoch"}[moment]))
        if moment in ENDS:
            tab.page.get_by_role("button", name={"pausing": "Pause", "cancelling": "Stop"}[moment], exact=True).first.click()
            # A click may return only after the seconds that a stopped run is given to end by itself.
            wait_until(lambda: store.run(run_id).state not in (State.STARTING, State.RUNNING))
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait(timeout=HANGS_SECONDS)
        if halt:
            halt.remove()
        if blocker:
            control.stop(store, blocker)
        wait_until(lambda: not store.run(run_id).state.alive)
    end = store.run(run_id)
    assert (end.state, end.attempts) == (ENDS.get(moment, State.DONE), 1)
    assert_whole(store, run_id)
    tab.page.context.close()
    again = Server(store.home)
    try:
        later = Tab(browser, again.url)
        shows(later.open(f"/train?run={run_id}"), end)
        assert not later.errors
        later.page.context.close()
    finally:
        again.stop()
