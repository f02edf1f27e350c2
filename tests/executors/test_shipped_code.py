"""The package as one file, as the machines of a cluster get it: all of it runs from there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tl_core.backbones.keras_applications import KerasApplications
from tl_core.executors import ray


@pytest.mark.process
def test_every_part_is_there_and_reads_what_it_needs(tmp_path: Path) -> None:
    file = ray._code(tmp_path)
    bare = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, str(file), "parts"], cwd=tmp_path, env=bare, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert KerasApplications.summary() in " ".join(done.stdout.split())
