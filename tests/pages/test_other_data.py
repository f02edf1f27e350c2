"""Result: what a run said of other data, and the form that asks for more."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.helpers import write_images
from tests.tools.pages import errors, opened
from tl_core.notes import Note, NoteKind
from tl_core.result import Better, MetricValue
from tl_core.runs import evaluations
from tl_core.runs.evaluations import ClassCount, Difference, Evaluation
from tl_core.runs.store import Store
from tl_core.spec import PartSpec
from tl_core.ui import steps
from tl_core.ui.session import SPEC

pytestmark = pytest.mark.usefixtures("nothing_cached", "known_profiles")

TO, MINUS, SPACE = "\N{EN DASH}", "\N{MINUS SIGN}", "\N{NO-BREAK SPACE}"
KEPT = Evaluation(
    at=1.8e9,
    dataset=PartSpec(name="image_folder"),
    title="last *month*",
    splits={"train": 240},
    images=230,
    correct=138,
    own_images=800,
    own_correct=710,
    digest="0" * 64,
    metrics=(
        MetricValue(name="balanced_accuracy", value=0.61, low=0.55, high=0.66, n=230, better=Better.HIGHER),
        MetricValue(name="of another version", value=float("nan"), low=None, high=None, n=230, better=Better.LOWER),
    ),
    differences=(
        Difference(name="balanced_accuracy", value=-0.28, low=-0.34, high=-0.22),
        Difference(name="of another version", value=float("nan"), low=None, high=None),
    ),
    classes=(ClassCount(name="astronaut", examples=20, correct=5), ClassCount(name="brick", examples=0, correct=0)),
    notes=(Note(NoteKind.ALREADY_TRAINED_ON, (10, 240), about=("images",)),),
    seconds=4.0,
)


def page(run: str) -> AppTest:
    return opened(steps.RESULT.script, run=run)


def said(app: AppTest) -> str:
    return " ".join(each.value.replace("\\", "") for each in app.markdown)


def test_tests_on_other_data_stand_under_its_own(finished: str) -> None:
    assert "Tested on other data" not in [each.value for each in page(finished).subheader]
    folder = Store().folder(finished)
    evaluations.write(folder, KEPT)
    evaluations.write(folder, KEPT.model_copy(update={"digest": "1" * 64, "title": "newest", "at": 1.9e9}))
    app = page(finished)
    assert "Tested on other data" in [each.value for each in app.subheader]
    assert f"last *month***: 60 % (54{TO}66) of 230 images right, " in said(app)
    assert "below its own test, 89 %" in said(app)
    assert said(app).index("newest") < said(app).index("month")
    assert "Left out of all numbers, since the run was trained or validated on the same ones: 10 of 240 images." in said(app)
    table, _ = (each.value for each in app.table if "Here" in each.value)
    cells = [cell.replace(SPACE, " ") for cell in table.loc["Balanced accuracy"]]
    assert cells[:2] == [f"61 % (55{TO}66)", f"{MINUS}28 points ({MINUS}34 to {MINUS}22)"]
    (recalls, _) = (each.value for each in app.dataframe if "In its own test" in each.value)
    assert recalls["Recall"].fillna("").tolist() == [f"\N{FIGURE SPACE}25 % (11{TO}47)", ""]


def test_the_form_keeps_its_own_draft_and_refuses_what_does_not_fit(finished: str, tmp_path: Path) -> None:
    app = page(finished)
    draft = dict(app.session_state[SPEC])
    app.selectbox(key="other_source").set_value("image_folder").run()
    app.text_input(key="image_folder_dataset_path").set_value(str(write_images(tmp_path / "new"))).run()
    app.button(key="ask_evaluation").click().run()
    (why,) = errors(app)
    assert why.startswith("These data have classes that the run does not know: class0, class1, class2. ")
    app.text_input(key="image_folder_dataset_path").set_value(str(tmp_path / "nowhere")).run()
    app.button(key="ask_evaluation").click().run()
    assert "nowhere" in errors(app)[0]
    assert app.session_state[SPEC] == draft
    assert not evaluations.read(Store().folder(finished))
