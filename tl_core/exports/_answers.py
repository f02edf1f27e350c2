"""What an export says of examples: it is loaded back in a process of its own, by the very script that goes with it."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_core.exports import ExportFormat
from tl_core.features.inputs import as_taken
from tl_core.system.processes import QUIET

SCRIPT = "load.py"
PROGRAM = Path(__file__).with_name("_in_runtime.py")
ON_PROCESSOR = {"CUDA_VISIBLE_DEVICES": ""}
"""All formats are compared where all of them compute."""


@dataclass(frozen=True)
class Answers:
    """The outputs (n, ...) of an export, and the wall seconds that it took for an example: alone, and in a batch."""

    outputs: NDArray[Any]
    seconds_alone: float
    seconds_in_batch: float


def answers(part: ExportFormat, folder: Path, inputs: NDArray[Any]) -> Answers:
    """Return what the export in `folder` says of `inputs` (n, ...), pixels or tokens. Raises `SettingError` where it cannot be
    loaded, or computed, in its own runtime."""
    with TemporaryDirectory(prefix="transfer_lab_") as place:
        given, said = Path(place) / "inputs.npy", Path(place) / "said.npz"
        np.save(given, inputs)
        # -P: this very folder has modules that are called as the runtimes are.
        told = (PROGRAM, folder / SCRIPT, given, said, as_taken(inputs[:1]).dtype)
        command = [sys.executable, "-P", *map(str, told)]
        done = subprocess.run(command, env={**QUIET, **os.environ, **ON_PROCESSOR}, capture_output=True, text=True, check=False)
        if done.returncode:
            lines = done.stderr.strip().splitlines() or [f"its process ended with code {done.returncode}"]
            raise part.refused(lines[-1])
        with np.load(said, allow_pickle=False) as found:
            return Answers(found["outputs"], *map(float, found["seconds"]))
