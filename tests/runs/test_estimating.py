"""Estimates: made from a real probe before a real run trains, kept with it, and held against what it took."""

from pathlib import Path

import pytest

from tests.helpers import FEW_CROPS, CommandLine, settings_arguments, wait_until
from tl_core import costs
from tl_core.recipe import Recipe
from tl_core.runs import artifacts, estimating, probing
from tl_core.runs.estimating import Estimate
from tl_core.runs.probing import Probe
from tl_core.runs.store import Store
from tl_core.settings import cache_room
from tl_core.spec import RunSpec
from tl_core.ui.expected import told

SPEC = RunSpec().with_settings(FEW_CROPS | {"image_size": 32})
IMAGES = costs.Images(32, 16, 32)
ROOM = 10**9


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Probe]:
    """A home in which EfficientNet-Lite0 at 32 px has been measured, for real."""
    home = tmp_path_factory.mktemp("measured") / "home"
    backbone = Recipe.of(SPEC).backbone
    probing.request(home, backbone, 32)
    return home, wait_until(lambda: Probe.read(home, backbone, 32))


def estimated(measured: Probe, images: costs.Images = IMAGES, **settings: object) -> Estimate:
    changes = {name.replace("__", "."): value for name, value in settings.items()}
    return estimating.estimate(Recipe.of(SPEC.with_settings(changes)), measured, images, 16, ROOM)


def test_it_is_kept_with_the_run(measured: tuple[Path, Probe]) -> None:
    home, probe = measured
    done = CommandLine(home).run("train", *settings_arguments(SPEC), "--json").json
    folder = Store(home).folder(done["run_id"])
    found = artifacts.read_estimate(folder)
    assert found == estimating.estimate(Recipe.of(SPEC), probe, IMAGES, 16, cache_room(home))
    assert found
    assert (found.trainable_parameters, found.total_parameters) == (20_496, 3_433_520)
    result = artifacts.read_result(folder)
    assert result.seconds / 10 < found.running_seconds < 10 * result.seconds  # machines are shared


def test_a_run_on_a_machine_that_was_not_measured_has_none(home: Path) -> None:
    done = CommandLine(home).run("train", *settings_arguments(SPEC), "--json").json
    assert done["state"] == "done"
    assert artifacts.read_estimate(Store(home).folder(done["run_id"])) is None


def test_more_work_takes_more(measured: tuple[Path, Probe]) -> None:
    probe = measured[1]
    usual = estimated(probe)
    assert estimated(probe, costs.Images(3200, 16, 32)).seconds > usual.seconds
    last, everything = (estimated(probe, strategy=name, strategy__epochs=20) for name in ("last_blocks", "fine_tuning"))
    assert usual.seconds < last.seconds < everything.seconds
    assert usual.memory_bytes < everything.memory_bytes
    assert estimated(probe, strategy="fine_tuning", strategy__batch_size=64).memory_bytes > everything.memory_bytes
    assert usual.disk_bytes > 80 * 32 * 32 * 3 + 80 * 4 * 1280 + 4 * 3_400_000


def test_a_probe_without_what_is_known_today_is_none(home: Path) -> None:
    backbone = Recipe.of(SPEC).backbone
    file = probing._file(home, backbone, 32)
    file.parent.mkdir(parents=True)
    file.write_text('{"outline": {"blocks": [], "feature_size": 3}, "images_per_second": 1.0, "starting_seconds": 2.0}')
    assert Probe.read(home, backbone, 32) is None


def test_what_was_off_is_told() -> None:
    estimate = Estimate(5.0, 10.0, 10**9, 10**8, 1, 2)
    text = told(estimate, 12.5, 800_000_000)
    assert text.startswith("Estimated **10 s**, took **12 s** (25 % more); estimated **1.0 GB** of memory, held **0.8 GB**")
    assert "(20 % less)" in text
    assert "as estimated" in told(estimate, 10.1, None)
