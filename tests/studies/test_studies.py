"""What all studies share: results of earlier versions, the command, and their end on request."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import FEW_CROPS, HANGS_SECONDS, CommandLine, wait_until, write_images
from tl_core.analysis.what_if import Answer
from tl_core.jobs import background
from tl_core.machine import leases
from tl_core.machine.telemetry import Device
from tl_core.metrics.accuracy import Accuracy
from tl_core.recipe import Recipe
from tl_core.spec import RunSpec
from tl_core.studies import Study, answer, studies
from tl_core.studies.data_check import DataCheck
from tl_core.studies.image_map import ImageMapStudy
from tl_core.studies.lr_finder import LrFinder
from tl_core.studies.precision_benchmark import PrecisionBenchmark
from tl_core.studies.what_if import WhatIf
from tl_core.system.settings import LEASES_VARIABLE

RECIPE = Recipe.of(RunSpec().with_settings({"strategy": "fine_tuning"}))
SPEC = RECIPE.spec()
DATASET = {**RECIPE.dataset.spec().content.settings, "name": "photo_patches", "labels_per_class": None}
STRATEGY = {key: value for key, value in RECIPE.strategy.model_dump(mode="json").items() if key != "learning_rate"}
FORMER: list[tuple[Study[Any], tuple[Any, ...], dict[str, Any]]] = [
    (ImageMapStudy(), ("maps", DATASET, SPEC.backbone, 96), {"stage": "x", "map": None, "shift": None}),
    (
        WhatIf(),
        ("what_ifs", DATASET, SPEC.backbone, 96, SPEC.precision, True),
        {
            "question": {"labels": [2, None], "strengths": [None, 1.0], "seeds": 1},
            "answers": [{"labels": 2, "strength": None, "seed": 0, "train_images": 20, "test_images": 9, "correct": 7}],
        },
    ),
    (DataCheck(), ("reports", DATASET | {"left_out": None}), {"done": 3, "images": 4, "report": None}),
    (
        LrFinder(),
        ("rates", SPEC.dataset.content, SPEC.backbone, 2, "fine_tuning", STRATEGY | {"epochs": str(10)}, 96, 0),
        {"planned": 40, "phase": "all", "curve": {"rates": [0.1], "losses": [2.0]}},
    ),
]
"""What the version before studies kept: by what its file was named, and some of what stood in it."""


@pytest.mark.parametrize(("study", "decisive", "content"), FORMER, ids=lambda value: getattr(value, "name", ""))
def test_a_result_of_an_earlier_version_is_found(
    study: Study[Any], decisive: tuple[Any, ...], content: dict[str, Any], home: Path
) -> None:
    folder, *values = decisive
    file = background.file_for(home / folder, *values)
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(content | {"seconds": 4.5, "finished": True, "error": ""}))
    found = study.read(home, RECIPE)
    assert found
    assert (found.seconds, found.finished, found.place) == (4.5, True, None)
    if isinstance(study, WhatIf):
        assert found.answers == (Answer(2, None, 0, 20, Accuracy().of_counts(7, 9)),)


def test_each_has_a_folder_of_its_own() -> None:
    parts = studies.parts().values()
    assert len({part.folder for part in parts}) == len(parts) >= 5
    assert set(studies.parts()) >= {"data_check", "image_map", "lr_finder", "precision_benchmark", "what_if"}
    assert PrecisionBenchmark.needs_keras
    assert not DataCheck.needs_keras


def test_an_answer_in_this_process(home: Path, tmp_path: Path) -> None:
    folder = write_images(tmp_path / "data", classes=2, each=8)
    recipe = Recipe.of(RunSpec().with_settings({"dataset": "image_folder", "dataset.path": str(folder)}))
    study = DataCheck()
    study.file(home, recipe).parent.mkdir(parents=True)
    answer(home, recipe.spec().model_dump_json(), study.spec().model_dump_json(), lambda asked: 0)
    found = study.read(home, recipe)
    assert found
    assert found.finished
    assert found.share == 1
    assert next(study.rows(found))["examples"] == 16


def test_the_command_says_what_is_wrong(home: Path) -> None:
    line = CommandLine(home)
    done = line.call("study", "image_mop")
    assert done.code == 2
    assert "Did you mean image_map?" in done.err
    done = line.call("study", "what_if", "--set", "study.labels=none")
    assert done.code == 2
    assert "no positive numbers" in done.err
    done = line.call("study", "lr_finder", "--set", "study.step=3")
    assert "There is no setting study.step." in done.err


@pytest.mark.process
def test_the_command_has_it_answered(home: Path, tmp_path: Path) -> None:
    folder = write_images(tmp_path / "data", classes=2, each=8)
    arguments = ["study", "data_check", "--dataset", "image_folder", "--set", f"dataset.path={folder}"]
    line = CommandLine(home)
    told = line.call(*arguments, "--json").json
    assert told["study"] == "data_check"
    assert told["rows"][0]["examples"] == 16
    assert told["report"]["digest"]
    done = line.call(*arguments)
    assert done.code == 0
    assert "Examples" in done.out
    folder.rename(tmp_path / "gone")
    done = line.call(*arguments)
    assert done.code == 2
    assert "This folder does not exist." in done.err


@pytest.mark.process
def test_ctrl_c_ends_the_study(home: Path) -> None:
    recipe = Recipe.of(RunSpec().with_settings(FEW_CROPS))
    settings = [part for name, value in FEW_CROPS.items() for part in ("--set", f"{name}={value}")]
    process = CommandLine(home).start("study", "what_if", *settings, "--set", "study.seeds=100")
    wait_until(lambda: WhatIf().is_at_work(home, recipe))
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=HANGS_SECONDS)
    assert process.returncode == 130
    wait_until(lambda: not WhatIf().is_at_work(home, recipe))


ONE_GPU = """
from tl_core.machine import telemetry
telemetry.devices = lambda: [telemetry.Device("GPU-0", "A GPU that is none", True)]
"""


@pytest.mark.process
def test_it_waits_for_a_gpu_and_holds_it(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sitecustomize.py").write_text(ONE_GPU)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv(LEASES_VARIABLE, str(tmp_path / "gpus"))
    gpu = Device("GPU-0", "A GPU that is none", is_gpu=True)
    held = leases.take(home, [gpu])
    assert held
    recipe, first, second = Recipe.of(RunSpec().with_settings(FEW_CROPS)), WhatIf(seeds=100), ImageMapStudy()

    def place(study: Study[Any]) -> int | None:
        now = study.read(home, recipe)
        assert now
        return now.place

    first.request(home, recipe)  # it is not refused
    assert wait_until(lambda: place(first)) == 1
    second.request(home, recipe)
    assert wait_until(lambda: place(second)) == 2
    os.close(held.descriptor)
    wait_until(lambda: place(first) is None)
    assert leases.take(home, [gpu]) is None
    first.cancel(home, recipe)
    wait_until(lambda: place(second) is None)
    assert leases.take(home, [gpu]) is None
    second.cancel(home, recipe)
    wait_until(lambda: leases.take(home, [gpu]))


@pytest.mark.process
def test_it_is_ended_on_request(home: Path) -> None:
    recipe = Recipe.of(RunSpec().with_settings(FEW_CROPS))
    study = WhatIf(seeds=100)
    study.request(home, recipe)
    assert study.is_at_work(home, recipe)
    study.cancel(home, recipe)
    wait_until(lambda: not study.is_at_work(home, recipe))
    assert study.read(home, recipe) is None
    study.request(home, recipe)
    assert study.is_at_work(home, recipe)
    study.cancel(home, recipe)
