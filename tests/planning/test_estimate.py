"""Estimates: made from a real probe before a real run trains, kept with it, and held against what it took."""

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from tests.helpers import FEW_CROPS, CommandLine, settings_arguments, wait_until
from tl_core.planning import backbone_profile
from tl_core.planning import estimate as estimating
from tl_core.planning.backbone_profile import BackboneProfile
from tl_core.planning.cuts import SplitSizes
from tl_core.planning.estimate import Estimate
from tl_core.recipe import Recipe
from tl_core.runs import artifacts
from tl_core.runs.store import Store
from tl_core.spec import RunSpec
from tl_core.system.settings import cache_room
from tl_core.ui.estimate_check import comparisons

SPEC = RunSpec().with_settings(FEW_CROPS | {"image_size": 32})
IMAGES = SplitSizes(32, 16, 32)
ROOM = 10**9


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, BackboneProfile]:
    """A home in which EfficientNet-Lite0 at 32 px has been measured, for real."""
    home = tmp_path_factory.mktemp("measured") / "home"
    backbone = Recipe.of(SPEC).backbone
    backbone_profile.request(home, backbone, 32)
    return home, wait_until(lambda: BackboneProfile.read(home, backbone, 32))


def estimated(measured: BackboneProfile, images: SplitSizes = IMAGES, **settings: object) -> Estimate:
    changes = {name.replace("__", "."): value for name, value in settings.items()}
    return estimating.estimate(Recipe.of(SPEC.with_settings(changes)), measured, images, 16, ROOM)


@pytest.mark.process
def test_it_is_kept_with_the_run(measured: tuple[Path, BackboneProfile]) -> None:
    home, probe = measured
    done = CommandLine(home).run("train", *settings_arguments(SPEC), "--json").json
    folder = Store(home).folder(done["run_id"])
    found = artifacts.read_estimate(folder)
    assert found == estimating.estimate(Recipe.of(SPEC), probe, IMAGES, 16, cache_room(home))
    assert found
    assert (found.trainable_parameters, found.total_parameters) == (20_496, 3_433_520)
    result = artifacts.read_result(folder)
    assert result.seconds / 10 < found.running_seconds < 10 * result.seconds  # machines are shared


@pytest.mark.process
def test_a_run_on_a_machine_that_was_not_measured_has_none(home: Path) -> None:
    done = CommandLine(home).run("train", *settings_arguments(SPEC), "--json").json
    assert done["state"] == "done"
    assert artifacts.read_estimate(Store(home).folder(done["run_id"])) is None


@pytest.mark.full
@pytest.mark.process
def test_a_probe_that_makes_no_sense_fails_no_run(measured: tuple[Path, BackboneProfile], tmp_path: Path) -> None:
    """By it no time could be told: nothing went through the network."""
    home, backbone = tmp_path / "home", Recipe.of(SPEC).backbone
    file = backbone_profile._file(home, backbone, 32)
    file.parent.mkdir(parents=True)
    file.write_bytes(TypeAdapter(BackboneProfile).dump_json(replace(measured[1], frozen_rate=0.0)))
    assert BackboneProfile.read(home, backbone, 32)
    done = CommandLine(home).run("train", *settings_arguments(SPEC), "--json").json
    assert done["state"] == "done"
    assert artifacts.read_estimate(Store(home).folder(done["run_id"])) is None


def test_it_is_of_the_whole_run_and_stays(tmp_path: Path) -> None:
    first, second = (Estimate(1.0, seconds, 3, 4, 5, 6) for seconds in (2.0, 3.0))
    artifacts.write_estimate(tmp_path, first)
    artifacts.write_estimate(tmp_path, second)
    assert artifacts.read_estimate(tmp_path) == first
    (tmp_path / artifacts.ESTIMATE).write_text("{")
    assert artifacts.read_estimate(tmp_path) is None


def test_a_network_cut_elsewhere_is_converted_anew(measured: tuple[Path, BackboneProfile]) -> None:
    probe = measured[1]
    slower = replace(probe, converting_seconds=probe.converting_seconds + 100)
    assert estimated(slower).running_seconds == estimated(probe).running_seconds
    last = [estimated(each, strategy="last_blocks", strategy__epochs=1).running_seconds for each in (slower, probe)]
    assert last[0] == pytest.approx(last[1] + 100)
    pooled = [estimated(each, strategy="head2toe").running_seconds for each in (slower, probe)]
    assert pooled[0] == pytest.approx(pooled[1] + 100)  # of all blocks
    assert estimated(slower, strategy="fine_tuning").running_seconds == estimated(probe, strategy="fine_tuning").running_seconds


def test_more_work_takes_more(measured: tuple[Path, BackboneProfile]) -> None:
    """Rates and memory are set: so small a network takes less than can be told from what else a machine does."""
    probe = replace(
        measured[1], frozen_rate=1000.0, trained_rate=300.0, frozen_first=0.1, trained_first=2.0, converting_seconds=1.0
    )
    probe = replace(probe, idle_bytes=8 * 10**8, frozen_bytes=10**8, trained_bytes=10**9)
    usual = estimated(probe)
    assert estimated(probe, SplitSizes(3200, 16, 32)).running_seconds > usual.running_seconds
    last, everything = (estimated(probe, strategy=name, strategy__epochs=20) for name in ("last_blocks", "fine_tuning"))
    assert usual.running_seconds < last.running_seconds < everything.running_seconds
    assert usual.memory_bytes < everything.memory_bytes
    more = [
        estimated(probe, SplitSizes(64, 16, 32), strategy="fine_tuning", strategy__batch_size=size).memory_bytes
        for size in (32, 64, 4096)
    ]
    assert more[0] < more[1] == more[2]  # a batch is no larger than the split
    assert usual.disk_bytes > 80 * 32 * 32 * 3 + 80 * 4 * 1280 + 4 * 3_400_000


def test_a_probe_without_what_is_known_today_is_none(home: Path) -> None:
    backbone = Recipe.of(SPEC).backbone
    file = backbone_profile._file(home, backbone, 32)
    file.parent.mkdir(parents=True)
    file.write_text('{"outline": {"blocks": [], "feature_size": 3}, "images_per_second": 1.0, "starting_seconds": 2.0}')
    assert BackboneProfile.read(home, backbone, 32) is None


def test_what_was_off_is_told() -> None:
    estimate = Estimate(5.0, 10.0, 10**9, 10**8, 1, 2)
    time, memory, disk = (
        line.replace("\N{NO-BREAK SPACE}", " ") for line in comparisons(estimate, 12.5, 800_000_000, 15_000_000)
    )
    assert time == "Estimated **10 s**, took **12 s** (25 % more)."
    assert memory == "Estimated **1.0 GB** of memory at most, held **0.8 GB** (20 % less)."
    assert disk.startswith("Estimated **0.1 GB** of disk at most. Its folder takes **15 MB**")
    time, _ = comparisons(estimate, 10.1, None, 0)
    assert "as estimated" in time
