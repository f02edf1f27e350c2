"""Texts on the pages: chosen with one click, with the networks that take them, and shown where images would be."""

import re
from pathlib import Path

import tl_core as tl
from tests.helpers import CommandLine
from tests.tools.pages import errors, opened
from tl_core.backbones.keras_hub_text import KerasHubText
from tl_core.jobs import background
from tl_core.recipe import Recipe
from tl_core.runs.store import Store
from tl_core.studies._text_words import TextWords
from tl_core.studies.words import Words, WordsResult
from tl_core.ui import steps

BAG = {"dataset": "docstrings", "dataset.labels_per_class": "5", "backbone": "bag_of_words", "backbone.words": "50"}


def test_a_dataset_of_texts_brings_a_network_for_texts(home: Path, known_profiles: None) -> None:
    app = opened(steps.DATASET.script)
    app.button(key="choose_csv_text").click().run()
    assert not app.exception
    app = opened(steps.BACKBONE.script, **BAG)
    assert {"MiniLM", "Bag of words", "Text CNN", "BERT tiny"} < set(app.radio(key="network").options)
    assert not errors(app)
    assert not [field for field in app.number_input if field.label == "Image size"]


def test_a_network_of_a_folder_stands_among_those_that_are_offered(home: Path, known_profiles: None) -> None:
    folder = KerasHubText.example().folder
    given = {"backbone": "keras_hub_text", "backbone.folder": str(folder), "dataset": "docstrings"}
    app = opened(steps.BACKBONE.script, **given)
    assert folder
    assert app.radio(key="network").value == folder.name
    assert app.text_input(key="keras_hub_text_backbone_folder").value == str(folder)
    assert len(errors(app)) == 1  # it has no weights
    app.radio(key="network").set_value("BERT tiny").run()
    assert not app.exception
    assert app.text_input(key="keras_hub_text_backbone_folder").value in (None, "")


def test_its_result_shows_texts(home: Path, known_profiles: None) -> None:
    settings = [f"--set={name}={value}" for name, value in BAG.items() if "." in name]
    done = CommandLine(home).call("train", "--dataset", "docstrings", "--backbone", "bag_of_words", *settings, "--json")
    run = done.json["run_id"]
    app = opened(steps.RESULT.script, run=run)
    assert not errors(app)
    assert "Hardest texts" in [tab.label for tab in app.tabs]
    assert any({"Text", "Is", "Taken for"} <= set(table.value.columns) for table in app.dataframe)
    assert any("This run is a control itself" in caption.value for caption in app.caption)
    assert app.button(key="ask_words").label == "Show the words that decided"
    shows_the_words_that_decided(run)


def shows_the_words_that_decided(run: str) -> None:
    """They are shaded and told in words, and what a text says is never read as a mark-up."""
    store, said = Store(), tl.load_run(run).predictions
    parts = (("<b>Fourier</b> ", 0.4), ("\N{RIGHT-TO-LEFT OVERRIDE}$x$ ", -0.1), ("the ", 0.01), ("*end*", 0.0))
    text = TextWords(int(said.hardest[0]), "fft", 0.9, parts, together=2, untried=7, unread=1200, rest="& <i>more</i>")
    study, recipe = Words(run_id=run), Recipe.of(store.run(run).spec)
    file = study.file(store.home, recipe)
    file.parent.mkdir()
    background.write(file, WordsResult(finished=True, done=1.0, texts=(text,)))
    app = opened(steps.RESULT.script, run=run)
    assert not errors(app)
    (drawn,) = [body for element in app.get("html") if "Fourier" in (body := element.proto.body)]
    assert "<b>" not in drawn
    assert "<i>" not in drawn
    assert re.findall("<mark[^>]*>([^<]*)</mark>", drawn) == ["&lt;b&gt;Fourier&lt;/b&gt;", " $x$"]
    assert "the *end*" in drawn
    assert "&amp; &lt;i&gt;more" in drawn
    (told,) = [each.value.replace("\\", "") for each in app.caption if "Most change" in each.value]
    assert "<b>Fourier</b> \N{MINUS SIGN}40.0 points, " in told
    assert "$x$ +10.0 points, the \N{MINUS SIGN}1.0 points. It is long, so 2 neighbouring words were left out" in told
    assert "7 more words are read and were not left out. The last 1,200 words are not read by the network." in told
    assert any("is **" in each.value and "taken for fft, 90" in each.value for each in app.markdown)
    assert app.button(key="ask_words").label == "Compute again"
