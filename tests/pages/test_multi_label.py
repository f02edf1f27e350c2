"""Several labels of an example, from the table on the page Dataset to the comparison, in pages and on the command line."""

import json
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from tests.helpers import CommandLine
from tests.pages.test_regression import page
from tests.tasks.pairs import pairs
from tests.tools.immediate import immediate
from tests.tools.pages import SMALL, errors, opened
from tl_core.checks.projection import map_of
from tl_core.jobs.background import ResultWriter
from tl_core.recipe import Recipe
from tl_core.runs.store import Store
from tl_core.spec import RunSpec
from tl_core.studies.image_map import ImageMapStudy
from tl_core.ui import session, steps

__all__ = ["immediate"]
pytestmark = pytest.mark.usefixtures("nothing_cached", "known_profiles")
METRICS = ["Mean average precision", "Micro F1", "Macro F1 of labels", "Subset accuracy", "Hamming loss"]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pairs(tmp_path_factory.mktemp("pairs"), 3)


@pytest.fixture
def address(table: Path) -> dict[str, str]:
    """The draft that tells which photographs are in an image."""
    return SMALL | {"task": "multi_label", "dataset": "csv_manifest", "dataset.path": str(table), "strategy.epochs": "1"}


def no_accuracy(said: str) -> bool:
    return "accuracy" not in said.lower().replace("subset accuracy", "")


@pytest.mark.usefixtures("immediate")
def test_labels_from_the_command_line_to_the_pages(home: Path, address: dict[str, str]) -> None:
    line = CommandLine(home)
    options = [part for name, value in address.items() for part in ("--set", f"{name}={value}") if name != "task"]
    done = line.call("train", "--task", "multi_label", *options)
    assert done.code == 0, done.err
    assert done.out.splitlines()[1].startswith("Test mean average precision ")
    assert done.out.splitlines()[1].endswith(" on 24 images, 95% interval")
    (told,) = json.loads(line.call("runs", "--json").out)
    assert (told["accuracy"], told["accuracy_interval"]) == (None, None)
    assert list(told["metrics"]) == ["mean_average_precision", "micro_f1", "label_macro_f1", "subset_accuracy", "hamming_loss"]

    result, said = page(steps.RESULT.script, run=told["run_id"])
    assert "### Mean average precision" in said
    assert no_accuracy(said)
    assert [tab.label for tab in result.tabs][:3] == ["Labels", "Precision and recall", "Hardest images"]
    (labels,) = (each.value for each in result.dataframe if "threshold" in each.value)
    assert len(labels) == 5
    assert labels["threshold"].between(0, 1).all()
    (values,) = (each.value for each in result.table)
    assert list(values.index) == METRICS
    _, said = page(steps.TRAIN.script, run=told["run_id"])
    assert "### Test mean average precision" in said

    again = line.call("train", "--task", "multi_label", *options, "--set", "seed=1", "--json").json
    assert [each["class_id"] for each in again["thresholds"]] == list(range(5))
    session.runs.clear()  # the list may be two seconds old
    compared, said = page(steps.COMPARE.script, runs=f"{told['run_id']},{again['run_id']}")
    assert compared.selectbox(key="compare_by").value == "Mean average precision"
    (runs,) = (each.value for each in compared.dataframe if "Mean average precision" in each.value)
    assert runs["Mean average precision"].notna().all()
    for name in ("mean_average_precision", "micro_f1", "hamming_loss"):
        assert "paired bootstrap" in line.call("compare", told["run_id"], again["run_id"], "--metric", name).out
    refused = line.call("compare", told["run_id"], again["run_id"], "--metric", "accuracy")
    assert (refused.code, "This run has no accuracy (other labels)" in refused.err.replace("\n", " ")) == (2, True)


@pytest.mark.full
@pytest.mark.usefixtures("immediate")
def test_labels_of_texts(home: Path, tmp_path: Path) -> None:
    rng, table = np.random.default_rng(0), tmp_path / "texts.csv"
    sets = [[name for name in ("sky", "sea") if rng.random() < 0.5] for _ in range(60)]
    rows = [f"{' '.join(rng.permutation([*has, 'a', 'the', str(row)]))},{'|'.join(has)}" for row, has in enumerate(sets)]
    table.write_text("\n".join(["text,tags", *rows]))
    settings = {"dataset": "csv_text", "dataset.path": table, "backbone": "bag_of_words", "backbone.words": 20}
    options = [f"--set={name}={value}" for name, value in settings.items()]
    done = CommandLine(home).call("train", "--task", "multi_label", *options, "--json")
    assert done.code == 0, done.err
    assert done.json["metrics"]["mean_average_precision"]["value"] > 0.9
    result, _ = page(steps.RESULT.script, run=done.json["run_id"])
    assert "Hardest texts" in [tab.label for tab in result.tabs]
    (hardest,) = (each.value for each in result.dataframe if "Has" in each.value)
    assert set(hardest["Has"]) <= {"none", "sea", "sky", "sea, sky"}


def test_the_dataset_page_shows_the_labels_and_their_shares(address: dict[str, str]) -> None:
    app, said = page(steps.DATASET.script, **address)
    assert "5 labels" in said
    assert "Training images by how many labels they have: " in said
    assert app.selectbox(key="task_name").value == "multi_label"
    assert [button.key for button in app.button if (button.key or "").startswith("ask_")] == ["ask_data_check", "ask_image_map"]


def test_the_map_is_coloured_by_a_label_that_one_chooses(home: Path, address: dict[str, str]) -> None:
    recipe, study = Recipe.of(RunSpec().with_settings(address)), ImageMapStudy()
    data, file = recipe.dataset.load(0), study.file(Store().home, recipe)
    file.parent.mkdir(parents=True)
    found, writer = map_of(data, np.random.default_rng(0).normal(size=(66, 2))), ResultWriter(file, study.first())
    writer.carry_out(lambda: writer.update(map=found), recipe.spec())
    app = opened(steps.DATASET.script, **address)
    assert not errors(app)
    choice = app.selectbox(key="map_label")
    assert [option.partition(" (")[0] for option in choice.options] == list(data.class_names)
    choice.set_value(4).run()
    assert not errors(app)


def test_another_source_says_that_it_has_classes(address: dict[str, str]) -> None:
    drawn = {name: value for name, value in address.items() if not name.startswith("dataset.")}
    app: AppTest = opened(steps.DATASET.script, **(drawn | {"dataset": "digits"}))
    assert any("are classes, and the task asks for sets of labels" in text for text in errors(app))


def test_the_strategy_page_draws_an_output_for_each_label(address: dict[str, str]) -> None:
    _, said = page(steps.STRATEGY.script, **address)
    assert "features to 5 labels" in said
