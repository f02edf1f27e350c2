"""What the machine is doing, and what a run uses of it."""

import math
import os
import re
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from tl_core.events import Telemetry
from tl_core.machine.backends import CPU
from tl_core.machine.gpus import Driver, Gpu, Meter
from tl_core.machine.process_tree import Tree

SPACING_SECONDS = 1.0
"""How far apart stored samples lie at first,"""
SPACING_SHARE = 1 / 1000
"""and later, as a share of the run's age: an hour makes some 2,300 samples, ten hours 4,600."""
VMSTAT = Path("/proc/vmstat")
MAKERS_GB = 2**30
"""Bytes in what makers of GPUs call a GB."""


@dataclass(frozen=True)
class Device:
    """What one run holds while it trains: a GPU, whose UUID is the `id`, or the processor, which is `CPU`."""

    id: str
    title: str
    is_gpu: bool


def gpus() -> list[Gpu]:
    """Return the GPUs that a run may use (`CUDA_VISIBLE_DEVICES`); none where there is no driver."""
    with Driver() as driver:
        return [unit.now() for unit in driver.visible()]


def devices() -> list[Device]:
    """Return what runs can hold, one run each: every GPU that they may use, or else the processor."""
    return [Device(gpu.uuid, _titled(gpu), True) for gpu in gpus()] or [Device(CPU, _processor(), False)]


def described() -> dict[str, str]:
    """Return what each device is called now, by its id, for people: "CPU, 2 cores", or "NVIDIA H100, 71 of 80 GB free"."""
    return {gpu.uuid: _with_room(gpu) for gpu in gpus()} or {CPU: _processor()}


def _with_room(gpu: Gpu) -> str:
    used, total = gpu.memory_bytes, gpu.memory_total_bytes
    if used is None or total is None:
        return _titled(gpu)
    return f"{_name(gpu)}, {(total - used) / MAKERS_GB:.0f} of {total / MAKERS_GB:.0f} GB free"


def spacing(age: float) -> float:
    """Return the seconds between stored samples of a run that is `age` seconds old."""
    return max(SPACING_SECONDS, age * SPACING_SHARE)


class Sampler:
    """Samples this process with all its children, the machine, and GPUs.

    `home` is the folder whose disk is watched, `devices` the UUIDs of the GPUs that the run holds. Without any, the GPUs that
    it may use are sampled as the machine's, and no energy is told: other programs may have taken it. `close` it after use.
    """

    def __init__(self, home: Path, devices: Sequence[str] = ()) -> None:
        self._home, self._driver, self._tree = home, Driver(), Tree()
        self._since, self._made, self._kept = time.time(), time.monotonic(), -math.inf
        held = [unit for unit in self._driver.units() if unit.uuid in devices]
        self._units = held if devices else self._driver.visible()
        # A sum that lacks one of the run's GPUs would pass for the energy of all.
        self._meters = [Meter(unit, self._made) for unit in held] if len(held) == len(devices) else []
        self._run, self._machine = _Share(0.0, self._made), _Share(*_machine_seconds())
        self._due = False

    def sample(self) -> Telemetry:
        """Measure the present use; percentages are of the time since the last sample that was to be stored."""
        now = time.monotonic()
        self._due = now - self._kept >= spacing(now - self._made)
        used = self._tree.used(search=self._due)
        memory = psutil.virtual_memory()
        found = [unit.now() for unit in self._units]
        return Telemetry(
            cpu_percent=self._run.percent(used.cpu_seconds, now),
            memory_bytes=used.memory_bytes,
            since=self._since,
            cpu_seconds=used.cpu_seconds,
            disk_read_bytes=used.read_bytes,
            disk_written_bytes=used.written_bytes,
            cores=os.cpu_count(),
            machine_cpu_percent=self._machine.percent(*_machine_seconds()),
            memory_available_bytes=memory.available,
            memory_total_bytes=memory.total,
            disk_free_bytes=_free_bytes(self._home),
            oom_kills=oom_kills(),
            gpus=tuple(asdict(gpu) for gpu in found),
            energy_joules=self._joules(now, found),
        )

    def due(self) -> bool:
        """Return whether the sample just taken is one to store. A run needs many at its start and fewer later; those between make
        the energy of GPUs without a counter exact."""
        due, self._due = self._due, False
        if due:
            self._kept = time.monotonic()
            self._run.mark()
            self._machine.mark()
        return due

    def leave_gpus(self) -> None:
        """Sample no GPUs from now on: what they do is not this run's."""
        self._units, self._meters = [], []

    def close(self) -> None:
        """Let go of the driver."""
        self._driver.close()

    def _joules(self, now: float, found: Sequence[Gpu]) -> float | None:
        joules = [meter.joules(now, gpu.watts) for meter, gpu in zip(self._meters, found, strict=False)]
        measured = [value for value in joules if value is not None]
        return sum(measured) if measured and len(measured) == len(joules) else None


class _Share:
    """What one growing count is of another, in percent, since a mark."""

    def __init__(self, part: float, whole: float) -> None:
        self._last = self._mark = (part, whole)

    def percent(self, part: float, whole: float) -> float:
        self._last = (part, whole)
        grown = whole - self._mark[1]
        return max(0.0, 100 * (part - self._mark[0]) / grown) if grown > 0 else 0.0

    def mark(self) -> None:
        self._mark = self._last


def _machine_seconds() -> tuple[float, float]:
    """Return the seconds that all cores together worked, and the seconds that they were there. psutil's own percentage starts
    anew in each thread."""
    times: Any = psutil.cpu_times()
    whole = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)  # which count twice
    return whole - times.idle - getattr(times, "iowait", 0.0), whole


def _free_bytes(folder: Path) -> int | None:
    try:
        return int(psutil.disk_usage(str(folder)).free)
    except OSError:
        return None


def oom_kills() -> int | None:
    """Return how many processes Linux has ended for want of memory since it started; None where it does not say."""
    try:
        lines = VMSTAT.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), None)


def usable_cores() -> int:
    """Return on how many cores of the processor this process may compute."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor() -> str:
    count = usable_cores()
    return f"CPU, {count} core{'' if count == 1 else 's'}"


def _name(gpu: Gpu) -> str:
    """Return the driver's name for it without the memory that some have in it: "NVIDIA H100 80GB HBM3" is an "NVIDIA H100"."""
    return re.sub(r"[ -]\d+GB(?: HBM\w*)?", "", gpu.name)


def _titled(gpu: Gpu) -> str:
    total = gpu.memory_total_bytes
    return _name(gpu) if total is None else f"{_name(gpu)}, {total / MAKERS_GB:.0f} GB"
