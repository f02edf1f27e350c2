"""The words that carried a run's decisions: against the model itself, on long texts, and what is refused."""

import csv
import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tl_core as tl
from tests.helpers import QUICK, keep_run
from tests.tools.answering import answered
from tl_core.analysis.stage_titles import TITLES
from tl_core.data.texts import Texts
from tl_core.errors import RunError
from tl_core.events import Activity
from tl_core.recipe import Recipe
from tl_core.runs import artifacts
from tl_core.runs.states import State
from tl_core.runs.store import Store
from tl_core.spec import RunSpec
from tl_core.studies._occlusion import MOST_PARTS, MOST_WORDS
from tl_core.studies._text_words import TextWords
from tl_core.studies.words import Words, WordsResult
from tl_core.training.train import train

FILLER = ("house", "tree", "cloud", "river", "stone", "bird", "road", "lamp")
SAYS = {"good": "splendid", "bad": "dreadful"}
BAG = {"dataset": "csv_text", "backbone": "bag_of_words", "backbone.words": "40"}


def written(folder: Path, words: int = 9, each: int = 30, **label: Any) -> Path:
    """A table of texts of so many words, of which one tells the class; a few texts hold the word of the other class."""
    rng, rows = random.Random(0), []
    for name, word in SAYS.items():
        other = SAYS["bad" if name == "good" else "good"]
        for number in range(each):
            text = [*rng.choices(FILLER, k=words - 1), other if number % 6 == 5 else word]
            rows.append((" ".join(rng.sample(text, words)) + f" n{name}{number}", label.get(name, name)))
    file = folder / "texts.csv"
    with file.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([("text", "label"), *rows])
    return file


def trained(file: Path, settings: Mapping[str, Any] = BAG) -> str:
    """The id of a run on the table, in the store of the test."""
    spec = Recipe.of(RunSpec().with_settings({**settings, "dataset.path": str(file)})).spec()
    outcome, store = train(spec, lambda event: None), Store()
    keep_run(store, "a", State.DONE, spec, **artifacts.summary(outcome.result))
    store.folder("a").mkdir(parents=True)
    artifacts.write_outcome(store.folder("a"), outcome)
    return "a"


def asked(run: str, **settings: int) -> WordsResult:
    """What the study finds, in this process."""
    return answered(Words(run_id=run, **settings), Store().home, Recipe.of(Store().run(run).spec))


def test_effects_are_those_of_the_model_itself(tmp_path: Path) -> None:
    run = trained(written(tmp_path))
    found, loaded = asked(run), tl.load_run(run)
    assert (found.error, found.share, len(found.texts)) == ("", 1.0, 12)
    recipe, said = Recipe.of(loaded.spec), loaded.predictions
    data = recipe.dataset.load(recipe.seed)
    preprocessor = recipe.adapted_to(data.train).preprocessor()
    names = loaded.result.class_names
    assert [text.example for text in found.texts] == said.hardest[:12].tolist()
    for text in found.texts:
        probabilities = said.probabilities[text.example]
        assert (text.predicted, text.value) == (names[probabilities.argmax()], pytest.approx(probabilities.max(), abs=1e-3))
        assert (text.together, text.untried) == (1, 0)
        words = data.test.read(text.example).split()
        read = [part.strip() for part, _ in text.parts]
        assert read == words[: len(read)]
        assert len(words) == len(read) + text.unread
        without = [" ".join(words), *(" ".join(words[:at] + words[at + 1 :]) for at in range(len(read)))]
        inputs = preprocessor.encode(Texts(tuple(without), np.zeros(len(without), np.int64)), np.arange(len(without)))
        values = np.asarray(loaded.model(inputs.astype(np.float32), training=False))[:, probabilities.argmax()]
        expected = values[0] - values[1:]
        np.testing.assert_allclose([fall for _, fall in text.parts], expected, atol=1e-5)
        telling = {SAYS["bad"], SAYS["good"]}
        assert text.strongest(1)[0][0].strip() in telling
    rows = list(Words().rows(found))
    assert {"text", "predicted", "value", "words", "falls_by"} == set(rows[0])
    assert len(rows) <= 5 * 12


def test_long_texts_take_no_longer_than_others(tmp_path: Path) -> None:
    found = asked(trained(written(tmp_path, words=MOST_WORDS + 100, each=8)), texts=2)
    assert found.error == ""
    for text in found.texts:
        assert (len(text.parts), text.together) == (MOST_PARTS, MOST_WORDS // MOST_PARTS)
        assert sum(len(part.split()) for part, _ in text.parts) == MOST_WORDS
        assert text.untried + text.unread == 101
        assert text.rest


def test_what_the_network_does_not_read_is_told_and_never_moves_up(tmp_path: Path) -> None:
    """Else a word that is left out would have the effect of another one, which the network sees instead of it."""
    settings = {"dataset": "csv_text", "backbone": "text_cnn", "backbone.width": 4, "backbone.sequence_length": 4}
    run = trained(written(tmp_path), settings | {"strategy": "from_scratch", "strategy.epochs": 1})
    found = asked(run, texts=3)
    for text in found.texts:
        assert (len(text.parts), text.unread) == (4, 6)
        assert len(text.rest.split()) == 6


def test_a_predicted_number_is_looked_at_in_its_unit(tmp_path: Path) -> None:
    run = trained(written(tmp_path, good=1000, bad=200), BAG | {"task": "regression"})
    found, said = asked(run, texts=3), tl.load_run(run).predictions
    for text in found.texts:
        assert text.predicted == "label"
        assert text.value == pytest.approx(said.probabilities[text.example], rel=1e-4)
        (word, fall), *_ = text.strongest(1)
        assert (fall > 20) == (word.strip() == SAYS["good"])
        assert (fall < -20) == (word.strip() == SAYS["bad"])


def test_texts_that_have_changed_are_not_explained(tmp_path: Path) -> None:
    run = trained(written(tmp_path))
    (tmp_path / "texts.csv").write_text((tmp_path / "texts.csv").read_text().replace("river", "lake"))
    assert "The texts of this run are not there as they were" in asked(run).error
    (tmp_path / "texts.csv").unlink()
    assert "Put them back where they were" in asked(run).error


def test_other_runs_are_refused(home: Path) -> None:
    store = Store()
    keep_run(store, "b", State.FAILED)
    with pytest.raises(RunError, match="this one is failed"):
        Words(run_id="b").require_possible(Recipe.of(QUICK))
    with pytest.raises(RunError, match="no run of that id"):
        Words(run_id="none").require_possible(Recipe.of(QUICK))


def test_words_without_effect_are_not_named() -> None:
    text = TextWords(1, "good", 0.9, (("a ", 0.0), ("b ", -0.3), ("c", 0.1)))
    assert text.strongest(5) == (("b ", -0.3), ("c", 0.1))
    assert replace(text, parts=()).strongest(5) == ()
    assert TITLES[Activity.LEAVING_OUT_WORDS]
