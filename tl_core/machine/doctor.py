"""What computes on this machine, and why a GPU that is there does not: facts, which the command `doctor` words."""

import subprocess
import sys
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata
from pathlib import Path

from tl_core.errors import SettingError, printable
from tl_core.machine import backends
from tl_core.machine.gpus import Driver
from tl_core.system import processes

SLOTS = Path("/sys/bus/pci/devices")
"""Where Linux tells what is in the machine, whether there is a driver for it or not."""
NVIDIA, DISPLAY = "0x10de", "0x03"
"""NVIDIA's number as a maker, and how the class of a device begins that draws or computes."""
ASK = "from tl_core.machine import backends; print(backends.device())"
HANGS_SECONDS = 300


class Finding(StrEnum):
    """What is the matter with this machine."""

    COMPUTES = "computes"
    """Keras' backend computes on a GPU."""
    NO_GPU = "no_gpu"
    """There is no GPU of NVIDIA's."""
    NO_DRIVER = "no_driver"
    """There is one, and no driver that answers."""
    HIDDEN = "hidden"
    """The driver has one, and CUDA_VISIBLE_DEVICES leaves none to programs."""
    UNSEEN = "unseen"
    """Programs may use one, and Keras' backend computes on the processor."""
    BROKEN = "broken"
    """Keras cannot be imported, or cannot train."""


@dataclass(frozen=True)
class Examination:
    """This machine as Keras finds it.

    `backend` is the one that Keras is to take, by what `chosen_by` says; `versions` are those of all that networks can be trained
    with, None where one is not installed. `driver` is the version of NVIDIA's; `gpus` are the names of all GPUs that it has,
    `visible` of those that programs may use, and `in_slots` counts those in the machine. `device` is what the backend computes
    on, None where it could not be asked, and `problem` says why.
    """

    backend: str
    chosen_by: str
    versions: dict[str, str | None]
    driver: str | None
    gpus: tuple[str, ...]
    visible: tuple[str, ...]
    in_slots: int
    device: str | None
    problem: str

    @property
    def finding(self) -> Finding:
        """Return what is the matter."""
        if self.problem:
            return Finding.BROKEN
        if self.device == backends.GPU:
            return Finding.COMPUTES
        if self.visible:
            return Finding.UNSEEN
        if self.gpus:
            return Finding.HIDDEN
        return Finding.NO_DRIVER if self.in_slots else Finding.NO_GPU


def examine(slots: Path = SLOTS) -> Examination:
    """Return what is found. Keras is imported in a process of its own, which takes seconds."""
    with Driver() as driver:
        version, units, visible = driver.version, driver.units(), driver.visible()
    name = chosen_by = ""
    device, problem = None, ""
    try:
        name, chosen_by = backends.wanted()
        backends.require_importable()
        device, problem = _device()
    except SettingError as error:
        problem = str(error)
    return Examination(
        backend=name,
        chosen_by=chosen_by,
        versions={each: _version(each) for each in backends.REQUIREMENTS},
        driver=version,
        gpus=tuple(unit.name for unit in units),
        visible=tuple(unit.name for unit in visible),
        in_slots=sum(map(_is_gpu, slots.glob("*"))),
        device=device,
        problem=problem,
    )


def _device() -> tuple[str | None, str]:
    """Return what Keras' backend computes on, or None and the last line of what it said instead."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", ASK],
            capture_output=True,
            text=True,
            env=processes.surroundings(),
            timeout=HANGS_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None, f"Keras had not been imported after {HANGS_SECONDS} seconds."
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"It ended with code {done.returncode}."])[-1]
        return None, printable(f"Keras cannot be imported ({last}).")
    return done.stdout.split()[-1], ""


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _is_gpu(slot: Path) -> bool:
    try:
        vendor, kind = ((slot / fact).read_text(encoding="utf-8").strip() for fact in ("vendor", "class"))
    except OSError:
        return False
    return vendor == NVIDIA and kind.startswith(DISPLAY)
