"""The whole job in a real browser, on the defaults: from the first click to the comparison."""

import time
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Server, Tab
from tests.helpers import wait_until
from tl_core.runs.states import State
from tl_core.runs.store import Store


def run_in_address(page: Page) -> str:
    return parse_qs(urlsplit(page.url).query)["run"][0]


def press_start(page: Page) -> str:
    before = parse_qs(urlsplit(page.url).query).get("run", [""])[0]
    page.get_by_role("button", name="Start", exact=True).click()
    another = "before => !['', null, before].includes(new URLSearchParams(location.search).get('run'))"
    page.wait_for_function(another, arg=before)
    expect(page.get_by_role("heading", name="Train", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    return run_in_address(page)


def go_to(page: Page, step: str) -> None:
    page.get_by_test_id("stSidebar").get_by_role("link", name=step).click()
    expect(page.get_by_role("heading", name=step.split()[-1], exact=True)).to_be_visible()


def test_main_job_on_the_defaults(tab: Tab, browser: Browser, server: Server) -> None:
    page = tab.open("/")
    for step in ("2 Backbone", "3 Strategy", "1 Dataset"):
        go_to(page, step)
    started = time.monotonic()
    run_id = press_start(page)

    page.reload()
    tab.settled()
    assert run_in_address(page) == run_id
    expect(page.get_by_text("EfficientNet-Lite0 · Linear probe · Photo patches").first).to_be_visible()

    go_to(page, "7 Compare")
    go_to(page, "5 Train")
    assert run_in_address(page) == run_id

    second = Tab(browser, server.url)
    second.open(f"/train?run={run_id}")
    expect(second.page.get_by_text("EfficientNet-Lite0 · Linear probe · Photo patches").first).to_be_visible()

    for watching in (page, second.page):
        expect(watching.get_by_role("heading", name="Test accuracy")).to_be_visible()
    print(f"first click to accuracy: {time.monotonic() - started:.1f} s")
    assert not second.errors
    second.page.context.close()

    page.get_by_role("link", name="See the result").click()
    expect(page.get_by_text("of 800 test images right")).to_be_visible()
    for name in ("Hardest images", "Classes", "Curves", "Time", "Proof", "Settings"):
        page.get_by_role("tab", name=name).click()
    expect(page.get_by_role("tabpanel", name="Settings").get_by_text("python -m tl_core train")).to_be_visible()

    go_to(page, "7 Compare")
    expect(page.get_by_text("Accuracy against time")).to_be_visible()
    assert "tensorflow" not in server.loaded_files()


@pytest.mark.browser
def test_stop_ends_the_run(tab: Tab) -> None:
    page = tab.open("/train?backbone=small_cnn&strategy=from_scratch&strategy.epochs=1000")
    run_id = press_start(page)
    store = Store()
    wait_until(lambda: store.run(run_id).state is State.RUNNING and store.run(run_id).done > 0)
    asked = time.monotonic()
    page.get_by_role("button", name="Stop", exact=True).click()
    wait_until(lambda: not store.run(run_id).state.alive)
    print(f"stopped after {time.monotonic() - asked:.1f} s")
    assert store.run(run_id).state is State.CANCELLED
    expect(page.get_by_text("This run was stopped.")).to_be_visible()


@pytest.mark.browser
def test_deep_link_on_a_fresh_server(tab: Tab) -> None:
    page = tab.open("/strategy?strategy=fine_tuning&seed=3")
    expect(page.get_by_role("heading", name="Strategy", exact=True)).to_be_visible()
    expect(page.get_by_text("Page not found")).to_have_count(0)
    expect(page.get_by_test_id("stSidebar").get_by_role("link", name="1 Dataset")).to_be_visible()
    assert parse_qs(urlsplit(page.url).query) == {"strategy": ["fine_tuning"], "seed": ["3"]}


@pytest.mark.browser
def test_a_mistake_is_a_sentence_on_the_page(tab: Tab) -> None:
    page = tab.open("/dataset?dataset=image_folder&dataset.path=/nowhere")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_role("alert").first).to_contain_text("Received")
    expect(page.get_by_text("Traceback")).to_have_count(0)


@pytest.mark.browser
@pytest.mark.parametrize("path", ["dataset", "backbone", "strategy", "train", "result", "compare"])
def test_pages_fit_a_phone(path: str, browser: Browser, server: Server) -> None:
    phone = Tab(browser, server.url, width=390)
    page = phone.open(f"/{path}")
    wide = page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")
    assert wide <= 390
    page.context.close()
    assert not phone.errors
