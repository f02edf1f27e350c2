"""Compare in a real browser: all of its panels at once, and its report, which opens without a server and without a network."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Tab
from tests.helpers import QUICK
from tests.pages.test_compare_by import put
from tl_core.runs.store import Store

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=alert(1)> & $a$"
SCRATCH = QUICK.with_settings({"seed": 1})
TRANSFER = SCRATCH.with_settings({"backbone": "efficientnet_lite0", "strategy": "linear_probe"})
PANELS = ("Transfer against its twin from scratch", "is not foretold, since", "Settings that differ", "Each line is a run.")


@pytest.fixture
def chosen(home: Path) -> Iterator[str]:
    """Runs with two numbers of labels, each beside its twin, one with a name that is none."""
    specs = [spec.with_settings({"dataset.labels_per_class": labels}) for spec in (SCRATCH, TRANSFER) for labels in (5, 9)]
    ids = [f"20260101-00000{place}-aaaaa{place}" for place in range(len(specs))]
    for run_id, spec in zip(ids, specs, strict=True):
        put(run_id, finds_the_rare=spec.strategy == TRANSFER.strategy, spec=spec)
    Store().update(ids[0], lambda _: {"name": HOSTILE})
    yield ",".join(ids)


CHARTS = 5
"""By labels, against cost, through the settings, validation curves, and use of the machine."""


def charts(page: Page) -> list[str]:
    """The titles of the charts, as soon as all are drawn; Streamlit's are bold."""
    page.wait_for_function(f"document.querySelectorAll('.js-plotly-plot').length == {CHARTS}")
    titles: list[str] = page.eval_on_selector_all(
        ".js-plotly-plot", "all => all.map(one => one.layout.title.text.replaceAll(/<.?b>/g, ''))"
    )
    return titles


def test_all_panels_are_there_and_in_a_report_that_needs_nothing(chosen: str, tab: Tab, browser: Browser, tmp_path: Path) -> None:
    page = tab.open(f"/compare?runs={chosen}")
    for text in PANELS:
        expect(page.get_by_text(text).first).to_be_visible()
    expect(page.get_by_role("combobox", name="Baseline")).to_be_visible()
    on_page = charts(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download this as a report").click()
    download.value.save_as(file := tmp_path / "comparison.html")

    context = browser.new_context(offline=True)
    report, errors, asked = context.new_page(), list[str](), list[str]()
    report.on("pageerror", lambda error: errors.append(str(error)))
    report.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    report.on("dialog", lambda dialog: errors.append(dialog.message))
    report.on("request", lambda request: asked.append(request.url))
    report.goto(file.as_uri())
    assert sorted(charts(report)) == sorted(on_page)
    for text in (*PANELS, HOSTILE):
        expect(report.get_by_text(text).first).to_be_visible()
    assert report.pdf()[:4] == b"%PDF"
    assert (errors, asked) == ([], [file.as_uri()])
    context.close()
