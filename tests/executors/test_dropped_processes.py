"""Who starts a process that outlives it may forget it without a word, whatever Python does with warnings."""

import gc
import os
import sys
import warnings
from pathlib import Path

import psutil
import pytest

from tl_core.system import processes


@pytest.mark.process
def test_a_process_that_goes_on_is_nothing_to_warn_of(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = list[object]()
    monkeypatch.setattr(sys, "unraisablehook", said.append)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        process = processes.spawn(["--help"], home, tmp_path / "log")
        child = psutil.Process(process.pid)
        child.suspend()  # so that it is still there
        del process
        gc.collect()
    assert not said
    child.resume()
    os.waitpid(child.pid, 0)
