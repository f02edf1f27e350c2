"""How a search goes: what it starts after what, by which numbers it chooses, and what it says of the rest."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.groups.test_cost import PROFILE
from tests.helpers import FEW_CROPS, CommandLine
from tests.tools.ranked import RANKED, keep_ranking, scored
from tests.tools.short_training import outcome
from tl_core.backbones.efficientnet_lite1 import EfficientNetLite1
from tl_core.errors import RunError, SettingError, TransferError
from tl_core.jobs import background
from tl_core.jobs.background import ResultWriter
from tl_core.planning import backbone_profile
from tl_core.planning.backbone_profile import BackboneProfile
from tl_core.recipe import Recipe
from tl_core.runner import search, search_words, service
from tl_core.runner.search import Course
from tl_core.runner.search_result import SearchResult
from tl_core.runs import artifacts, groups
from tl_core.runs.searched import Why
from tl_core.runs.states import State, before
from tl_core.runs.store import Run, Store
from tl_core.spec import RunSpec
from tl_core.studies import backbone_ranking

LITE0, LITE1 = "efficientnet_lite0", "efficientnet_lite1"
RECIPE = Recipe.of(RunSpec().with_settings(FEW_CROPS | {"image_size": 32}))
REACHED = {
    **{(LITE0, "nearest_class_mean"): 50, (LITE0, "linear_probe"): 70, (LITE1, "linear_probe"): 60},
    **{(LITE0, "lp_ft"): 80, (LITE0, "last_blocks"): 75},
}
"""Right of 100 validation images; of the test images it is the other way round. What is not here fails."""
HOUR = 3600.0


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    """A machine that has two networks, both measured, and does at once what is queued."""
    found = Store()
    others = [RECIPE, Recipe.of(RunSpec().with_settings(FEW_CROPS | {"image_size": 32, "backbone": LITE1}))]
    for module in (search, backbone_ranking):
        monkeypatch.setattr(module, "candidates", lambda recipe: others)
    monkeypatch.setattr(EfficientNetLite1, "require_weights", lambda self: None)
    monkeypatch.setattr(BackboneProfile, "read", lambda *_: PROFILE)
    monkeypatch.setattr(service, "ensure", lambda home: finish(found, *found.queue()))
    monkeypatch.setattr(search, "POLL_SECONDS", 0.01)
    return found


def finish(store: Store, *runs: Run) -> None:
    """What processes do of runs."""
    for run in runs:
        for to in (State.STARTING, State.RUNNING):
            assert store.change_state(run.id, before(to), to)
        right = REACHED.get((run.spec.backbone.name, run.spec.strategy.name))
        if right is None:
            assert store.change_state(run.id, before(State.FAILED), State.FAILED, error="It fell over.")
            continue
        told = {"validation_images": 100, "validation_accuracy": right / 100, "test_images": 200, "test_correct": 200 - right}
        result = outcome(4, 0).result.model_copy(update=told)
        (store.folder(run.id) / artifacts.RESULT).write_text(result.model_dump_json(), encoding="utf-8")
        assert store.change_state(run.id, before(State.DONE), State.DONE, **artifacts.summary(result))


def searched(store: Store, tmp_path: Path, seconds: float = HOUR, hurry: Callable[[Course], None] | None = None) -> SearchResult:
    """What a search comes to."""
    writer = ResultWriter(tmp_path / "search.json", SearchResult())
    course = Course(RECIPE, store, writer, seconds)
    if hurry:
        hurry(course)
    course.go()
    return writer.now


def ranked(home: Path, *values: float) -> None:
    """A ranking is kept, with these scores of the two networks."""
    networks = tuple(scored(f"EfficientNet-Lite{n}", f"efficientnet_lite{n}", each, 1, 0.7) for n, each in enumerate(values))
    keep_ranking(home, RECIPE, replace(RANKED, candidates=networks))


def test_front_runners_are_probed_and_the_best_by_validation_images_is_fine_tuned(store: Store, tmp_path: Path) -> None:
    ranked(store.home, 0.8, 0.8)
    found = searched(store, tmp_path)
    first, probes, tuning = (groups.one(store, each).group for each in found.groups)
    assert (first.base["backbone"], first.axes) == ({"name": LITE0}, {"strategy": ("linear_probe", "nearest_class_mean")})
    assert probes.axes == {"backbone": ({"name": LITE0}, {"name": LITE1})}
    assert tuning.axes == {"strategy": ("lp_ft", "fine_tuning", "last_blocks")}
    assert (probes.successive_halving, tuning.successive_halving) == (False, True)
    assert tuning.base["backbone"] == {"name": LITE0}
    best = found.run(found.best)
    assert best
    assert (best.network, best.strategy, best.run_id in found.queued) == ("EfficientNet-Lite0", "Probe, then fine-tune", True)
    assert found.regret
    assert found.regret.value == pytest.approx(0.1)
    assert found.regret.interval
    assert found.regret.interval.low < 0 < found.regret.interval.high
    assert found.test
    assert (found.test.value, found.test.n) == (0.6, 200)
    said = " ".join(search_words.sentences(found))
    assert "Best found: EfficientNet-Lite0 (Probe, then fine-tune), accuracy 80 % (71\N{EN DASH}87) of 100 validation" in said
    assert "Of 200 test examples, which have chosen nothing, it has 60 %" in said
    assert "10 points below it on the validation examples, which may be chance" in said
    assert [search_words.how_far(each) for each in found.tried if each.strategy == "Fine-tuning"] == ["It fell over."]


def test_what_is_behind_beyond_doubt_is_not_probed(store: Store, tmp_path: Path) -> None:
    ranked(store.home, 0.9, 0.8)
    found = searched(store, tmp_path)
    assert {each.network for each in found.tried} == {"EfficientNet-Lite0"}
    assert [(each.network, each.why) for each in found.not_tried] == [("EfficientNet-Lite1", Why.BEHIND)]
    again = searched(store, tmp_path)
    assert (again.best, len(again.groups), again.regret) == (found.best, 2, found.regret)
    assert found.best not in again.queued  # what is there is not made again


FITS = {"no ranking": (8.1, {"Nearest class mean"}), "no fine-tuning": (30.0, {"Nearest class mean", "Linear probe"})}


@pytest.mark.parametrize("lacks", FITS)
def test_what_does_not_fit_is_told_with_its_time(lacks: str, store: Store, tmp_path: Path) -> None:
    seconds, tried = FITS[lacks]
    if lacks != "no ranking":
        ranked(store.home, 0.8, 0.8)
    found = searched(store, tmp_path, seconds)
    assert {each.strategy for each in found.tried} == tried
    left = [each for each in found.not_tried if each.why is Why.BUDGET]
    assert {each.strategy for each in left} >= {"Fine-tuning", "Probe, then fine-tune", "Last blocks"}
    assert all(each.seconds and "It takes about" in search_words.why_not(each) for each in left)
    said = " ".join(search_words.sentences(found))
    assert ("There was no time to rank the 2 networks here" in said) == (lacks == "no ranking")


def test_where_nothing_fits_it_is_said_what_would(store: Store, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"the quickest run takes about .* s, and the ranking about .* s\. Give it more time"):
        searched(store, tmp_path, 1.0)
    assert store.runs() == []


def test_when_time_is_over_its_runs_are_stopped(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ranked(store.home, 0.8, 0.8)
    courses = list[Course]()
    monkeypatch.setattr(service, "ensure", lambda home: setattr(courses[0], "_ends", 0.0))
    with pytest.raises(TransferError, match="Nothing was finished"):
        searched(store, tmp_path, hurry=courses.append)
    assert {run.state for run in store.runs()} == {State.CANCELLED}


def test_who_ends_it_keeps_what_it_had_found(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ranked(store.home, 0.8, 0.8)
    known = searched(store, tmp_path)
    monkeypatch.setattr(service, "ensure", lambda home: None)
    for run_id in known.queued[2:]:
        store.update(run_id, lambda _: {"state": State.QUEUED})
    found = search.stopped(store, replace(known, test=None))
    assert {store.run(run_id).state for run_id in known.queued[2:]} == {State.CANCELLED}
    assert [each.state for each in found.tried] == [State.DONE] * 2 + [State.CANCELLED] * 4
    assert (found.finished, found.stopped) == (True, True)
    assert "Stopped after" in " ".join(search_words.sentences(found))


def test_where_all_fail_the_first_reason_is_told(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ranked(store.home, 0.8, 0.8)
    monkeypatch.setattr(f"{__name__}.REACHED", {})
    with pytest.raises(RunError, match="It fell over"):
        searched(store, tmp_path)


@pytest.mark.process
def test_the_command_searches_and_shows_what_it_found(home: Path) -> None:
    """Fine-tuning is measured to be slow here, so that it is told and not done."""
    ranked(home, 0.9)
    file = backbone_profile._file(home, RECIPE.backbone, RECIPE.input_size)
    file.parent.mkdir(parents=True)
    background.write(file, replace(PROFILE, trained_rate=0.01))
    settings = [part for name, value in (FEW_CROPS | {"image_size": 32}).items() for part in ("--set", f"{name}={value}")]
    done = CommandLine(home).call("search", "--minutes", 60, *settings, "--json")
    assert done.code == 0, done.err
    found = done.json
    assert {(each["strategy"], each["state"]) for each in found["tried"]} == {
        ("Linear probe", "done"),
        ("Nearest class mean", "done"),
    }
    assert {each["why"] for each in found["not_tried"]} == {"budget"}
    assert len(found["not_tried"]) == 3
    assert found["test"]["n"] == 32
    best, alone = (next(each for each in found["tried"] if each["run_id"] == found[name]) for name in ("best", "alone"))
    assert found["regret"]["value"] == best["validation"]["value"] - alone["validation"]["value"] >= 0
    assert [list(each.runs) for each in groups.listed(Store())] == [[each["run_id"] for each in found["tried"]]]
    assert "Best found: EfficientNet-Lite0" in found["conclusion"]
    assert len(found["rows"]) == 5
