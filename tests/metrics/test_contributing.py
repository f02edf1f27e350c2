"""The metric that CONTRIBUTING.md adds in one file is one, and keeps to what all metrics do."""

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers import ROOT
from tests.metrics.examples import examples
from tl_core import testing
from tl_core.metrics import Metric, measure, metrics
from tl_core.testing import Check


@pytest.fixture
def brier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Metric]]:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (code,) = re.findall(r'```python\n("""Brier score.*?)```', text, re.DOTALL)
    (tmp_path / "brier_score.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(metrics, "_parts", dict(metrics.parts()))
    importlib.import_module("brier_score")
    yield metrics.part("brier")
    del sys.modules["brier_score"]


def test_each_run_is_measured_by_it(brier: type[Metric]) -> None:
    assert "brier" in {value.name for value in measure(*examples())}


@pytest.mark.parametrize("check", testing.checks("metric"))
def test_it_passes_the_checks_of_its_kind(brier: type[Metric], check: Check) -> None:
    check(brier)
