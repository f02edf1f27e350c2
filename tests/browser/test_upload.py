"""An archive brought in a real browser: chosen and learned from, refused in a sentence, or given up half-way."""

import os
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Server, Tab
from tests.helpers import wait_until, write_images
from tl_core.data.formats import uploads
from tl_core.system import settings

pytestmark = pytest.mark.browser

SOURCE = "/?dataset=zip_upload&image_size=32"
SLOW = 10e6
"""Bytes a second that a slow line carries: the large archive takes five seconds."""


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    folder, path = write_images(tmp_path / "pets"), tmp_path / "pets & <b>.zip"
    with zipfile.ZipFile(path, "w") as file:
        for image in sorted(folder.rglob("*.png")):
            file.write(image, image.relative_to(folder))
        file.writestr("__MACOSX/._x.png", b"x")
    return path


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "large.zip"
    with zipfile.ZipFile(path, "w") as file:
        for number in range(1_000):
            file.writestr(f"{'ab'[number % 2]}/{number:05}.jpg", os.urandom(50_000))
    return path


def give(tab: Tab, path: Path) -> None:
    tab.page.locator('input[type="file"]').set_input_files(path)


def test_an_archive_is_brought_and_chosen(tab: Tab, archive: Path, home: Path) -> None:
    page = tab.open(SOURCE)
    give(tab, archive)
    expect(page.get_by_text("They come from the upload pets & <b>.zip.")).to_be_visible()
    expect(page.get_by_text("Hidden files in the archive: 1 left out")).to_be_visible()
    tab.settled()
    (upload,) = uploads.kept(home)
    assert upload.folder.name in page.url
    page.reload()
    expect(page.get_by_text("They come from the upload pets & <b>.zip.")).to_be_visible()


def test_one_that_cannot_be_trusted_is_refused(tab: Tab, archive: Path, home: Path) -> None:
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr("../outside.png", b"x")
    page = tab.open(SOURCE)
    give(tab, archive)
    expect(page.get_by_text("wants to lie outside of the folder")).to_be_visible()
    tab.settled()
    expect(page.get_by_text("wants to lie outside of the folder")).to_be_visible()
    assert not list(settings.uploads(home).iterdir())


@pytest.mark.full
def test_a_browser_that_leaves_half_way(server: Server, browser: Browser, large: Path, archive: Path, home: Path) -> None:
    while_uploading = Tab(browser, server.url)
    page = while_uploading.open(SOURCE)
    line = page.context.new_cdp_session(page)
    conditions = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": SLOW}
    line.send("Network.emulateNetworkConditions", conditions)
    give(while_uploading, large)
    expect(page.get_by_role("progressbar").first).to_be_visible()
    page.context.close()

    while_unpacking = Tab(browser, server.url)
    page = while_unpacking.open(SOURCE)
    give(while_unpacking, large)
    expect(page.get_by_text("Unpacking").or_(page.get_by_text("They come from the upload"))).to_be_visible()
    page.context.close()

    def settled() -> bool:
        place = settings.uploads(home)
        return not place.exists() or not list(place.glob(".*"))

    wait_until(settled)
    for upload in uploads.kept(home):  # it may have been whole by then
        assert upload.files == 1_000
        assert sum(path.is_file() for path in upload.content.rglob("*")) == 1_000

    another = Tab(browser, server.url)
    another.open(SOURCE)
    give(another, archive)
    expect(another.page.get_by_text("They come from the upload pets & <b>.zip.")).to_be_visible()
    another.page.context.close()
    assert not another.errors
