"""The pages call a dataset by its name, which is somebody else's text, and takes along with the data the name it was given."""

from pathlib import Path

from tests.datasets.test_names import MARKED
from tests.helpers import write_images
from tests.tools.pages import errors, opened
from tl_core.ui import steps


def test_the_pages_say_it_as_plain_text(home: Path, tmp_path: Path) -> None:
    folder = write_images(tmp_path / MARKED, each=8)
    app = opened(steps.DATASET.script, **{"dataset": "image_folder", "dataset.path": str(folder), "image_size": "32"})
    assert not errors(app)
    shown = next(caption.value for caption in app.sidebar.caption if "roses" in caption.value)
    assert shown.startswith(r"roses \[red\] \*now\*")
    assert any(link.proto.label == shown.partition(", ")[0] for link in app.get("page_link"))


def test_a_name_goes_with_its_data(home: Path, tmp_path: Path) -> None:
    folder, other = write_images(tmp_path / "data", each=8), write_images(tmp_path / "other", each=8)
    address = {"dataset": "image_folder", "dataset.path": str(folder), "dataset.left_out": "0" * 16}
    app = opened(steps.DATASET.script, **address)
    app.text_input(key="image_folder_dataset_display_name").set_value("Ours").run()
    assert app.query_params["dataset.display_name"] == "Ours"
    assert app.query_params["dataset.left_out"] == "0" * 16  # a name moves no image into another split
    app.number_input(key="image_folder_dataset_labels_per_class").set_value(2).run()
    assert app.query_params["dataset.display_name"] == "Ours"
    app.text_input(key="image_folder_dataset_path").set_value(str(other)).run()
    assert "dataset.display_name" not in app.query_params
