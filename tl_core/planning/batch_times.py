"""How long training steps of a network take with each of Keras' backends, each in a process of its own: a process has one."""

import subprocess
import sys
from collections.abc import Iterator

from tl_core import backbones
from tl_core.backbones import Backbone
from tl_core.errors import RunError, printable
from tl_core.machine import backends
from tl_core.planning.backbone_profile import seconds_of, training_step
from tl_core.precision import Precision
from tl_core.spec import PartSpec
from tl_core.system import processes

COMMAND = "time-batches"
"""The hidden command that is such a process."""


def times(backend: str, backbone: Backbone, size: int, batches: int) -> Iterator[float]:
    """Yield the seconds of each of so many training steps of `backbone`, from random weights, as they are measured; the first one
    compiles. Raises `RunError` where the process ends before it has done them."""
    arguments = [COMMAND, backbone.spec().model_dump_json(), str(size), str(batches)]
    done = 0
    with subprocess.Popen(
        [sys.executable, "-m", "tl_core", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**processes.surroundings(), backends.BACKEND_VARIABLE: backend},
    ) as process:
        assert process.stdout is not None
        said = f"it said nothing after {COMMAND}"
        for line in process.stdout:
            try:
                yield float(line)
                done += 1
            except ValueError:  # what libraries say as they are imported, and in the end why they fail
                said = line.strip() or said
    if done < batches:
        raise RunError(
            f"It ended after {done} of {batches} batches ({printable(said[:200])}).", "Install it anew.", received=backend
        )


def measured(backbone_json: str, size: int, batches: int) -> Iterator[float]:
    """Yield the seconds of each of so many training steps with the backend of this process."""
    from tl_core.networks.classifier import compiling

    backends.compute_in(Precision.FLOAT32)
    network = backbones.build(PartSpec.model_validate_json(backbone_json)).load(size, pretrained=False)
    step = training_step(network, compiling(xla=False))
    for _ in range(batches):
        yield seconds_of(step)
