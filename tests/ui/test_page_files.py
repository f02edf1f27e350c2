"""A page is one file: the sidebar, its address and its door follow from what the file says of itself."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import ROOT, python
from tl_core.ui import doors, steps

NUMBER = len(steps.pages()) + 1
NOTES = f'''"""Notes: one more page."""

import streamlit as st

from tl_core.ui import frame
from tl_core.ui.steps import PageInfo

PAGE = PageInfo({NUMBER}, "Notes", ":material/note:", "What is to be known?", lambda: "One thing")


def draw() -> None:
    """Draw the page."""
    frame.heading(PAGE)
    st.caption("Here it stands.")


if __name__ == "__main__":
    draw()
'''
OPENED = """
from streamlit.testing.v1 import AppTest
from tl_core.ui import doors, steps
doors.write()
app = AppTest.from_file("app.py", default_timeout=600)
app.switch_page(steps.NOTES.script).run()
assert not app.exception, app.exception
links = [link.label for link in app.sidebar.get("page_link")]
print(steps.NOTES.path, app.title[0].value, [caption.value for caption in app.main.caption], links[-2:])
print([caption.value for caption in app.sidebar.caption][steps.NOTES.number - 1])
"""


def test_one_more_page_is_one_file(tmp_path: Path) -> None:
    for name in ("tl_core", "pages"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "app.py", tmp_path)
    (tmp_path / "pages" / "views" / f"{NUMBER}_notes.py").write_text(NOTES)
    done = subprocess.run([sys.executable, "-c", OPENED], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    before = steps.pages()[-1]
    links = [f"{before.number} {before.title}", f"{NUMBER} Notes"]
    assert done.stdout == f"notes Notes ['What is to be known?', 'Here it stands.'] {links}\nOne thing\n"
    assert (tmp_path / "pages" / "notes.py").read_text() == doors.DOOR.format(path="notes")


def test_each_page_has_its_door() -> None:
    found = {file: file.read_text() for file in (ROOT / "pages").glob("*.py")}
    assert found == doors.doors(), "write them with python -m tl_core.ui.doors"


def test_pages_stand_in_the_order_of_the_work() -> None:
    assert [page.number for page in steps.pages()] == list(range(1, len(steps.pages()) + 1))
    assert [page.title for page in steps.pages()][:7] == [
        "Dataset",
        "Backbone",
        "Strategy",
        "What if",
        "Train",
        "Result",
        "Compare",
    ]
    assert all((ROOT / page.script).exists() for page in steps.pages())
    assert steps.TRAIN.path == "train"
    with pytest.raises(AttributeError, match="There is no page NOWHERE"):
        assert steps.NOWHERE


def test_to_look_for_pages_draws_nothing() -> None:
    done = python("from tl_core.ui import steps; print(len(steps.pages()))")
    assert done.out == f"{len(steps.pages())}\n"
    assert "ScriptRunContext" not in done.err


def test_a_file_is_named_as_its_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "views").mkdir()
    (tmp_path / "views" / f"{NUMBER + 1}_notes.py").write_text(NOTES)
    monkeypatch.setattr(steps, "PAGES", tmp_path)
    with pytest.raises(ValueError, match=rf"belongs into the file pages/views/{NUMBER}_notes\.py"):
        steps.pages.__wrapped__()
