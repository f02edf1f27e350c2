"""What the machine says of itself."""

import time

from tl_core.runs.telemetry import Sampler, device, gpus


def test_a_busy_process_is_seen() -> None:
    sampler = Sampler()
    end = time.process_time() + 0.3
    while time.process_time() < end:
        pass
    sample = sampler.sample()
    assert sample.cpu_percent > 20
    assert 1e7 < sample.memory_bytes < 1e12


def test_gpus_are_those_of_the_machine() -> None:
    found, sample = gpus(), Sampler().sample()
    assert (sample.gpu_memory_bytes is None) == (not found)
    for gpu in found:
        assert gpu.name
        assert 0 < gpu.memory_used <= gpu.memory_total
        assert 0 <= gpu.percent <= 100


def test_the_device_is_named_for_people() -> None:
    found = gpus()
    assert device().startswith(found[0].name if found else "CPU, ")
