"""The study that CONTRIBUTING.md adds in one file is one: it is found, asked for and answered."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import ROOT

ASKED = """
import sys
from typer.testing import CliRunner
from tl_core.__main__ import app
done = CliRunner().invoke(app, ["study", "class_sizes", "--dataset", "digits", "--set", "dataset.labels_per_class=3"])
print(done.stdout, done.stderr)
"""


@pytest.mark.process
def test_a_study_is_one_file(tmp_path: Path, home: Path) -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (code,) = re.findall(r'```python\n("""Class sizes.*?)```', text, re.DOTALL)
    shutil.copytree(ROOT / "tl_core", tmp_path / "tl_core", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "tl_core" / "studies" / "class_sizes.py").write_text(code)
    done = subprocess.run([sys.executable, "-c", ASKED], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert ["Class", "Images"] in lines
    assert ["7", "3"] in lines
