"""Pictures are brought in a real browser, and a finished run says what it sees, where, and what it knows that is like it."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Tab
from tests.tools.other_data import darker_patches
from tests.tools.pages import finished

__all__ = ["finished"]
pytestmark = pytest.mark.browser


def test_a_run_is_asked_about_pictures(finished: str, tab: Tab, tmp_path: Path) -> None:
    (picture,) = darker_patches(tmp_path / "mine", classes=1, each=1).rglob("*.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    page = tab.open(f"/predict?run={finished}")
    page.locator('input[type="file"]').set_input_files([picture, tmp_path / "broken.png"])
    page.get_by_role("button", name="Predict", exact=True).click()
    expect(page.get_by_text("1 predicted, 1 could not be read.")).to_be_visible()
    expect(page.get_by_text("broken.png cannot be read: its content is not an image.")).to_be_visible()
    expect(page.get_by_text("The most probable", exact=True)).to_be_visible()
    expect(page.get_by_alt_text(f"{picture.name}, the hottest where the model looks")).to_be_visible()
    page.get_by_text("Show where it looks").click()
    expect(page.get_by_alt_text(picture.name, exact=True)).to_be_visible()
    expect(page.get_by_text("what matters here: the probability is")).to_be_visible()
    expect(page.get_by_text("The nearest training images, as the network sees them")).to_be_visible()
    expect(page.locator('img[alt^="image "]')).to_have_count(5)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as CSV").click()
    assert Path(download.value.path()).read_text().startswith("picture,output_1,value_1,")
