"""What a run will take: said before it starts, and held against what it took. The probe and the runs are real."""

import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from streamlit.testing.v1 import AppTest

from tests.helpers import FEW_CROPS, CommandLine, settings_arguments, wait_until
from tests.tools.pages import WITH_RECIPE_BAR, errors, opened
from tl_core.notes import Note, NoteKind
from tl_core.planning import backbone_profile
from tl_core.planning.backbone_profile import BackboneProfile
from tl_core.planning.estimate import Estimate
from tl_core.recipe import Recipe, changed
from tl_core.runs import artifacts
from tl_core.runs.store import Store
from tl_core.spec import RunSpec
from tl_core.system.settings import SPARE_VARIABLE
from tl_core.ui import estimates, steps

pytestmark = pytest.mark.process

SPEC = RunSpec().with_settings(FEW_CROPS | {"image_size": 32})
TOLD = re.compile(
    r"About (\d.*) on this machine · up to \d+\.\d GB of memory · up to \d+ MB of disk · 20,496 of 3.4 M parameters train"
)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[str, str]]:
    """A home in which the backbone has been measured and two runs of the same settings have been made, and their ids."""
    home = tmp_path_factory.mktemp("estimates") / "home"
    backbone = Recipe.of(SPEC).backbone
    backbone_profile.request(home, backbone, 32)
    wait_until(lambda: BackboneProfile.read(home, backbone, 32))
    first, second = (CommandLine(home).run("train", *settings_arguments(SPEC), "--json").json["run_id"] for _ in range(2))
    return home, (first, second)


@pytest.fixture
def runs(measured: tuple[Path, tuple[str, str]], home: Path) -> tuple[str, str]:
    """The ids of the two runs, in a copy of that home."""
    shutil.copytree(measured[0], home, ignore=shutil.ignore_patterns("runner.*"))  # of which one is a pipe
    return measured[1]


def captions(app: AppTest) -> list[str]:
    return [caption.value.replace("\\", "") for caption in app.caption]


def result_page(run_id: str) -> tuple[list[str], list[str]]:
    """Its texts, and its captions."""
    app = opened(steps.RESULT.script, run=run_id)
    assert not errors(app)
    return [text.value.replace("\\", "") for text in app.markdown], captions(app)


def address() -> dict[str, str]:
    return {name: str(value) for name, value in Recipe.of(SPEC).overrides().items()}


@pytest.mark.full
@pytest.mark.parametrize("page", WITH_RECIPE_BAR)
def test_the_bar_says_what_it_will_take(page: str, runs: tuple[str, str]) -> None:
    app = opened(page, **address())
    assert len([told for told in captions(app) if TOLD.fullmatch(told)]) == 1
    assert not app.warning


def test_a_spare_has_started_python_already(runs: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    without = seconds_told()
    monkeypatch.setenv(SPARE_VARIABLE, "1")
    assert seconds_told() < without


def seconds_told() -> float:
    (told,) = (match for text in captions(opened(steps.STRATEGY.script, **address())) if (match := TOLD.fullmatch(text)))
    return float(told[1].removesuffix(" s"))


def test_what_the_machine_lacks_is_said_with_what_to_do() -> None:
    recipe, found = Recipe.of(RunSpec()), Estimate(4.0, 5.0, 2 * 10**9, 3 * 10**9, 1, 2)
    assert not list(estimates.warnings(recipe, found, 10**10, 10**10))
    memory, disk = (text.replace("\N{NO-BREAK SPACE}", " ") for text in estimates.warnings(recipe, found, 10**9, 10**9))
    assert memory == "It may need 2.0 GB of memory, and 1.0 GB is free now: choose smaller images."
    assert disk.startswith("It may need 3.0 GB of disk, and 1.0 GB is free: choose smaller images, or clear the cache")
    tuned = Recipe.of(RunSpec().with_settings({"strategy": "fine_tuning"}))
    assert next(estimates.warnings(tuned, found, 10**9, 10**10)).endswith("choose smaller images or a smaller batch.")
    of_texts = Recipe.of(changed(RunSpec(), {"dataset": "docstrings", "backbone": "minilm"}))
    assert next(estimates.warnings(of_texts, found, 10**9, 10**10)).endswith("choose fewer tokens of each.")
    elsewhere = Recipe.of(RunSpec().with_settings({"executor": "ray"}))
    assert not list(estimates.warnings(elsewhere, found, 1, 1))


def test_the_bar_warns(runs: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=10**8))
    (warning,) = opened(steps.TRAIN.script, **address()).warning
    assert "0.1\N{NO-BREAK SPACE}GB is free now: choose smaller images." in warning.value.replace("\\", "")


def test_the_result_is_held_against_it(runs: tuple[str, str]) -> None:
    texts, below = result_page(runs[0])
    (told,) = (text for text in texts if text.startswith("- Estimated"))
    time, memory, disk = told.replace("\N{NO-BREAK SPACE}", " ").splitlines()
    assert re.fullmatch(r"- Estimated \*\*\d.*\*\*, took \*\*\d.*\*\* \((\d+ % (more|less)|as estimated)\).", time)
    assert re.fullmatch(r"- Estimated \*\*\d.*GB\*\* of memory at most, held \*\*\d.*GB\*\* \(.*\).", memory)
    assert re.match(r"- Estimated \*\*\d+ MB\*\* of disk at most. Its folder takes \*\*1\d MB\*\*", disk)
    assert "Starting Python and waiting are not counted." in below


def test_features_that_were_there_already_are_said(runs: tuple[str, str]) -> None:
    assert not [text for text in result_page(runs[0])[1] if "in the cache already" in text]
    below = result_page(runs[1])[1]
    assert any("Features were already in the cache, which the estimate does not take into account." in text for text in below)
    assert "What the frozen part makes of 48 images was in the cache already." in below
    assert "What the frozen part makes of 32 images was in the cache already." in below


def test_the_proof_says_what_the_frozen_part_computed_and_what_was_remarked(runs: tuple[str, str]) -> None:
    folder, remark = Store().folder(runs[0]), "It had not settled after 1000 steps; see [x](y)."
    result = artifacts.read_result(folder)
    (phase,) = result.phases
    told = {"remarks": (Note(NoteKind.OTHER, text=remark),)}
    noted = result.model_copy(update={"phases": (phase.model_copy(update=told),)})
    (folder / artifacts.RESULT).write_text(noted.model_dump_json())
    below = result_page(runs[0])[1]
    assert any(re.fullmatch(r"The frozen part computed 48 images, each once \(.*float32\).", text) for text in below)
    assert any(text.startswith("The frozen part computed 32 images") for text in below)
    assert remark in below


@pytest.mark.full
def test_a_run_that_nothing_was_expected_of_says_so(home: Path) -> None:
    done = CommandLine(home).run("train", *settings_arguments(SPEC), "--json").json
    assert any(text.startswith("There was no estimate") for text in result_page(done["run_id"])[1])
