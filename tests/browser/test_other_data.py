"""A finished run is tested on a folder of other images in a real browser, and the result stays."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Tab
from tests.tools.other_data import darker_patches
from tests.tools.pages import finished

__all__ = ["finished"]
pytestmark = pytest.mark.browser


def test_a_run_is_tested_on_a_folder(finished: str, tab: Tab, tmp_path: Path) -> None:
    folder = darker_patches(tmp_path / "last_month")
    page = tab.open(f"/result?run={finished}")
    page.get_by_text("Test on other data", exact=True).click()
    page.get_by_label("Source", exact=True).click()
    page.get_by_role("option", name="Image folder").click()
    path = page.get_by_label("Folder", exact=True)
    path.fill(str(folder))
    path.press("Enter")
    page.get_by_role("button", name="Test", exact=True).click()
    told = page.get_by_text("of 12 images right")
    expect(told).to_contain_text("last_month")
    expect(page.get_by_text("Tested on all of these data")).to_be_visible()
    expect(page.get_by_role("button", name="Test again")).to_be_visible()
    tab.open(f"/result?run={finished}")
    expect(page.get_by_text("of 12 images right")).to_be_visible()
