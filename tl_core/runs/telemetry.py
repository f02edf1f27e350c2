"""What the machine is doing: processor, memory, and GPUs where there are any."""

import contextlib
import os
from dataclasses import dataclass

import psutil
import pynvml

from tl_core.events import Telemetry


@dataclass(frozen=True)
class Gpu:
    """A GPU now: its name, memory in bytes, and use in percent."""

    name: str
    memory_total: int
    memory_used: int
    percent: float


def gpus() -> list[Gpu]:
    """The GPUs that NVIDIA's driver reports; none where there is no driver."""
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return []
    try:
        return [_gpu(pynvml.nvmlDeviceGetHandleByIndex(index)) for index in range(pynvml.nvmlDeviceGetCount())]
    except pynvml.NVMLError:
        return []
    finally:
        with contextlib.suppress(pynvml.NVMLError):
            pynvml.nvmlShutdown()


def device() -> str:
    """What a run started now would train on, for people: "CPU, 2 cores", or a GPU and its free memory."""
    found = gpus()
    if not found:
        return f"CPU, {len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()} cores"
    gpu = found[0]
    free = (gpu.memory_total - gpu.memory_used) / 1e9
    return f"{gpu.name}, {free:.0f} of {gpu.memory_total / 1e9:.0f} GB free"


class Sampler:
    """Samples this process and the first GPU. The first sample's processor use covers the time since it was made."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._process.cpu_percent()

    def sample(self) -> Telemetry:
        """Use since the last sample."""
        found = gpus()
        gpu = found[0] if found else None
        return Telemetry(
            cpu_percent=self._process.cpu_percent(),
            memory_bytes=self._process.memory_info().rss,
            gpu_percent=gpu.percent if gpu else None,
            gpu_memory_bytes=gpu.memory_used if gpu else None,
        )


def _gpu(handle: object) -> Gpu:
    memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
    name = pynvml.nvmlDeviceGetName(handle)
    return Gpu(str(name), int(memory.total), int(memory.used), float(pynvml.nvmlDeviceGetUtilizationRates(handle).gpu))
