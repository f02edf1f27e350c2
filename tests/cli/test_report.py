"""The report of a comparison: one file with all that is said, in which what people wrote is text."""

import re
from pathlib import Path

import pytest

from tests.helpers import CommandLine
from tests.pages.test_compare_by import RARE_FOUND, RARE_MISSED, put
from tl_core.report.page import POLICY
from tl_core.runs.store import Store

HOSTILE = "</script><img src=x onerror=alert(1)>"


def test_a_report_has_all_that_is_said_and_no_text_is_run(home: Path, tmp_path: Path) -> None:
    put(RARE_FOUND, finds_the_rare=True)
    put(RARE_MISSED, finds_the_rare=False)
    Store().update(RARE_FOUND, lambda _: {"name": HOSTILE, "tags": ["<b>"]})
    file = tmp_path / "report.html"
    line = CommandLine(home)
    plain = line.call("compare", RARE_FOUND, RARE_MISSED, "--report", file).out
    text = file.read_text(encoding="utf-8")
    assert HOSTILE in plain
    body = text.partition("<body>")[2]
    assert HOSTILE not in text
    assert "<b>" not in body
    assert "&lt;/script&gt;&lt;img src=x" in body
    assert "exact McNemar" in body
    assert body.count("Plotly.newPlot(") == 4
    assert f'content="{POLICY}"' in text
    assert not re.findall(r"<(?:script|link|img)[^>]* (?:src|href)=", body)


CANNOT_BE = {"none/report.html": "cannot be written", "folder.html": "cannot be written", "runs.csv": "Name it runs.html."}


@pytest.mark.parametrize("name", CANNOT_BE)
def test_a_report_that_cannot_be_written_is_one_sentence(name: str, home: Path, tmp_path: Path) -> None:
    (tmp_path / "folder.html").mkdir()
    for run_id, finds in ((RARE_FOUND, True), (RARE_MISSED, False)):
        put(run_id, finds_the_rare=finds)
    done = CommandLine(home).call("compare", RARE_FOUND, RARE_MISSED, "--report", tmp_path / name)
    assert done.code == 2
    assert CANNOT_BE[name] in " ".join(done.err.split())
    assert not [each for each in tmp_path.rglob("*") if each.is_file() and home not in each.parents]
