"""Predict: how pictures come, and what is shown of each."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from tests.helpers import keep_run
from tests.tools.pages import errors, opened
from tl_core.analysis.heat_check import Areas
from tl_core.analysis.out_of_distribution import Threshold
from tl_core.data.formats.pictures import bring
from tl_core.datasets import Modality
from tl_core.jobs import background
from tl_core.notes import Note, NoteKind
from tl_core.recipe import Recipe
from tl_core.runs.states import State
from tl_core.runs.store import Store
from tl_core.spec import RunSpec
from tl_core.studies._predicted import Fitted, PredictedExample, Shown, TrainingExample
from tl_core.studies._text_words import TextWords
from tl_core.studies.prediction import GIVEN, Prediction, PredictionResult
from tl_core.ui import predictions, steps
from tl_core.ui.charts.predicted import with_heat

NEAREST = (TrainingExample("image 7", "coffee", 0.31), TrainingExample("image 9", "coins", 0.52))
GOOD = PredictedExample(
    "my_*cup*.png",
    outputs=(("coffee", 0.91), ("coins", 0.06)),
    nearest=NEAREST,
    distance=0.52,
    is_outside=False,
    areas=Areas(0.1, 0.8),
)
STRANGE = PredictedExample(
    "x.png", outputs=(("moon", 0.88),), nearest=NEAREST, distance=1.4, is_outside=True, areas=Areas(0.5, 0.4)
)
BROKEN = PredictedExample("b.png", reason="its content is not an image")
LIMIT = Threshold(k=2, distance=1.1, fitted_on="validation", fitted=160, tested=800, alarms=44)


def picture() -> bytes:
    """A picture as somebody has it."""
    stream = io.BytesIO()
    Image.fromarray(np.full((20, 30, 3), 90, np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def told(app: AppTest) -> list[str]:
    """What is said in paragraphs, as it is read."""
    return [each.value.replace("\\", "") for each in (*app.markdown, *app.caption)]


def answered(
    run: str, *pictures: PredictedExample, map_size: tuple[int, int] | None = (3, 3), notes: tuple[Note, ...] = ()
) -> None:
    """A finished run was asked about `picture()`, and said this."""
    study = asked(run)
    recipe = Recipe.of(Store().run(run).spec)
    readable = [number for number, each in enumerate(pictures) if not each.reason]
    pixels, heat = np.zeros((len(readable), 8, 8, 3), np.uint8), np.zeros((len(readable) if map_size else 0, 8, 8), np.uint8)
    Shown(np.array(readable), pixels, heat, np.zeros((len(readable), 2, 8, 8, 3), np.uint8)).write(
        study.shown_file(Store().home, recipe)
    )
    found = PredictionResult(finished=True, examples=pictures, threshold=LIMIT, map_size=map_size, notes=notes)
    background.write(study.file(Store().home, recipe), found)


def asked(run: str, *given: tuple[str, bytes]) -> Prediction:
    """What the page asks about the files `given`, or about `picture()`."""
    files = bring(given or [("a.png", picture())], Prediction(run_id=run).place(Store().home) / GIVEN)
    return Prediction(run_id=run, files=files, top=predictions.TOP, shown=predictions.CARDS)


def given(run: str) -> AppTest:
    """The page after a picture was brought."""
    app = opened(steps.PREDICT.script, run=run)
    app.file_uploader(key="predict_files").set_value([("a.png", picture(), "image/png")]).run()
    assert not app.exception
    return app


def test_before_a_picture_is_there_it_says_what_will_be(finished: str) -> None:
    app = opened(steps.PREDICT.script, run=finished)
    assert app.info[0].value == "What the run says of your pictures will be here. Bring one to begin."
    app.radio(key="predict_from").set_value(predictions.CAMERA).run()
    assert len(app.get("camera_input")) == 1


def test_a_picture_that_is_brought_can_be_asked_about(finished: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = list[Prediction]()
    monkeypatch.setattr(Prediction, "request", lambda study, home, recipe: wanted.append(study))
    app = given(finished)
    assert "1 file" in [each.value for each in app.sidebar.caption]
    app.button(key="ask_prediction").click().run()
    (study,) = wanted
    assert study == asked(finished)
    assert study.files[0].read_bytes() == picture()


def test_it_is_shown_what_is_said_and_what_is_near(finished: str) -> None:
    answered(finished, GOOD, BROKEN, notes=(Note(NoteKind.LINKS_OUT, (1,), ("b",)),))
    app = given(finished)
    said = told(app)
    assert "1 predicted, 1 could not be read. It does not look unlike anything that the run has learned from." in said
    assert any(
        "Of the 800 test images, which are of the run's own kind, it comes for 6 % (4\N{EN DASH}7)." in each for each in said
    )
    assert "**my_*cup*.png**" in said
    assert any("points at what matters here: the probability is 10 % on average" in each for each in said)
    assert errors(app) == ["b.png cannot be read: its content is not an image."]
    assert len(app.get("plotly_chart")) == 1
    assert len(app.get("image")) == 3  # the picture and its two neighbours
    assert not app.warning
    assert app.toggle(key="predict_heat").value
    assert not app.toggle(key="predict_heat").set_value(False).run().exception
    assert len(app.get("download_button")) == 1


def test_what_lies_outside_is_warned_about(finished: str) -> None:
    answered(finished, STRANGE, map_size=None)
    app = given(finished)
    assert [each.value for each in app.warning] == [predictions.OUTSIDE]
    assert any("does not point at what matters here" in each for each in told(app))
    assert "Where it looks cannot be shown: this network has no map of the places of a picture." in told(app)


def test_a_run_of_texts_is_asked_about_texts(home: Path) -> None:
    keep_run(Store(), "texts", State.DONE, RunSpec().with_settings({"dataset": "docstrings", "backbone": "bag_of_words"}))
    app = opened(steps.PREDICT.script, run="texts")
    assert app.info[0].value == "What the run says of your texts will be here. Write one to begin."
    assert not app.radio
    lines = "such a *fine* day\n\nand a poor one"
    app.text_area(key="predict_texts").set_value(lines).run()
    study = asked("texts", ("written.txt", lines.encode()))
    words = TextWords(0, "good", 0.9, (("such a *fine* ", 0.4), ("<b>day</b>", 0.0)))
    near = (TrainingExample("a fine evening", "good", 0.2),)
    fine = PredictedExample("such a *fine* day", outputs=(("good", 0.9), ("bad", 0.1)), nearest=near, words=words)
    poor = PredictedExample("and a poor one", outputs=(("bad", 0.8), ("good", 0.2)), nearest=near, is_outside=True)
    found = PredictionResult(finished=True, modality=Modality.TEXTS, examples=(fine, poor), fitted=Fitted(40, temperature=1.25))
    file = study.file(Store().home, Recipe.of(Store().run("texts").spec))
    background.write(file, found)
    app.run()
    assert not errors(app)
    assert [each.value for each in app.warning] == [predictions.OUTSIDE]
    assert any("was fitted to 40 validation texts" in each for each in told(app))
    assert any("Most change without: such a *fine*" in each for each in told(app))
    assert [list(table.value["Is"]) for table in app.dataframe] == [["good"], ["good"]]
    assert len(app.get("plotly_chart")) == 2
    assert not app.get("image")
    app.file_uploader(key="predict_files").set_value([("mine.csv", b"text\nx\n", "text/csv")]).run()
    assert app.text_input(key="predict_column").value == ""


def test_a_number_has_its_interval(home: Path) -> None:
    keep_run(Store(), "number", State.DONE, RunSpec().with_settings({"task": "regression", "dataset": "csv_manifest"}))
    answered("number", PredictedExample("a.png", outputs=(("side", 120.0),), interval=(105.0, 135.0)), map_size=None)
    assert "side: **120** (95 %: 105 to 135)" in told(given("number"))


def test_heat_is_seen_on_any_picture() -> None:
    orange = np.full((2, 1, 3), (230, 120, 20), np.uint8)
    cold, hot = with_heat(orange, np.array([[0], [255]], np.uint8))[:, 0].astype(int)
    assert len(set(cold)) == 1
    assert np.ptp(hot) > 100
