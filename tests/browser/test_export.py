"""A finished run's model leaves through a real browser, and what was downloaded predicts in its own runtime."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Tab
from tests.exports.conftest import run, trained
from tl_core.exports._answers import SCRIPT
from tl_core.recipe import Recipe
from tl_core.spec import RunSpec

__all__ = ["run", "trained"]
pytestmark = pytest.mark.browser


def test_a_model_is_exported_and_downloaded(trained: tuple[RunSpec, Path], run: str, tab: Tab, tmp_path: Path) -> None:
    page = tab.open(f"/export?run={run}")
    page.get_by_role("button", name="Choose OpenVINO", exact=True).click()
    expect(page.get_by_role("heading", name="OpenVINO", exact=True)).to_be_visible()
    page.get_by_role("button", name="Export", exact=True).click()
    expect(page.get_by_text("OpenVINO says the same as the run")).to_be_visible()
    expect(page.get_by_text("Largest difference")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as a zip", exact=True).click()
    with zipfile.ZipFile(download.value.path()) as archive:
        archive.extractall(tmp_path / "taken")
    (script,) = (tmp_path / "taken").rglob(SCRIPT)
    data = Recipe.of(trained[0]).dataset.load(trained[0].seed)
    done = subprocess.run([sys.executable, script, data.test.paths[0]], capture_output=True, text=True, check=True)
    said = [line.split(" ", 1) for line in done.stdout.splitlines()]
    assert tuple(name for _, name in said) == data.class_names
    assert sum(float(probability) for probability, _ in said) == pytest.approx(1, abs=1e-3)
