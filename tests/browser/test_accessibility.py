"""What axe-core (https://github.com/dequelabs/axe-core) finds on the pages: nothing serious, in either theme."""

from collections.abc import Iterator
from itertools import product
from typing import Literal

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import Server, Tab
from tests.tools.pages import finished
from tests.tools.variants import variants
from tl_core.ui import steps

__all__ = ["finished"]
pytestmark = pytest.mark.browser

SERIOUS = {"serious", "critical"}
PATHS = [step.path for step in steps.pages()]


def complaints(page: Page) -> list[str]:
    """Return what is serious on the page as it is now: the rule, the element, and what is wrong with it."""
    from axe_playwright_python.sync_playwright import Axe

    return [
        f"{violation['id']}: {node['html'][:120]}: {node['failureSummary']}"
        for violation in Axe().run(page).response["violations"]
        if violation["impact"] in SERIOUS
        for node in violation["nodes"]
    ]


def views(tab: Tab) -> Iterator[Page]:
    """Yield the page with everything open that can be opened, once for each of its tabs."""
    page = tab.page
    tabs: list[Locator | None] = [*page.get_by_role("tab").all()]
    for name in tabs or [None]:
        if name:
            name.click()
            expect(name).to_have_attribute("aria-selected", "true")
        closed = page.locator("details:not([open]) > summary").filter(visible=True)
        while closed.count():  # in what is open now there may be others
            for summary in closed.all()[::-1]:  # those that are left stay in place
                summary.click()
            tab.settled()
        yield tab.settled()


@pytest.mark.parametrize(
    ("path", "scheme"), variants(product(PATHS, ("light", "dark")), {("result", "light"), ("result", "dark")})
)
def test_nothing_serious_is_found(
    path: str, scheme: Literal["light", "dark"], finished: str, browser: Browser, server: Server
) -> None:
    tab = Tab(browser, server.url, scheme=scheme)
    tab.open(f"/{path}?run={finished}")
    assert [complaint for page in views(tab) for complaint in complaints(page)] == []
    tab.page.context.close()


@pytest.mark.full
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_is_found_about_a_mistake(scheme: Literal["light", "dark"], browser: Browser, server: Server) -> None:
    tab = Tab(browser, server.url, scheme=scheme)
    page = tab.open("/dataset?dataset=image_folder&dataset.path=/nowhere&run=nothing")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_role("alert").first).to_contain_text("Received")
    assert complaints(tab.settled()) == []
    page.context.close()
