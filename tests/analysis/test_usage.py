"""What a run used, told from its samples."""

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tl_core.analysis.usage import Usage, attempts, energy, gpus_of, spans, usage_of
from tl_core.events import Telemetry

NOTHING = Usage(None, None, None, None, None, None, None, None)


@dataclass(frozen=True)
class Sample:
    at: float
    data: dict[str, Any]


def sample(at: float, *, since: float | None = 0.0, memory: int = 10, **fields: Any) -> Sample:
    return Sample(at, Telemetry(cpu_percent=100.0, memory_bytes=memory, since=since, **fields).values())


def gpu(percent: float | None, memory: int | None = None) -> dict[str, Any]:
    return {"uuid": "GPU-a", "name": "NVIDIA H100", "percent": percent, "memory_bytes": memory}


def test_nothing_was_measured_of_a_run_without_samples() -> None:
    assert usage_of([]) == NOTHING
    assert spans([]) == []


def test_counters_of_all_attempts_are_added() -> None:
    """The second attempt counts from 0, and soon has more than the first one ever had."""
    samples = [
        sample(1, since=0.0, cpu_seconds=1.0, energy_joules=10.0, disk_read_bytes=5, disk_written_bytes=1),
        sample(2, since=0.0, cpu_seconds=3.0, energy_joules=20.0, disk_read_bytes=5, disk_written_bytes=2),
        sample(9, since=8.0, cpu_seconds=4.0, energy_joules=90.0, disk_read_bytes=0, disk_written_bytes=3),
    ]
    used = usage_of(samples)
    assert (used.cpu_seconds, used.gpu_energy_joules, used.disk_read_bytes, used.disk_written_bytes) == (7.0, 110.0, 5, 5)


@pytest.mark.parametrize("unmeasured", [0, 1])
def test_energy_of_a_part_is_not_the_energy(unmeasured: int) -> None:
    joules = [None if place == unmeasured else 5.0 for place in (0, 1)]
    assert usage_of([sample(1, since=0.0, energy_joules=joules[0]), sample(9, since=8.0, energy_joules=joules[1])]) == Usage(
        None, 10, None, None, None, None, None, None
    )


def test_the_mean_is_over_time() -> None:
    """A sample stands for the time before it: 1 s at 100 %, then 9 s at 0 %, and none for the pause."""
    samples = [
        sample(1.0, gpus=(gpu(100.0, 7),)),
        sample(10.0, gpus=(gpu(0.0, 9),)),
        sample(1010.0, since=1000.0, gpus=(gpu(None, 8), gpu(55.0, 4))),
    ]
    used = usage_of(samples)
    assert used.mean_gpu_percent == pytest.approx((1 * 100 + 9 * 0 + 10 * 55) / 20)
    assert (used.peak_gpu_percent, used.peak_gpu_memory_bytes) == (100.0, 12)


def test_what_early_versions_stored_is_read() -> None:
    old = {"cpu_percent": 90.0, "memory_bytes": 3, "gpu_percent": None, "gpu_memory_bytes": None}
    assert usage_of([Sample(5.0, old)]) == Usage(None, 3, None, None, None, None, None, None)
    samples = [Sample(5.0, old | {"gpu_percent": 40.0, "gpu_memory_bytes": 6}), Sample(6.0, old | {"gpu_percent": 60.0})]
    used = usage_of(samples)
    assert (used.mean_gpu_percent, used.peak_gpu_percent, used.peak_gpu_memory_bytes) == (60.0, 60.0, 6)
    assert gpus_of(old) == []
    assert gpus_of({"gpus": []}) == []


COUNTS = st.lists(st.lists(st.integers(0, 10**9), min_size=1, max_size=20), min_size=1, max_size=5)


@given(COUNTS)
def test_a_counter_is_the_sum_of_its_increments(increments: list[list[int]]) -> None:
    samples: list[Sample] = []
    for place, attempt in enumerate(increments):
        start = 1000.0 * place
        sums = [sum(attempt[: number + 1]) for number in range(len(attempt))]
        samples += [sample(start + n, since=start, disk_written_bytes=count) for n, count in enumerate(sums, start=1)]
    assert usage_of(samples).disk_written_bytes == sum(map(sum, increments))
    assert [len(attempt) for attempt in attempts(samples)] == [len(attempt) for attempt in increments]


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100)), min_size=1, max_size=40), st.booleans())
def test_the_mean_lies_between_the_least_and_the_most(readings: list[tuple[float, float]], timed: bool) -> None:
    samples, at = [], 1000.0
    for span, percent in readings:
        at += span
        samples.append(sample(at, since=1000.0 if timed else None, gpus=(gpu(percent),)))
    used, percents = usage_of(samples), [percent for _, percent in readings]
    assert used.mean_gpu_percent is not None
    assert min(percents) - 1e-6 <= used.mean_gpu_percent <= max(percents) + 1e-6
    assert used.peak_gpu_percent == max(percents)
    total = sum(span for span, _ in (readings if timed else readings[1:]))
    assert sum(spans(samples)) == pytest.approx(total, abs=1e-6)


@pytest.mark.parametrize(
    ("joules", "said"),
    [
        (None, "not measured"),
        (0.0, "0 J"),
        (3.14, "3.1 J"),
        (12.4, "12 J"),
        (999.4, "999 J"),
        (999.7, "0.28 Wh"),
        (1000.0, "0.28 Wh"),
        (4680.0, "1.3 Wh"),
        (35_990.0, "10 Wh"),
        (3_599_000.0, "1 kWh"),
        (8_640_000.0, "2.4 kWh"),
        (36_000_000_000.0, "10,000 kWh"),
    ],
)
def test_energy_in_words(joules: float | None, said: str) -> None:
    assert energy(joules) == said


@given(st.floats(0, 1e12))
def test_energy_reads_without_exponents(joules: float) -> None:
    number, unit = energy(joules).split()
    assert "e" not in number
    assert float(number.replace(",", "")) * {"J": 1, "Wh": 3600, "kWh": 3.6e6}[unit] == pytest.approx(joules, rel=0.06, abs=0.01)
