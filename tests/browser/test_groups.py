"""A group in a real browser: loaded from a file, watched while it grows, stopped and extended."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Tab
from tests.helpers import QUICK, wait_until
from tests.tools.crashing import short_training
from tl_core.groups.group import Group
from tl_core.runs import groups
from tl_core.runs.states import State
from tl_core.runs.store import Store

pytestmark = pytest.mark.browser

EPOCHS = 50
"""Four seconds of a run without Keras."""
DRAWN = "document.querySelector('.kept-chart')?.data?.[1]?.x.length ?? 0"
"""The runs that the chart has a point for."""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A group of three runs, which train without Keras."""
    short_training(monkeypatch)
    base = {name: value for name, value in QUICK.with_settings({"strategy.epochs": EPOCHS}).dotted().items() if name != "seed"}
    path = tmp_path / "group.yaml"
    path.write_text(Group.parse({"name": "Three seeds", "base": base, "axes": {"seed": [0, 1, 2]}}).to_yaml())
    return path


def test_a_group_grows_is_stopped_and_extended(file: Path, tab: Tab) -> None:
    page = tab.open("/what_if")
    page.get_by_text("From a file").click()
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Start 3 runs").click()
    expect(page.get_by_text("of 3 runs done")).to_be_visible()
    page.wait_for_function(f"{DRAWN} == 1")
    page.get_by_role("button", name="Stop all").click()
    expect(page.get_by_role("button", name="Resume all")).to_be_visible()
    (found,) = groups.listed(store := Store())
    wait_until(lambda: not any(run.state.alive for run in store.runs()))
    done = [run.id for run in store.runs() if run.state is State.DONE]
    page.get_by_text("More values, the file, and deletion").click()
    page.get_by_role("textbox", name="Further values").fill("3, 1")
    page.get_by_role("button", name="Add them").click()
    expect(page.get_by_text("of 4 runs done")).to_be_visible()
    page.wait_for_function(f"{DRAWN} == {len(done) + 1}")
    assert [dict(each) for each in groups.one(store, found.id).runs.values()] == [{"seed": seed} for seed in range(4)]
    page.reload()
    tab.settled()
    expect(page.get_by_text(f"{len(done) + 1} of 4 runs done")).to_be_visible()
    assert found.id in page.url
