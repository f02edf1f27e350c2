"""A backbone measured on this machine: its outline, and how fast it goes. Kept, since it does not change.

It is made in a process of its own, because it needs Keras and the process that serves pages has none.
"""

import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Self

from pydantic import TypeAdapter

from tl_core import backbones, processes
from tl_core.backbones import Backbone, Outline
from tl_core.errors import StorageError
from tl_core.executors import local
from tl_core.spec import PartSpec
from tl_core.storage import write_whole

BATCHES = 8
"""The fastest of so many batches counts: the slower ones measure what else the machine was doing."""
GIVEN_UP_SECONDS = 120
"""A probe that has not come by then is asked for again."""


@dataclass(frozen=True)
class Probe:
    """The outline of a backbone at one image size; how many images a second go forward through it here; and the
    seconds that starting Python, Keras and the network took."""

    outline: Outline
    images_per_second: float
    starting_seconds: float

    @classmethod
    def read(cls, home: Path, backbone: Backbone, image_size: int) -> Self | None:
        """The kept probe, or None where there is none yet."""
        try:
            return TypeAdapter(cls).validate_json(_file(home, backbone, image_size).read_bytes())
        except (FileNotFoundError, ValueError):
            return None


def request(home: Path, backbone: Backbone, image_size: int) -> None:
    """Have the probe made in the background, unless that was asked for a moment ago.

    Where the disk does not allow it there is no probe: a page without an estimate is better than none.
    """
    marker = _file(home, backbone, image_size).with_suffix(".asked")
    command = ["probe", backbone.spec().model_dump_json(), str(image_size)]
    with contextlib.suppress(OSError, StorageError):
        marker.parent.mkdir(parents=True, exist_ok=True)
        if marker.exists() and time.time() - marker.stat().st_mtime > GIVEN_UP_SECONDS:
            marker.unlink(missing_ok=True)
        os.close(os.open(marker, os.O_CREAT | os.O_EXCL | os.O_WRONLY))  # of many browsers one asks
        local.watch(processes.spawn(command, home, marker.with_suffix(".log")))


def measure(home: Path, backbone_json: str, image_size: int) -> None:
    """Load the network with random weights, send a few batches through it, and keep what came of it."""
    import numpy as np
    import psutil

    backbone = backbones.build(PartSpec.model_validate_json(backbone_json))
    network = backbone.load(image_size, pretrained=False)
    pixels = np.zeros((32, image_size, image_size, 3), np.float32)
    network.model.predict_on_batch(pixels)  # compiles
    starting = time.time() - psutil.Process().create_time()
    rate = len(pixels) / min(seconds_of(lambda: network.model.predict_on_batch(pixels)) for _ in range(BATCHES))
    probe = TypeAdapter(Probe).dump_json(Probe(network.outline(), rate, starting))
    write_whole(_file(home, backbone, image_size), lambda path: path.write_bytes(probe))


def seconds_of(work: Callable[[], object]) -> float:
    """Wall seconds that `work` takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def file_of(home: Path, kind: str, backbone: Backbone, image_size: int) -> Path:
    """Where what was measured of a backbone at an image size is kept; `kind` is a folder."""
    key = sha256(f"{backbone.name} {backbone.model_dump_json()} {image_size}".encode()).hexdigest()[:16]
    return home / kind / f"{key}.json"


def _file(home: Path, backbone: Backbone, image_size: int) -> Path:
    return file_of(home, "probes", backbone, image_size)
