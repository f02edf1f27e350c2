"""A backbone measured on this machine: its outline, and how fast it goes. Kept, since it does not change.

It is made in a process of its own, because it needs Keras and the process that serves pages has none.
"""

import contextlib
import os
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

import psutil

from tl_core import backbones
from tl_core.backbones import Backbone, Outline
from tl_core.errors import SettingError, StorageError, TransferError
from tl_core.executors import local
from tl_core.jobs import background
from tl_core.machine import backends
from tl_core.networks.outline import COUNTING
from tl_core.networks.sublayers import is_batch_norm
from tl_core.precision import Precision
from tl_core.spec import PartSpec
from tl_core.system import processes
from tl_core.system.adapters import adapter
from tl_core.system.settings import cache_folder

if TYPE_CHECKING:
    from tl_core.networks.outline import Network

BATCH = 32
TIMES = 4
"""The fastest of so many batches counts: the slower ones measure what else the machine was doing."""
CLASSES = 16
HEAD_SHAPE = 4096, 1280, 40
PROCESS = Path("/proc/self/status")
"""What Linux tells of this process."""
GIVEN_UP_SECONDS = 120
"""A probe that has not come by then is asked for again, and is no longer waited for."""
POLL_SECONDS = 0.25


@dataclass(frozen=True)
class BackboneProfile:
    """A backbone at one image size, as it was measured on this machine in float32.

    `outline` is the network. `frozen_rate` is how many images a second go through its inference engine, `trained_rate` how
    many passes a second training does, of which an image takes three (`cost_model`); `frozen_first` and `trained_first`
    are the seconds that the first batch of each takes more, until what computes it is made. `starting_seconds` passed until
    Python and Keras were there, `loading_seconds` more until the network was, and `converting_seconds` is what its first
    conversion for the engine takes. `head_rate` is how many multiply-adds a second a head is computed with, on one thread.
    `idle_bytes` of memory were in use then, `frozen_bytes` more with the engine at work, and `trained_bytes` more again with
    a training step of `BATCH` images.
    """

    outline: Outline
    frozen_rate: float
    frozen_first: float
    trained_rate: float
    trained_first: float
    starting_seconds: float
    loading_seconds: float
    converting_seconds: float
    head_rate: float
    idle_bytes: int
    frozen_bytes: int
    trained_bytes: int

    @classmethod
    def read(cls, home: Path, backbone: Backbone, size: int) -> Self | None:
        """Return the kept probe, or None where there is none yet."""
        try:
            return adapter(cls).validate_json(_file(home, backbone, size).read_bytes())
        except (FileNotFoundError, ValueError):
            return None


def request(home: Path, backbone: Backbone, size: int) -> None:
    """Start the probe in the background, unless that was asked for a moment ago.

    Where the disk or the environment does not allow it there is no probe: a page without an estimate is better than none.
    """
    marker = _file(home, backbone, size).with_suffix(".asked")
    command = ["probe", backbone.spec().model_dump_json(), str(size)]
    with contextlib.suppress(OSError, StorageError, SettingError):
        backends.require_importable()
        marker.parent.mkdir(parents=True, exist_ok=True)
        if marker.exists() and abs(time.time() - marker.stat().st_mtime) > GIVEN_UP_SECONDS:
            marker.unlink(missing_ok=True)
        os.close(os.open(marker, os.O_CREAT | os.O_EXCL | os.O_WRONLY))  # of many browsers one asks
        local.watch(processes.spawn(command, home, marker.with_suffix(".log")))


def awaited(home: Path, backbone: Backbone, size: int, begun: Callable[[], object]) -> BackboneProfile | None:
    """Return the kept probe. Where there is none the network is measured now, which `begun` is told, and waited for; None where
    nothing could measure it, or it has not come within `GIVEN_UP_SECONDS`."""
    found = BackboneProfile.read(home, backbone, size)
    if found or not backends.is_importable():
        return found
    begun()
    request(home, backbone, size)
    end = time.monotonic() + GIVEN_UP_SECONDS
    while (found := BackboneProfile.read(home, backbone, size)) is None and time.monotonic() < end:
        time.sleep(POLL_SECONDS)
    return found


def measure(home: Path, backbone_json: str, size: int) -> None:
    """Measure the network: load it, send a few batches through it, train on as many, and keep what came of it.

    Its weights do not matter here; but where they are on this machine, what the engine makes of them is kept for the runs.
    """
    from tl_core.features.engines import kept_in
    from tl_core.networks.classifier import compiling

    backbone = backbones.build(PartSpec.model_validate_json(backbone_json))
    starting, began = time.time() - psutil.Process().create_time(), time.perf_counter()
    backends.compute_in(Precision.FLOAT32)
    network = _loaded(backbone, size)
    loading, idle = time.perf_counter() - began, _memory()
    engine = partial(frozen_pass, network, Precision.FLOAT32, cache_folder(home))
    kept = set(kept_in(cache_folder(home)).glob("*"))
    converting = seconds_of(engine)
    was_converted = kept == set(kept_in(cache_folder(home)).glob("*"))
    frozen = _pace(engine)
    with_frozen = _memory()
    _freeze_norms(network)
    trained = _pace(lambda: training_step(network, compiling(xla=False)))
    with_training = _memory()
    if was_converted:
        converting = seconds_of(partial(frozen_pass, network, Precision.FLOAT32))
    probe = BackboneProfile(
        network.outline(),
        frozen_rate=frozen.rate,
        frozen_first=frozen.first,
        trained_rate=3 * trained.rate,
        trained_first=trained.first,
        starting_seconds=starting,
        loading_seconds=loading,
        converting_seconds=max(0.0, converting - frozen.first),
        head_rate=_head_rate(),
        idle_bytes=idle,
        frozen_bytes=with_frozen - idle,
        trained_bytes=with_training - with_frozen,
    )
    background.write(_file(home, backbone, size), probe)


def _head_rate() -> float:
    """Return the multiply-adds a second of the products that computing a head is made of: of many images, and few classes."""
    import numpy as np

    from tl_core.heads.threads import single_thread

    images, features, classes = HEAD_SHAPE
    points, kernel = np.ones((images, features), np.float32), np.ones((features, classes), np.float32)
    with single_thread():
        return images * features * classes / min(seconds_of(lambda: points @ kernel) for _ in range(TIMES))


def _loaded(backbone: Backbone, size: int) -> "Network":
    try:
        backbone.require_weights()
        return backbone.load(size, pretrained=True)
    except TransferError:
        return backbone.load(size, pretrained=False)


def frozen_pass(network: "Network", precision: Precision, cache: Path | None = None) -> Callable[[], object]:
    """Return a function that sends `BATCH` examples through the inference engine of a network."""
    import numpy as np

    from tl_core.features import engines
    from tl_core.features.frozen import frozen_part

    part = frozen_part(network.model, network.graph, bfloat16=precision.in_bfloat16)
    engine = part.prepare(engines.kept_in(cache) if cache else None)
    inputs = [np.ones(engine.shape, engine.dtype)] * (BATCH // engine.batch)
    return lambda: list(engine.run(inputs))


def training_step(network: "Network", xla: bool | str) -> Callable[[], object]:
    """Return a function that trains all of a network, and a head on it, for one step of `BATCH` examples."""
    import numpy as np

    from tl_core.strategies import Classifier

    model = Classifier.on(network.model.input, network.model.output, CLASSES).model
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", jit_compile=xla)
    inputs = np.ones((BATCH, *model.input.shape[1:]), model.input.dtype)
    return lambda: model.train_on_batch(inputs, np.arange(BATCH) % CLASSES)


def _freeze_norms(network: "Network") -> None:
    """Freeze BatchNorm, as most strategies do: twice as many variables would take three times as long to compile."""
    for layer in network.model._flatten_layers():
        if is_batch_norm(layer):
            layer.trainable = False


class _Pace(NamedTuple):
    """Images a second, and how many seconds more the first batch takes."""

    rate: float
    first: float


def _pace(make: Callable[[], Callable[[], object]]) -> _Pace:
    """Return how many images a second go through what `make` makes, and how many seconds more the first batch takes."""
    began = time.perf_counter()
    work = make()
    work()
    first = time.perf_counter() - began
    least = min(seconds_of(work) for _ in range(TIMES))
    return _Pace(BATCH / least, max(0.0, first - least))


def _memory() -> int:
    """Return the most bytes of memory that this process has had. Linux' getrusage would count that of whoever started it."""
    lines = PROCESS.read_text(encoding="utf-8").splitlines() if PROCESS.exists() else []
    told = [int(line.split()[1]) for line in lines if line.startswith("VmHWM:")]
    return (*told, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)[0] * (1 if sys.platform == "darwin" else 1024)


def seconds_of(work: Callable[[], object]) -> float:
    """Return the wall seconds that `work` takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def file_of(home: Path, kind: str, backbone: Backbone, *decisive: int) -> Path:
    """Return where a backbone's measurement of a `kind` (a folder) is kept. Of what is `decisive` the image size comes first."""
    key = sha256(" ".join([backbone.name, backbone.content, *map(str, decisive)]).encode()).hexdigest()[:16]
    return home / kind / f"{key}.json"


def _file(home: Path, backbone: Backbone, size: int) -> Path:
    return file_of(home, "probes", backbone, size, COUNTING)
