"""A home of an earlier version: nothing in it is lost, and its runs go on."""

import hashlib
import json
import re
import shutil
import signal
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter
from streamlit.testing.v1 import AppTest

from tests.helpers import python
from tests.tools import earlier
from tests.tools.crashing import settled
from tests.tools.pages import errors, opened
from tests.tools.variants import variants
from tl_core import strategies
from tl_core.analysis.stage_titles import activity_title, stage_title
from tl_core.features.cache import Table, cache_of
from tl_core.networks.outline import Outline
from tl_core.planning import backbone_profile, precision_speeds
from tl_core.precision import Speeds
from tl_core.recipe import Recipe
from tl_core.result import Result
from tl_core.runner import control, service
from tl_core.runs import artifacts
from tl_core.runs.states import State
from tl_core.runs.store import Store
from tl_core.spec import PartSpec, RunSpec, with_current_names
from tl_core.studies.data_check import DataCheck
from tl_core.studies.image_map import ImageMapStudy
from tl_core.studies.lr_finder import LrFinder
from tl_core.studies.precision_benchmark import PrecisionBenchmark
from tl_core.studies.what_if import WhatIf
from tl_core.ui import steps
from tl_core.ui.proof import frozen_part, remarks

RUNS = earlier.expected()["runs"]
PROBED, TRAINED = earlier.run_ids("done")
(PAUSED,), (FAILED,), (QUEUED,) = (earlier.run_ids(state) for state in ("paused", "failed", "queued"))
ACTIVATIONS = "ec02*.part"
"""What EfficientNet-Lite0 made of photographs at 32 pixels."""
CLOCK = {"timings", "resumed", "versions"}
"""What of a result is not decided by the run's settings."""
SENTENCES = {"frozen_part", "remarks", "chosen_by"}
"""What of a result was stored in words."""


@pytest.fixture
def earlier_home(home: Path) -> Path:
    """The home as it was left, and nothing of today's code has opened it."""
    earlier.unpack(home)
    return home


@pytest.fixture
def store(earlier_home: Path) -> Store:
    return Store()


@pytest.fixture
def nothing_starts(nothing_cached: None, earlier_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No page starts a runner, or has a network measured."""
    monkeypatch.setattr(service, "ensure", lambda home: None)
    monkeypatch.setattr(backbone_profile, "request", lambda home, backbone, image_size: None)


def content(home: Path) -> list[str]:
    """Everything in the database of `home`."""
    with closing(sqlite3.connect(home / "store.sqlite")) as connection:
        return list(connection.iterdump())


def rows(home: Path) -> dict[str, list[tuple[Any, ...]]]:
    """The tables of the earlier version, with its columns."""
    columns = ", ".join(next(iter(RUNS.values()))["row"])
    with closing(sqlite3.connect(home / "store.sqlite")) as connection:
        return {
            "runs": connection.execute(f"SELECT {columns} FROM runs ORDER BY id").fetchall(),
            "events": connection.execute("SELECT id, run_id, at, kind, data FROM events ORDER BY id").fetchall(),
        }


def known(today: Any, earlier: Any) -> Any:
    """Return what is stored today without the names that an earlier version did not have, which may be at any depth."""
    if isinstance(earlier, Mapping):
        return {name: known(today[name], value) for name, value in earlier.items()}
    if isinstance(earlier, list) and len(earlier) == len(today):
        return [known(*pair) for pair in zip(today, earlier, strict=True)]
    return today


def as_today(result: Mapping[str, Any], *, clock: bool = True) -> dict[str, Any]:
    """What an earlier version stored as a result, with today's names and without its sentences."""
    left_out = SENTENCES | (CLOCK if clock else {"timings"})
    kept = {name: value for name, value in with_current_names(result).items() if name not in left_out}
    kept["phases"] = [{name: value for name, value in phase.items() if name not in SENTENCES} for phase in result["phases"]]
    return kept


def told(result: Result) -> list[list[str]]:
    """What is stored today in the words of today: of each phase, of the test images, and of what took time."""
    phases = [[*remarks(phase), *frozen_part(phase.frozen_part), phase.chosen_by or ""] for phase in result.phases]
    timings = [activity_title(timing.activity, timing.phase) for timing in result.timings]
    return [*phases, list(frozen_part(result.frozen_part)), timings]


def told_then(result: Mapping[str, Any]) -> list[list[str]]:
    """The same in the words in which an earlier version stored it."""
    phases = [[*phase["remarks"], *phase["frozen_part"], phase["chosen_by"]] for phase in result["phases"]]
    return [*phases, result["frozen_part"], [timing["name"] for timing in result["timings"]]]


def recipe_of(run_id: str) -> Recipe:
    return Recipe.of(RunSpec.parse(RUNS[run_id]["row"]["spec"]))


def test_what_was_stored_of_runs_is_as_it_was(earlier_home: Path) -> None:
    before = rows(earlier_home)
    Store()
    assert rows(earlier_home) == before


def test_its_runs_were_not_measured_by_more_than_accuracy(store: Store) -> None:
    assert {run.metrics for run in store.runs()} == {()}
    assert artifacts.read_result(store.folder(PROBED)).metrics == ()


def test_it_is_migrated_once(store: Store, earlier_home: Path) -> None:
    migrated = content(earlier_home)
    store.close()
    assert Store().runs() == store.runs()
    assert content(earlier_home) == migrated


def test_its_runs_stand_in_the_order_in_which_they_were_made(store: Store) -> None:
    assert [run.id for run in store.runs()] == list(reversed(RUNS))
    assert [run.id for run in store.queue()] == [QUEUED]


@pytest.mark.parametrize("run_id", RUNS)
def test_a_run_has_the_same_state_numbers_and_settings(run_id: str, store: Store) -> None:
    run, stored = store.run(run_id), dict(RUNS[run_id]["row"])
    spec = with_current_names(stored.pop("spec"))
    assert stage_title(run.stage) == stored.pop("stage")
    assert {name: getattr(run, name) for name in stored} == stored
    assert store.counts(run_id) == RUNS[run_id]["events"]
    assert run.unreadable is None
    assert known(run.spec.model_dump(mode="json"), spec) == spec
    assert known(Recipe.of(run.spec).spec().dotted(), run.spec.dotted()) == run.spec.dotted()
    assert RunSpec.read(store.folder(run_id) / artifacts.SPEC) == run.spec


@pytest.mark.parametrize(("strategy", "plan"), earlier.expected()["plans"].items())
def test_a_strategy_does_what_it_did_when_its_settings_were_stored(
    strategy: str, plan: Mapping[str, Any], earlier_home: Path
) -> None:
    profile = json.loads(next((earlier_home / "probes").iterdir()).read_text(encoding="utf-8"))
    blocks = TypeAdapter(Outline).validate_python(profile["outline"]).blocks
    recipe = Recipe.of(RunSpec().with_settings({"strategy": plan["settings"]}))
    assert recipe.strategy.name == strategy
    phases = list(recipe.strategy.phases(recipe.backbone, blocks, 160))
    assert [phase.described(blocks) for phase in phases] == plan["plan"]
    assert not any(phase.learning.keeps_best for phase in phases)


def test_a_spectral_shrinkage_of_before_shrinks_as_it_did() -> None:
    """One setting was both the shrinkage and the freedom of the head."""
    settings = earlier.expected()["plans"]["bss"]["settings"] | {"strength": 0.5}
    strategy = strategies.build(PartSpec(**settings))
    assert strategy.model_dump().items() >= {"shrinkage": 0.5, "strength": 0.5, "restore_best": False}.items()
    assert strategies.build(PartSpec(name="bss")).model_dump().items() >= {"shrinkage": 1e-3, "restore_best": True}.items()


@pytest.mark.parametrize("run_id", [PROBED, TRAINED])
def test_a_finished_run_has_the_same_result(run_id: str, store: Store) -> None:
    result, earlier_result = artifacts.read_result(store.folder(run_id)), RUNS[run_id]["result"]
    stored = as_today(earlier_result, clock=False)
    assert known(result.model_dump(mode="json"), stored) == stored
    assert told(result) == told_then(earlier_result)
    assert result.seconds == sum(timing["seconds"] for timing in earlier_result["timings"])
    said = artifacts.read_predictions(store.folder(run_id))
    assert (said.probabilities.argmax(axis=1) == said.labels).sum() == store.run(run_id).correct == result.test_correct


def test_what_was_expected_of_a_run_is_known(store: Store) -> None:
    assert artifacts.read_estimate(store.folder(TRAINED))
    assert artifacts.read_estimate(store.folder(PAUSED))


def stored(folder: str, earlier_home: Path) -> dict[str, Any]:
    """What the one study in a folder has left."""
    left: dict[str, Any] = json.loads(next((earlier_home / folder).glob("*.json")).read_text(encoding="utf-8"))
    return left


def test_what_was_asked_of_data_and_networks_is_answered(earlier_home: Path) -> None:
    photographs, digits = recipe_of(PROBED), recipe_of(PAUSED)
    for recipe, examples in ((photographs, 48), (digits, 1797)):
        checked = DataCheck().read(earlier_home, recipe)
        assert checked
        assert checked.report
        assert checked.report.examined == examples
    asked, answered = WhatIf().read(earlier_home, photographs), stored("what_ifs", earlier_home).pop("answers")
    assert asked
    told = [(each, each.found.n, round(each.found.value * each.found.n)) for each in asked.answers]
    assert [(each.labels, each.strength, each.seed, each.train_images, *rest) for each, *rest in told] == [
        tuple(each.values()) for each in answered
    ]
    for folder, found in (
        ("maps", ImageMapStudy().read(earlier_home, photographs)),
        ("rates", LrFinder().read(earlier_home, digits)),
    ):
        kept = stored(folder, earlier_home)
        assert found
        assert known(TypeAdapter(type(found)).dump_python(found, mode="json"), kept) == kept
    assert ImageMapStudy().sheet_file(earlier_home, photographs).is_file()


def test_what_was_computed_of_images_can_be_read(earlier_home: Path) -> None:
    """The rows of a table are found by their images. Today's runs ask for other tables, since a transparent picture stands on
    white by now."""
    test, held = recipe_of(PROBED).dataset.read(0).test, cache_of(earlier_home)
    table = next((earlier_home / "cache").glob(ACTIVATIONS)).name.partition("-")[0]
    with held.open(Table(table, (1280,), np.dtype(np.float32)), test.ids) as rows:
        assert not len(rows.missing())
    assert np.isfinite(rows.read(np.arange(len(test)))).all()
    assert held.size() == sum(file.stat().st_size for file in (earlier_home / "cache").iterdir())


def test_what_was_measured_of_a_network_is_known(earlier_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """But for its profile, which now tells of heads, too, and is made anew."""
    network = recipe_of(PAUSED).backbone
    measured = json.loads(next((earlier_home / "speeds").iterdir()).read_text(encoding="utf-8"))
    monkeypatch.setattr(precision_speeds, "device", lambda: measured["device"])
    found = precision_speeds.read(earlier_home, network, 32)
    assert found
    assert TypeAdapter(Speeds).dump_python(found, mode="json") == measured
    of_study = PrecisionBenchmark().read(earlier_home, replace(recipe_of(PAUSED), given_size=32))
    assert of_study
    assert (of_study.speeds, of_study.finished) == (found, True)


def shown(app: AppTest) -> str:
    """The texts of a page."""
    found = [*app.markdown, *app.caption, *app.info, *app.error, *app.warning, *app.button]
    texts = [getattr(element, "value", None) or element.label for element in found]
    return "\n".join(texts).replace("\\", "").replace("\xa0", " ")


@pytest.mark.parametrize("run_id", [PROBED, TRAINED])
def test_the_result_page_shows_its_numbers(run_id: str, nothing_starts: None) -> None:
    row = RUNS[run_id]["row"]
    app = opened(steps.RESULT.script, run=run_id)
    assert not errors(app)
    share = 100 * row["correct"] / row["test_images"]
    assert re.search(rf"{share:.0f} % \(.*\) of {row['test_images']} test images right", shown(app))


@pytest.mark.parametrize("run_id", RUNS)
def test_the_train_page_shows_it(run_id: str, nothing_starts: None) -> None:
    app, row = opened(steps.TRAIN.script, run=run_id), RUNS[run_id]["row"]
    assert errors(app) == ([row["error"]] if row["error"] else [])
    assert f"-badge[{row['state'].capitalize()}]" in shown(app)


def test_the_compare_page_shows_all_of_them(nothing_starts: None) -> None:
    app = opened(steps.COMPARE.script)
    assert not errors(app)
    table = app.dataframe[0].value
    assert set(table["Run"]) == set(RUNS)


def test_the_dataset_page_shows_what_was_found_in_the_data(nothing_starts: None) -> None:
    address = {name: str(value) for name, value in recipe_of(PROBED).overrides().items()}
    app = opened(steps.DATASET.script, **address)
    assert not errors(app)
    assert "48 images, looked at in" in shown(app)


@pytest.mark.process
def test_its_runs_go_on_to_the_same_bits(store: Store) -> None:
    """The numbers of the steps before the pause say whether this machine computes to the same bits as the one that made it."""
    before = losses(store, PAUSED)
    control.resume(store, PAUSED)
    left_alone = control.start(store, store.run(PAUSED).spec)
    for run_id in (QUEUED, PAUSED, left_alone):
        assert settled(store, run_id).state is State.DONE
    assert [event.data["step"] for event in store.events(PAUSED, "resumed")] == [len(before)]
    require_same_end(store, before, left_alone)


def losses(store: Store, run_id: str) -> list[float]:
    return [event.data["loss"] for event in store.events(run_id, "step")]


def require_same_end(store: Store, before: list[float], left_alone: str) -> None:
    """Fail unless the resumed run ends as one that was left alone, and as the earlier version itself had it end."""
    same_bits = losses(store, left_alone)[: len(before)] == before
    ends = [artifacts.read_predictions(store.folder(run_id)) for run_id in (PAUSED, left_alone)]
    finished = earlier.expected()["finished"]
    if same_bits:
        assert losses(store, PAUSED) == losses(store, left_alone)
        for name, digest in finished["predictions"].items():
            array = getattr(ends[0], name)
            np.testing.assert_array_equal(getattr(ends[1], name), array)
            assert hashlib.sha256(np.ascontiguousarray(array).data).hexdigest() == digest
    np.testing.assert_allclose(ends[0].probabilities, ends[1].probabilities, atol=0.01)
    result = artifacts.read_result(store.folder(PAUSED)).model_dump(mode="json")
    stored = as_today(finished["result"])
    exact = {name: value for name, value in stored.items() if same_bits or name not in ("test_correct", "validation_accuracy")}
    assert known(result, exact) == exact
    assert result["test_correct"] == pytest.approx(stored["test_correct"], abs=2)


OPENED_UNTIL_KILLED = """
import os, signal, sys
from sqlalchemy import Engine, event
from tl_core.runs.store import Store

left = int(sys.argv[2])

def before(connection, cursor=None, statement="", *more):
    global left
    left -= not statement.startswith(("PRAGMA", "SELECT"))
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)

event.listen(Engine, sys.argv[1], before)
Store()
"""
"""Opens the store, and is killed before so many events of SQLAlchemy of that name; statements that only read are none."""


@pytest.mark.parametrize("instants", variants(["commit", "before_cursor_execute"], {"commit"}))
def test_its_migration_may_be_killed_at_any_instant(instants: str, home: Path, tmp_path: Path) -> None:
    whole, code, killed = tmp_path / "whole", -signal.SIGKILL, -1
    earlier.unpack(whole)
    left = rows(whole)
    Store(whole).close()
    while code == -signal.SIGKILL:
        shutil.rmtree(home, ignore_errors=True)
        earlier.unpack(home)
        killed += 1
        code = python(OPENED_UNTIL_KILLED, instants, killed).code
        assert rows(home) == left
        Store().close()
        assert content(home) == content(whole)
    assert code == 0
    assert killed
