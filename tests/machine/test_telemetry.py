"""What the machine says of itself, and what a run is seen to use.

No GPU was at hand. What the driver would say is said by a stand-in, a C library under the driver's own name that answers
with fixed values: it takes the real `nvidia-ml-py` through its real calls, but proves nothing about a real GPU.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers import python, wait_until
from tests.tools.driver import make_driver
from tl_core.machine import telemetry
from tl_core.machine.gpus import VISIBLE_VARIABLE, Integral
from tl_core.machine.telemetry import Device, Sampler, described, devices, gpus, spacing

BUSY = "import time\nwhile time.process_time() < 0.4: pass\ntime.sleep(60)"
ASKS = """
import json, sys, time
from dataclasses import asdict
from pathlib import Path
from tl_core.machine.telemetry import Sampler, described, devices, gpus
sampler = Sampler(Path.cwd(), sys.argv[1:])
begun = time.monotonic()
samples = [sampler.sample().values()]
time.sleep(0.1)
samples.append(sampler.sample().values())
seconds = time.monotonic() - begun
sampler.close()
sampler.close()
closed = sampler.sample().values()
told = {"gpus": [asdict(gpu) for gpu in gpus()], "devices": [asdict(each) for each in devices()], "described": described()}
print(json.dumps(told | {"samples": samples, "closed": closed, "seconds": seconds}))
"""

Asked = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    """What a process that finds the stand-in for NVIDIA's driver tells of a run that holds `devices`."""
    folder = make_driver(tmp_path_factory.mktemp("driver"))

    def ask(*devices: str, **variables: str) -> dict[str, Any]:
        done = python(ASKS, *devices, LD_LIBRARY_PATH=str(folder), **variables)
        assert done.code == 0, done.err
        told: dict[str, Any] = done.json
        return told

    return ask


@pytest.fixture
def sampler(tmp_path: Path) -> Sampler:
    return Sampler(tmp_path)


def work(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def disk_bytes() -> int | None:
    """What the kernel says that this process wrote."""
    file = Path("/proc/self/io")
    counts = dict(line.split(": ") for line in file.read_text().splitlines()) if file.exists() else {}
    return int(counts["write_bytes"]) if counts else None


def test_a_busy_process_is_seen(sampler: Sampler) -> None:
    work(0.3)
    sample = sampler.sample()
    assert sample.cpu_percent > 1  # of a busy machine a test gets little
    assert sample.cpu_seconds is not None
    assert 0.28 <= sample.cpu_seconds < 3
    assert 1e7 < sample.memory_bytes < 1e12


def test_children_count_while_they_live_and_after(sampler: Sampler) -> None:
    child = subprocess.Popen([sys.executable, "-c", BUSY])
    try:
        wait_until(lambda: sum(psutil.Process(child.pid).cpu_times()[:2]) >= 0.3)
        own = psutil.Process().memory_info().rss
        both = sampler.sample()  # due, being the first, so that children are looked for
    finally:
        child.kill()
        child.wait()
    after = sampler.sample()
    assert both.memory_bytes > own + 1e6
    assert both.cpu_seconds is not None
    assert after.cpu_seconds is not None
    rounding = 1e-9  # a difference of two readings is given
    assert 0.3 - rounding <= both.cpu_seconds <= after.cpu_seconds
    assert after.memory_bytes < both.memory_bytes


def test_what_is_written_is_counted(tmp_path: Path, sampler: Sampler) -> None:
    before = disk_bytes()
    with (tmp_path / "work").open("wb") as file:
        file.write(os.urandom(1 << 22))
        file.flush()
        os.fsync(file.fileno())
    sample, after = sampler.sample(), disk_bytes()
    if before is None or after is None:
        assert (sample.disk_read_bytes, sample.disk_written_bytes) == (None, None)
    else:  # a folder in memory counts nothing, on either side
        assert sample.disk_written_bytes == pytest.approx(after - before, abs=1 << 20)
        assert sample.disk_read_bytes is not None
        assert sample.disk_read_bytes >= 0


def test_the_machine_is_seen(sampler: Sampler) -> None:
    work(0.2)
    sample = sampler.sample()
    assert sample.cores == os.cpu_count()
    assert sample.machine_cpu_percent is not None
    assert 0 < sample.machine_cpu_percent <= 100.5
    assert sample.memory_available_bytes is not None
    assert sample.memory_total_bytes is not None
    assert 0 < sample.memory_available_bytes <= sample.memory_total_bytes
    assert sample.since == pytest.approx(time.time(), abs=30)
    json.dumps(sample.values())


def test_what_cannot_be_read_is_not_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "VMSTAT", tmp_path / "none")
    sample = Sampler(tmp_path / "gone").sample()
    assert (sample.oom_kills, sample.disk_free_bytes) == (None, None)
    telemetry.VMSTAT.write_text("nr_free_pages 5\noom_kill 3\noom_killer 9\n")
    assert Sampler(tmp_path).sample().oom_kills == 3
    telemetry.VMSTAT.write_text("nr_free_pages 5\n")
    assert Sampler(tmp_path).sample().oom_kills is None


def test_the_first_sample_is_due_and_the_next_only_after_a_second(sampler: Sampler) -> None:
    assert not sampler.due()
    sampler.sample()
    assert sampler.due()
    assert not sampler.due()
    sampler.sample()
    assert not sampler.due()


def test_use_is_of_the_time_since_what_was_stored(sampler: Sampler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "spacing", lambda seconds: float("inf"))  # on a busy machine a second may pass meanwhile
    began = time.monotonic()
    sampler.sample()
    sampler.due()
    work(0.2)
    sampler.sample()  # not stored, so that its use is in the next one too
    sampler.due()
    time.sleep(0.05)
    used = sampler.sample().cpu_percent / 100
    assert used * (time.monotonic() - began) > 0.15


def test_long_runs_store_a_few_thousand_samples() -> None:
    at, count = 0.0, 0
    while at < 36_000:
        at, count = at + spacing(at), count + 1
    assert 4000 < count < 5000
    assert spacing(0) == spacing(1000) == 1.0
    assert spacing(36_000) == 36.0


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_spacing_only_grows(one: float, other: float) -> None:
    assert (spacing(one) <= spacing(other)) or one > other


def test_gpus_are_those_of_the_machine(sampler: Sampler) -> None:
    found = gpus()
    assert len(sampler.sample().gpus) == len(found)
    for gpu in found:
        assert gpu.name
        assert gpu.percent is None or 0 <= gpu.percent <= 100


def test_the_device_is_named_for_people() -> None:
    first = devices()[0]
    assert described()[first.id].startswith(first.title.split(",")[0])
    if not first.is_gpu:
        assert devices() == [Device("cpu", described()["cpu"], False)]


def test_a_run_on_the_processor_holds_no_gpu(asked: Asked) -> None:
    assert [sample["gpus"] for sample in asked("cpu")["samples"]] == [[], []]


def test_a_gpu_is_read(asked: Asked) -> None:
    told = asked("GPU-aaaa")
    figures = {"percent": 87.0, "memory_bytes": 9 << 30, "memory_total_bytes": 80 << 30, "watts": 250.5, "celsius": 61.0}
    assert told["samples"][0]["gpus"] == [{"uuid": "GPU-aaaa", "name": "NVIDIA H100 80GB HBM3"} | figures]
    assert [sample["energy_joules"] for sample in told["samples"]] == [5.0, 10.0]
    assert [gpu["uuid"] for gpu in told["gpus"]] == ["GPU-aaaa", "GPU-bbbb"]
    assert [each["title"] for each in told["devices"]] == ["NVIDIA H100, 80 GB", "NVIDIA A100-SXM4, 80 GB"]
    assert next(iter(told["described"].values())) == "NVIDIA H100, 71 of 80 GB free"


def test_energy_is_of_all_gpus_that_the_run_holds(asked: Asked) -> None:
    assert [sample["energy_joules"] for sample in asked("GPU-aaaa", "GPU-bbbb")["samples"]] == [10.0, 20.0]


@pytest.mark.parametrize("held", [(), ("GPU-aaaa", "GPU-not-there")])
def test_energy_of_others_or_of_a_part_is_not_told(asked: Asked, held: tuple[str, ...]) -> None:
    told = asked(*held)
    assert len(told["samples"][0]["gpus"]) == (1 if held else 2)
    assert [sample["energy_joules"] for sample in told["samples"]] == [None, None]


def test_energy_without_a_counter_is_power_over_time(asked: Asked) -> None:
    told = asked("GPU-aaaa", LACKS="energy")
    first, second = (sample["energy_joules"] for sample in told["samples"])
    assert 0 <= first < second
    assert 250.5 * 0.1 <= second - first <= 250.5 * told["seconds"]


@pytest.mark.parametrize("lacks", ["percent", "watts", "celsius", "memory", "energy"])
def test_a_figure_that_is_not_offered_leaves_the_others(asked: Asked, lacks: str) -> None:
    told = asked("GPU-aaaa", LACKS=lacks)
    gpu = told["samples"][1]["gpus"][0]
    missing = {"memory": {"memory_bytes", "memory_total_bytes"}, "energy": set()}.get(lacks, {lacks})
    assert {name for name, value in gpu.items() if value is None} == missing
    assert told["samples"][1]["energy_joules"] > 0
    assert next(iter(told["described"].values())).startswith("NVIDIA H100")


def test_energy_that_nothing_tells_of_is_not_measured(asked: Asked) -> None:
    assert asked("GPU-aaaa", LACKS="energy watts")["samples"][1]["energy_joules"] is None


def test_a_sampler_that_was_closed_still_samples(asked: Asked) -> None:
    """The real driver then answers that it is not open; the stand-in does not mind."""
    assert len(asked("GPU-aaaa")["closed"]["gpus"]) == 1


def test_a_driver_that_does_not_start_is_none(asked: Asked) -> None:
    told = asked("GPU-aaaa", LACKS="driver")
    assert (told["gpus"], told["samples"][0]["gpus"], told["samples"][0]["energy_joules"]) == ([], [], None)
    assert [each["id"] for each in told["devices"]] == ["cpu"]


@pytest.mark.parametrize(
    ("visible", "seen"),
    [
        ("1,0", ["GPU-bbbb", "GPU-aaaa"]),
        ("GPU-b", ["GPU-bbbb"]),
        ("0,5,1", ["GPU-aaaa"]),
        ("0,0", ["GPU-aaaa"]),
        ("", ["cpu"]),
        ("-1", ["cpu"]),
        ("NoDevFiles", ["cpu"]),
    ],
)
def test_runs_get_the_gpus_that_are_visible(asked: Asked, visible: str, seen: list[str]) -> None:
    told = asked(**{VISIBLE_VARIABLE: visible})
    assert [each["id"] for each in told["devices"]] == seen
    assert [gpu["uuid"] for gpu in told["samples"][0]["gpus"]] == [uuid for uuid in seen if uuid != "cpu"]


def test_a_run_sees_the_gpu_it_holds_whatever_is_visible(asked: Asked) -> None:
    assert asked("GPU-bbbb", **{VISIBLE_VARIABLE: "0"})["samples"][0]["gpus"][0]["uuid"] == "GPU-bbbb"


def test_instances_of_a_divided_gpu_are_devices(asked: Asked) -> None:
    told = asked("MIG-cccc", DIVIDED="1")
    assert [(each["id"], each["title"]) for each in told["devices"]] == [
        ("GPU-aaaa", "NVIDIA H100, 80 GB"),
        ("MIG-cccc", "NVIDIA A100-SXM4 MIG 1g.5gb, 80 GB"),
    ]
    gpu = told["samples"][1]["gpus"][0]
    assert (gpu["uuid"], gpu["percent"], gpu["watts"], gpu["celsius"]) == ("MIG-cccc", None, None, 61.0)
    assert told["samples"][1]["energy_joules"] is None


READINGS = st.lists(st.tuples(st.floats(0.01, 100), st.floats(0, 1000, allow_subnormal=False)), min_size=1, max_size=50)


@given(READINGS)
def test_the_integral_lies_between_the_least_and_the_most(readings: list[tuple[float, float]]) -> None:
    integral, at, totals = Integral(), 0.0, []
    for span, value in readings:
        at += span
        total = integral.add(at, value)
        assert total is not None
        totals.append(total)
    length = at - readings[0][0]
    values = [value for _, value in readings]
    assert totals[0] == 0
    assert totals == sorted(totals)
    assert min(values) * length * (1 - 1e-9) <= totals[-1] <= max(values) * length * (1 + 1e-9) + 1e-9


@given(st.floats(0, 500), st.floats(-3, 3), st.lists(st.floats(0.1, 10), min_size=1, max_size=30))
def test_the_integral_of_a_line_is_exact(start: float, slope: float, spans: list[float]) -> None:
    integral, at = Integral(), 0.0
    integral.add(at, start)
    for span in spans:
        at += span
        total = integral.add(at, start + slope * at)
    assert total == pytest.approx(start * at + slope * at * at / 2, abs=1e-6)


@given(READINGS, st.integers(0, 49))
def test_an_integral_with_a_hole_is_none(readings: list[tuple[float, float]], hole: int) -> None:
    integral = Integral()
    for number, (at, value) in enumerate(readings):
        total = integral.add(at, None if number == hole else value)
    assert (total is None) == (hole < len(readings))
