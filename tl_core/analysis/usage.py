"""What a run used of its machine, from the samples that were stored while it ran."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Protocol

import numpy as np


class Sample(Protocol):
    """A stored `telemetry` event: when it was taken (seconds since 1970), and its fields."""

    @property
    def at(self) -> float: ...
    @property
    def data(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True)
class Usage:
    """What a run used, all its attempts together; None is "not measured".

    GPU percent: the mean over time and over its GPUs, and the most of any of them. GPU memory: the most that all of them
    held at one moment. Peaks are of the samples, between which more may have been held.
    """

    cpu_seconds: float | None
    peak_memory_bytes: int | None
    mean_gpu_percent: float | None
    peak_gpu_percent: float | None
    peak_gpu_memory_bytes: int | None
    gpu_energy_joules: float | None
    disk_read_bytes: int | None
    disk_written_bytes: int | None


def usage_of(samples: Sequence[Sample]) -> Usage:
    """Return the use by a run, from its `telemetry` events in order."""
    tries = attempts(samples)
    memory = [sample.data["memory_bytes"] for sample in samples]
    shares = [_share(sample) for sample in samples]
    busiest = [gpu["percent"] for sample in samples for gpu in gpus_of(sample.data) if gpu.get("percent") is not None]
    held = [_gpu_memory(sample) for sample in samples]
    return Usage(
        cpu_seconds=_counted(tries, "cpu_seconds"),
        peak_memory_bytes=max(memory, default=None),
        mean_gpu_percent=_mean(shares, [span for attempt in tries for span in spans(attempt)]),
        peak_gpu_percent=max(busiest, default=None),
        peak_gpu_memory_bytes=max((value for value in held if value is not None), default=None),
        gpu_energy_joules=_counted(tries, "energy_joules"),
        disk_read_bytes=_counted(tries, "disk_read_bytes"),
        disk_written_bytes=_counted(tries, "disk_written_bytes"),
    )


def attempts(samples: Sequence[Sample]) -> list[list[Sample]]:
    """Return the samples of each attempt: a run that was paused goes on in a new process, which counts anew."""
    return [list(group) for _, group in groupby(samples, key=lambda sample: sample.data.get("since"))]


def spans(attempt: Sequence[Sample]) -> list[float]:
    """Return the seconds that each sample of an attempt stands for: those since the one before it, or since counting began."""
    first = attempt[0].data.get("since") if attempt else None
    times = [attempt[0].at if first is None else first, *(sample.at for sample in attempt)] if attempt else []
    return [max(0.0, float(span)) for span in np.diff(times)]


def gpus_of(data: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the GPUs in a `telemetry` event. Early versions stored one, without its name."""
    if data.get("gpu_percent") is not None or data.get("gpu_memory_bytes") is not None:
        return [{"uuid": "", "name": "GPU", "percent": data.get("gpu_percent"), "memory_bytes": data.get("gpu_memory_bytes")}]
    return data.get("gpus") or []


def energy(joules: float | None) -> str:
    """Return "12 J", "0.28 Wh", "1.3 Wh", "2.4 kWh", or "not measured"."""
    if joules is None:
        return "not measured"
    if joules < 999.5:
        return f"{_two_digits(joules)} J"
    hours = joules / 3600
    return f"{_two_digits(hours)} Wh" if hours < 999.5 else f"{_two_digits(hours / 1000)} kWh"


def _two_digits(value: float) -> str:
    return "0" if value < 0.01 else f"{value:.2g}" if value < 9.95 else f"{value:,.0f}"


def _counted(tries: Sequence[Sequence[Sample]], field: str) -> Any:
    """Return the sum of a counter over all attempts; None unless it was read in each, since a part would pass for the whole."""
    ends = [attempt[-1].data.get(field) for attempt in tries]
    known = [end for end in ends if end is not None]
    return sum(known) if known and len(known) == len(ends) else None


def _share(sample: Sample) -> float | None:
    known = [gpu["percent"] for gpu in gpus_of(sample.data) if gpu.get("percent") is not None]
    return sum(known) / len(known) if known else None


def _gpu_memory(sample: Sample) -> int | None:
    known = [gpu["memory_bytes"] for gpu in gpus_of(sample.data) if gpu.get("memory_bytes") is not None]
    return sum(known) if known else None


def _mean(values: Sequence[float | None], weights: Sequence[float]) -> float | None:
    """Return the weighted mean of what is known; each counts the same where all weights are 0."""
    known = [(value, weight) for value, weight in zip(values, weights, strict=True) if value is not None]
    total = sum(weight for _, weight in known)
    if total > 0:
        return sum(value * weight for value, weight in known) / total
    return sum(value for value, _ in known) / len(known) if known else None
