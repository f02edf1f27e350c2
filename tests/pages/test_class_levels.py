"""The page Dataset on class folders that lie two deep."""

from pathlib import Path

from tests.data.test_class_levels import NAMES, alphabets
from tests.tools.pages import errors, opened
from tl_core.ui import steps


def test_the_levels_are_shown_and_one_is_taken_with_a_click(tmp_path: Path) -> None:
    address = {"dataset": "image_folder", "dataset.path": str(alphabets(tmp_path / "data")), "dataset.labels_per_class": "2"}
    app = opened(steps.DATASET.script, **address)
    assert ["30 lie deeper. Set “Class level” to 1 for 2 classes" in each for each in errors(app)] == [True]
    (offered,) = (frame.value for frame in app.dataframe)
    assert offered.to_numpy().tolist() == [
        [1, 2, 30, "Greek 12, Latin 18"],
        [2, 5, 30, ", ".join(f"{name} 6" for name in NAMES)],
    ]
    app.button(key="class_level_2").click().run()
    assert not app.exception
    assert not errors(app)
    assert app.session_state["draft_spec"]["dataset.class_level"] == 2
    assert "5 classes" in app.sidebar.caption[0].value
    assert app.number_input(key="image_folder_dataset_class_level").value == 2
