"""The title of a page stands at its top, and nothing covers it."""

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Server, Tab

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("width", "most"), [(1280, 30), (390, 60)])
def test_a_page_begins_at_its_top(width: int, most: int, browser: Browser, server: Server) -> None:
    tab = Tab(browser, server.url, width=width)
    title = tab.open("/compare").locator("h1")
    box = title.bounding_box()
    assert box and box["y"] <= most
    if width == 1280:  # on a telephone the sidebar is closed already
        tab.page.get_by_test_id("stSidebarHeader").hover()
        tab.page.get_by_test_id("stSidebarCollapseButton").get_by_role("button").click()
        tab.page.get_by_test_id("stExpandSidebarButton").wait_for()
    title.click()  # fails where something lies upon it
    tab.page.context.close()
