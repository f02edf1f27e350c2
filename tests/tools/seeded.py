"""Finished runs that differ in what a test says, without their files."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.helpers import keep_run
from tl_core.metrics import MetricValue
from tl_core.result import Better
from tl_core.runs import seeds
from tl_core.runs.states import State
from tl_core.runs.store import Run, Store
from tl_core.spec import RunSpec

PROBE = RunSpec()
SCRATCH = PROBE.with_settings({"strategy": "from_scratch"})
IMAGES = 200


@pytest.fixture
def template(home: Path) -> Run:
    """A finished run, of which others are made without a store."""
    store = Store()
    keep_run(store, "one", State.DONE, PROBE, test_images=IMAGES, test_digest="same", seconds=2.0)
    return store.run("one")


def several(template: Run, spec: RunSpec, count: int, name: str) -> list[Run]:
    """So many runs, from seed 0 on."""
    specs = [spec.with_settings({"seed": seed}) for seed in range(count)]
    return [replace(template, id=f"{name}{each.seed}", spec=each) for each in specs]


def values(numbers: dict[str, float]) -> seeds.Values:
    return {
        run_id: MetricValue(name="accuracy", value=value, low=None, high=None, n=IMAGES, better=Better.HIGHER)
        for run_id, value in numbers.items()
    }
