"""NVIDIA's GPUs as their driver tells of them (NVML). A figure that a GPU does not offer is None and disturbs no other."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pynvml

VISIBLE_VARIABLE = "CUDA_VISIBLE_DEVICES"
"""CUDA's own variable: indices or UUIDs of the GPUs that a program may use; empty for none."""


@dataclass(frozen=True)
class Gpu:
    """A GPU now: percent of the time in which it computed, bytes of memory (those of every program on it), watts, degrees
    Celsius."""

    uuid: str
    name: str
    percent: float | None
    memory_bytes: int | None
    memory_total_bytes: int | None
    watts: float | None
    celsius: float | None


class Unit:
    """What one program can have to itself: a GPU, or an instance of one that is divided (MIG)."""

    def __init__(self, handle: object) -> None:
        self._handle = handle
        self.uuid = str(pynvml.nvmlDeviceGetUUID(handle))
        self.name = str(_asked(pynvml.nvmlDeviceGetName, handle) or "GPU")

    def now(self) -> Gpu:
        """Return its present figures."""
        rates = _asked(pynvml.nvmlDeviceGetUtilizationRates, self._handle)
        memory = _asked(pynvml.nvmlDeviceGetMemoryInfo, self._handle)
        milliwatts = _asked(pynvml.nvmlDeviceGetPowerUsage, self._handle)
        celsius = _asked(pynvml.nvmlDeviceGetTemperature, self._handle, pynvml.NVML_TEMPERATURE_GPU)
        return Gpu(
            self.uuid,
            self.name,
            percent=None if rates is None else float(rates.gpu),
            memory_bytes=None if memory is None else int(memory.used),
            memory_total_bytes=None if memory is None else int(memory.total),
            watts=None if milliwatts is None else milliwatts / 1000,
            celsius=None if celsius is None else float(celsius),
        )

    def millijoules(self) -> int | None:
        """Return its energy (mJ) since the driver was loaded; None for GPUs before Volta and instances, which do not count it."""
        found = _asked(pynvml.nvmlDeviceGetTotalEnergyConsumption, self._handle)
        return None if found is None else int(found)


class Driver:
    """A connection with the driver. Where there is no driver it has no units."""

    def __init__(self) -> None:
        try:
            pynvml.nvmlInit()
        except pynvml.NVMLError:
            self._is_open = False
        else:
            self._is_open = True

    def __enter__(self) -> "Driver":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connection; after it every figure is None."""
        if self._is_open:
            self._is_open = False
            _asked(pynvml.nvmlShutdown)

    @property
    def version(self) -> str | None:
        """Return the version of the driver; None where there is none, or it does not tell."""
        return _asked(pynvml.nvmlSystemGetDriverVersion) if self._is_open else None

    def units(self) -> list[Unit]:
        """Return all units of the machine, in the driver's order (that of the slots, which is CUDA's if CUDA_DEVICE_ORDER is
        PCI_BUS_ID)."""
        count = _asked(pynvml.nvmlDeviceGetCount) or 0 if self._is_open else 0
        whole = [_asked(pynvml.nvmlDeviceGetHandleByIndex, index) for index in range(count)]
        found = [_asked(Unit, part) for handle in whole if handle is not None for part in _parts(handle)]
        return [unit for unit in found if unit is not None]

    def visible(self) -> list[Unit]:
        """Return those that `CUDA_VISIBLE_DEVICES` leaves to programs, in its order. Like in CUDA, the first that is none ends
        the list."""
        units, wanted = self.units(), os.environ.get(VISIBLE_VARIABLE)
        if wanted is None:
            return units
        found: list[Unit] = []
        for name in wanted.split(","):
            unit = _named(units, name.strip())
            if unit is None or unit in found:
                break
            found.append(unit)
        return found


class Integral:
    """The integral over time of what is read now and then, by trapezoids; None from the first reading that is missing."""

    def __init__(self) -> None:
        self._total: float | None = 0.0
        self._last: tuple[float, float] | None = None

    def add(self, at: float, value: float | None) -> float | None:
        """Return the integral so far, with `value` read at `at` seconds; None from the first missing value on."""
        if value is None or self._total is None:
            self._total = None
            return None
        if self._last is not None:
            before, old = self._last
            self._total += (at - before) * (old + value) / 2
        self._last = (at, value)
        return self._total


class Meter:
    """The energy of a unit since the meter was made: by the unit's own counter, without one by its power over time."""

    def __init__(self, unit: Unit, at: float) -> None:
        self._unit, self._start, self._power = unit, unit.millijoules(), Integral()
        if self._start is None:
            self._power.add(at, unit.now().watts)

    def joules(self, at: float, watts: float | None) -> float | None:
        """Return the energy (J) at `at` seconds, at which `watts` were read; None where it cannot be measured."""
        if self._start is None:
            return self._power.add(at, watts)
        counted = self._unit.millijoules()
        return None if counted is None or counted < self._start else (counted - self._start) / 1000


def _asked(function: Callable[..., Any], *arguments: object) -> Any:
    """Return what the driver answers; None where it does not."""
    try:
        return function(*arguments)
    except pynvml.NVMLError:
        return None


def _parts(handle: object) -> list[object]:
    """Return the instances of a divided GPU; the GPU itself where it is not divided."""
    mode = _asked(pynvml.nvmlDeviceGetMigMode, handle)
    if not mode or mode[0] != pynvml.NVML_DEVICE_MIG_ENABLE:
        return [handle]
    most = _asked(pynvml.nvmlDeviceGetMaxMigDeviceCount, handle) or 0
    found = [_asked(pynvml.nvmlDeviceGetMigDeviceHandleByIndex, handle, index) for index in range(most)]
    return [part for part in found if part is not None]


def _named(units: list[Unit], name: str) -> Unit | None:
    """Return the unit of that index, or whose UUID begins so; None where there is none."""
    if name.isdecimal():
        return units[int(name)] if int(name) < len(units) else None
    return next((unit for unit in units if name and unit.uuid.startswith(name)), None)
