"""The learning-rate finder in its own process: what is kept, what is seen meanwhile, and how it can go wrong."""

from pathlib import Path

import pytest

from tests.helpers import QUICK, end_processes_of, processes_of, wait_until, write_images
from tl_core.errors import StorageError
from tl_core.recipe import Recipe
from tl_core.spec import RunSpec
from tl_core.studies import COMMAND
from tl_core.studies.lr_finder import FEWEST_STEPS, MOST_STEPS, LrFinder, LrFinderResult, steps_within
from tl_core.system.settings import DATA_ROOTS_VARIABLE

RECIPE = Recipe.of(QUICK)


def searched(home: Path, recipe: Recipe, steps: int = 40) -> LrFinderResult:
    LrFinder(steps=steps).request(home, recipe)
    return wait_until(lambda: (found := LrFinder().read(home, recipe)) and (found if found.finished else None))


@pytest.mark.process
def test_it_is_found_and_kept(home: Path) -> None:
    assert LrFinder().read(home, RECIPE) is None
    for _ in range(3):
        LrFinder(steps=40).request(home, RECIPE)
    assert len(wait_until(lambda: processes_of(home, COMMAND))) == 1
    began = LrFinder().read(home, RECIPE)
    assert began
    assert not began.finished
    found = searched(home, RECIPE)
    assert found.error == ""
    assert found.phase == "everything"
    assert 10 <= len(found.curve.rates) <= 40
    assert found.curve.suggestion
    wait_until(lambda: not processes_of(home, COMMAND))
    assert LrFinder().read(home, RECIPE) == found


def test_neither_rate_nor_epochs_make_another_search() -> None:
    def key(**settings: object) -> Path:
        return LrFinder().file(Path(), Recipe.of(QUICK.with_settings({f"strategy.{name}": v for name, v in settings.items()})))

    assert key(learning_rate=0.1) == key(epochs=7) == key()
    assert len({key(), key(batch_size=8), key(schedule="cosine"), LrFinder().file(Path(), Recipe.of(RunSpec()))}) == 4


@pytest.mark.process
def test_a_process_that_was_killed_leaves_no_search_at_work(home: Path) -> None:
    endless = Recipe.of(QUICK.with_settings({"strategy.batch_size": 1}))
    LrFinder(steps=100_000).request(home, endless)
    wait_until(lambda: (found := LrFinder().read(home, endless)) and found.curve.rates)
    end_processes_of(home)
    wait_until(lambda: LrFinder().read(home, endless) is None)
    LrFinder(steps=100_000).request(home, endless)
    assert len(wait_until(lambda: processes_of(home, COMMAND))) == 1
    end_processes_of(home)


@pytest.mark.process
def test_a_mistake_is_said_in_its_sentence(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DATA_ROOTS_VARIABLE, str(tmp_path))
    folder = write_images(tmp_path / "pictures")
    recipe = Recipe.of(QUICK.with_settings({"dataset": "image_folder", "dataset.path": str(folder)}))
    folder.rename(tmp_path / "elsewhere")
    found = searched(home, recipe)
    assert str(folder) in found.error
    assert "Traceback" not in found.error


def test_what_is_damaged_is_no_search(home: Path) -> None:
    file = LrFinder().file(home, RECIPE)
    file.parent.mkdir(parents=True)
    for content in ("", "{", '{"planned": "x"}'):
        file.write_text(content)
        assert LrFinder().read(home, RECIPE) is None


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "rates").write_text("a file")
    with pytest.raises(StorageError):
        LrFinder(steps=10).request(tmp_path, RECIPE)


def test_so_many_steps_as_the_time_allows() -> None:
    assert steps_within(0.0) == steps_within(0.4) == MOST_STEPS
    assert steps_within(1.0) == 40
    assert steps_within(60.0) == FEWEST_STEPS


@pytest.mark.full
@pytest.mark.process
def test_no_descriptor_is_left_open(home: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    searched(home, RECIPE, 2)
    wait_until(lambda: not processes_of(home, COMMAND))
    assert len(list(Path("/proc/self/fd").iterdir())) <= before
