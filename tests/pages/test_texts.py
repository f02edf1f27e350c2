"""Texts on the pages: chosen with one click, with the networks that take them, and shown where images would be."""

from pathlib import Path

from tests.helpers import CommandLine
from tests.tools.pages import errors, opened
from tl_core.ui import steps

BAG = {"dataset": "docstrings", "dataset.labels_per_class": "5", "backbone": "bag_of_words", "backbone.words": "50"}


def test_a_dataset_of_texts_brings_a_network_for_texts(home: Path, known_profiles: None) -> None:
    app = opened(steps.DATASET.script)
    app.button(key="choose_csv_text").click().run()
    assert not app.exception
    app = opened(steps.BACKBONE.script, **BAG)
    assert set(app.radio(key="network").options) == {"MiniLM", "Bag of words", "Text CNN"}
    assert not errors(app)
    assert not [field for field in app.number_input if field.label == "Image size"]


def test_its_result_shows_texts(home: Path, known_profiles: None) -> None:
    settings = [f"--set={name}={value}" for name, value in BAG.items() if "." in name]
    done = CommandLine(home).call("train", "--dataset", "docstrings", "--backbone", "bag_of_words", *settings, "--json")
    run = done.json["run_id"]
    app = opened(steps.RESULT.script, run=run)
    assert not errors(app)
    assert "Hardest texts" in [tab.label for tab in app.tabs]
    assert any({"Text", "Is", "Taken for"} <= set(table.value.columns) for table in app.dataframe)
    assert any("This run is a control itself" in caption.value for caption in app.caption)
