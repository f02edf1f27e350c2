"""The queue and its runs in a real browser: what survives, and what the buttons do."""

from contextlib import suppress

import pytest
from playwright.sync_api import Browser, Page, TimeoutError, expect

from tests.browser.conftest import Server, Tab
from tests.browser.test_main_job import run_in_address
from tests.helpers import ENDLESS, QUICK, wait_until
from tests.tools.crashing import short_training
from tl_core.runner import control
from tl_core.runs.states import State
from tl_core.runs.store import Run, Store
from tl_core.spec import RunSpec

pytestmark = pytest.mark.browser

TITLE = "Small CNN · From scratch · Photo patches"
REDRAWN_MILLISECONDS = 5_000
"""Longer than a page goes without being drawn anew while something runs."""


@pytest.fixture(autouse=True)
def trains_briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs train without Keras, which takes ten seconds to start: what is looked at is what the pages do with them."""
    short_training(monkeypatch)


@pytest.fixture
def store(server: Server) -> Store:
    """The store of the server's runs, the server being there."""
    return Store()


def at_work(store: Store, spec: RunSpec = ENDLESS) -> str:
    """The id of a run that trains."""
    run_id = control.start(store, spec)
    wait_until(lambda: store.run(run_id).done > 0 or store.run(run_id).state.ended)
    assert store.run(run_id).state is State.RUNNING
    return run_id


def in_state(store: Store, run_id: str, state: State) -> Run:
    wait_until(lambda: store.run(run_id).state is state)
    return store.run(run_id)


def badge(page: Page, state: str) -> None:
    """The page shows the run in `state`."""
    expect(page.get_by_test_id("stMain").get_by_text(state, exact=True).first).to_be_visible()


def press(page: Page, key: str) -> None:
    page.locator(f".st-key-{key} button").first.click()  # beside it stands one for its help


def choose(page: Page, run_id: str, what: str) -> None:
    """Something from the menu of a waiting run, which closes where the page is drawn anew before the click has come through."""
    item = page.get_by_role("menuitem", name=what)
    while True:
        press(page, f"more_{run_id}")
        with suppress(TimeoutError):
            item.click(timeout=REDRAWN_MILLISECONDS)
            return


def test_a_reload_and_a_second_browser_see_the_same_run(tab: Tab, store: Store, browser: Browser, server: Server) -> None:
    run_id = at_work(store)
    page = tab.open(f"/train?run={run_id}")
    badge(page, "Running")
    page.reload()
    tab.settled()
    badge(page, "Running")
    second = Tab(browser, server.url)
    badge(second.open(f"/train?run={run_id}"), "Running")
    press(page, "stop")
    for watching in (page, second.page):
        expect(watching.get_by_text("This run was stopped.")).to_be_visible()
    assert not second.errors
    second.page.context.close()


@pytest.mark.full
def test_the_server_is_killed_and_the_run_goes_on(tab: Tab, store: Store, server: Server) -> None:
    run_id = at_work(store)
    page = tab.open(f"/train?run={run_id}")
    badge(page, "Running")
    server.kill()
    before = store.run(run_id).done
    wait_until(lambda: store.run(run_id).done > before)
    server.start()
    page.reload()
    tab.settled()
    badge(page, "Running")
    expect(page.get_by_text(TITLE).first).to_be_visible()
    assert run_in_address(page) == run_id
    tab.errors.clear()  # of the time without a server


def test_pause_and_resume_from_the_page(tab: Tab, store: Store) -> None:
    run_id = at_work(store)
    page = tab.open(f"/train?run={run_id}")
    press(page, "pause")
    in_state(store, run_id, State.PAUSED)
    expect(page.get_by_text("Paused at")).to_be_visible()
    steps = store.counts(run_id)["step"]
    press(page, "resume")
    in_state(store, run_id, State.RUNNING)
    badge(page, "Running")
    wait_until(lambda: store.counts(run_id)["step"] > steps)
    assert store.run(run_id).attempts == 2
    assert store.events(run_id, "resumed")
    press(page, "stop")
    expect(page.get_by_text("This run was stopped.")).to_be_visible()
    assert in_state(store, run_id, State.CANCELLED).error is None


@pytest.mark.full
def test_a_queue_of_five_with_priorities(tab: Tab, store: Store) -> None:
    first = at_work(store)
    waiting = [control.start(store, QUICK.with_settings({"seed": seed})) for seed in range(5)]
    page = tab.open(f"/train?run={waiting[4]}")
    expect(page.get_by_text("Fifth in line")).to_be_visible()
    choose(page, waiting[4], "High priority")
    expect(page.get_by_text("Next in line")).to_be_visible()
    press(page, f"down_{waiting[0]}")
    choose(page, waiting[2], "Remove")
    choose(page, waiting[3], "Hold")
    expect(page.get_by_text("1 running, 3 waiting")).to_be_visible()
    assert [run.id for run in store.queue()] == [waiting[4], waiting[1], waiting[0]]
    assert store.run(waiting[2]).state is State.CANCELLED
    press(page, f"look_at_{first}")
    badge(page, "Running")
    assert run_in_address(page) == first
    press(page, "stop")
    high = in_state(store, waiting[4], State.DONE)
    others = [store.run(run_id).started for run_id in (waiting[1], waiting[0])]
    assert all(started is None or started > (high.started or 0) for started in others)
    for run_id in (waiting[1], waiting[0]):
        in_state(store, run_id, State.DONE)
    expect(page.get_by_text("Nothing is running or waiting.")).to_be_visible()
    press(page, f"resume_{waiting[3]}")
    in_state(store, waiting[3], State.DONE)


@pytest.mark.full
def test_start_never_refuses(tab: Tab, store: Store) -> None:
    at_work(store)
    page = tab.open("/train?strategy=from_scratch&backbone=small_cnn")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_text("Next in line")).to_be_visible()
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_text("Second in line")).to_be_visible()
    assert len(store.queue()) == 2


@pytest.mark.full
def test_again_with_one_setting_changed(tab: Tab, store: Store) -> None:
    at_work(store)
    run_id = control.start(store, QUICK)
    page = tab.open(f"/train?run={run_id}")
    page.get_by_text("Run again with one setting changed").click()
    value = page.get_by_role("textbox", name="New value")
    value.fill("7")
    page.wait_for_timeout(5000)  # two polls
    assert value.input_value() == "7"
    value.press("Tab")
    page.get_by_role("button", name="Start with this change").click()
    expect(page.get_by_text("Second in line")).to_be_visible()
    new = store.run(run_in_address(page))
    assert new.spec.seed == 7
    assert new.spec.image_size == QUICK.image_size


@pytest.mark.full
def test_a_menu_stays_open_while_the_page_polls(tab: Tab, store: Store) -> None:
    at_work(store)
    run_id = control.start(store, QUICK)
    page = tab.open(f"/train?run={run_id}")
    press(page, f"more_{run_id}")
    page.wait_for_timeout(5000)  # two polls
    page.get_by_role("menuitem", name="Low priority").click()
    expect(page.get_by_text("low priority")).to_be_visible()


AXES = "document.querySelector('.kept-chart')._fullLayout"


def zoomed(page: Page) -> list[list[float]]:
    """What the two step axes of the learning curves show now."""
    return page.evaluate(f"[{AXES}.xaxis.range, {AXES}.xaxis2.range]")


@pytest.mark.full
def test_a_zoom_is_kept_while_the_curves_grow(tab: Tab, store: Store) -> None:
    run_id = at_work(store)
    page = tab.open(f"/train?run={run_id}")
    grounds = page.locator(".kept-chart").first.locator(".nsewdrag")
    expect(grounds.first).to_be_visible()
    wait_until(lambda: len(store.events(run_id, "epoch")) >= 4)
    points = "document.querySelector('.kept-chart').data[1]?.x.length ?? 0"
    page.wait_for_function(f"{points} >= 4")
    ground = grounds.first.bounding_box()
    assert ground
    page.mouse.move(ground["x"] + 0.3 * ground["width"], ground["y"] + 20)
    page.mouse.down()
    page.mouse.move(ground["x"] + 0.7 * ground["width"], ground["y"] + 100, steps=5)
    page.mouse.up()
    first, before = zoomed(page), page.evaluate(points)
    page.wait_for_function(f"{points} > {before} + 2")
    assert zoomed(page) == first
    assert first[0] == first[1]
    page.wait_for_timeout(600)  # two clicks soon after the drag would count as three
    grounds.first.dblclick()
    page.wait_for_function(f"{AXES}.xaxis.range[1] > {first[0][1]}")
    control.stop(store, run_id)
