"""What every study keeps to: its result is kept by what decides it, grows from nothing, and can be told as a table."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import TypeAdapter

from tl_core.recipe import Recipe, changed
from tl_core.spec import RunSpec
from tl_core.studies import Study, StudyResult, studies


def check_has_a_folder_of_its_own(part: type[Study[StudyResult]]) -> None:
    """Check that no other study has its folder, so that results of two studies do not mix."""
    assert [name for name, other in studies.parts().items() if other.folder == part.folder] == [part.name]


def check_is_found_again_by_what_decides_it(part: type[Study[StudyResult]]) -> None:
    """Check that the same recipe, built anew, has the same file, whatever the study's own example is."""
    files = [part.example().file(Path("home"), Recipe.of(RunSpec())) for _ in range(2)]
    assert files[0] == files[1]
    assert files[0].parent == part.example().place(Path("home"))


def check_its_process_writes_where_the_result_is_looked_for(part: type[Study[StudyResult]]) -> None:
    """Check that what its process is told of a recipe decides the same file, of images and of texts whose size nobody set."""
    for recipe in _recipes():
        told = Recipe.of(part.example().spec_for(recipe))
        assert part.example().file(Path("home"), told) == part.example().file(Path("home"), recipe)


@cache  # whose examples are then looked at once
def _recipes() -> tuple[Recipe, ...]:
    return tuple(Recipe.of(changed(RunSpec(), {"dataset": dataset})) for dataset in ("digits", "docstrings"))


def check_begins_with_nothing_known(part: type[Study[StudyResult]]) -> None:
    """Check that its first result has not finished, is no mistake, and survives JSON."""
    first = part.example().first()
    assert isinstance(first, StudyResult)
    assert (first.finished, first.error, first.share) == (False, "", 0.0)
    kind = TypeAdapter(type(first))
    assert kind.validate_json(kind.dump_json(first)) == first
    assert type(first)()  # a result of a version that had fewer fields is read, too


def check_rows_have_the_same_names(part: type[Study[StudyResult]]) -> None:
    """Check that a table can be made of its rows: of a first result, and of an answer where it needs no network."""
    study = part.example()
    assert len({tuple(row) for row in study.rows(study.first())}) <= 1
    if not study.needs_keras:
        recipe = Recipe.of(RunSpec().with_settings({"dataset": "digits", "dataset.labels_per_class": "3"}))
        with TemporaryDirectory(prefix="transfer_lab_") as folder:
            study.file(Path(folder), recipe).parent.mkdir(parents=True)
            study.answer(Path(folder), recipe, lambda _: 0)
            found = study.read(Path(folder), recipe)
        assert found is not None
        assert found.finished
        assert len({tuple(row) for row in study.rows(found)}) <= 1
