"""People's tables and arrays on the Dataset page: what is wrong with them is a sentence, and settings mend it."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from streamlit.testing.v1 import AppTest

from tests.helpers import write_images
from tests.tools.pages import errors, opened
from tl_core.ui import steps

SMALL = {"backbone": "small_cnn", "strategy": "from_scratch", "image_size": "16"}


def page(source: str, file: Path) -> AppTest:
    return opened(steps.DATASET.script, **SMALL, dataset=source, **{"dataset.path": str(file)})


def notes(app: AppTest) -> str:
    return " ".join(info.value for info in app.info).replace("\\", "")


def saved(file: Path, **more: Any) -> Path:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 9, 8, 3), dtype=np.uint8)
    arrays: dict[str, Any] = {"x": pixels, "y": np.arange(40) % 3 - 1} | more
    np.savez(file, **arrays)
    return file


def test_class_names_in_one_text_are_a_sentence(tmp_path: Path) -> None:
    app = page("numpy", saved(tmp_path / "a.npz", class_names=np.array("cat, dog")))
    assert errors(app)[0].startswith("The array class_names is not one whole number or one text for each class.")
    app.run()  # as a reload does
    assert not app.exception
    app = page("numpy", saved(tmp_path / "b.npz"))
    assert not errors(app)
    assert "nearly the same name" not in notes(app)


def test_folds_are_left_alone_and_a_split_column_is_turned_off(tmp_path: Path) -> None:
    write_images(tmp_path / "pets", classes=2, each=20)
    table = pd.DataFrame({"path": sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.png"))})
    table["label"] = table["path"].str.split("/").str[1]
    table.assign(fold=np.arange(40) % 5).to_csv(tmp_path / "a.csv", index=False)
    app = page("csv_manifest", tmp_path / "a.csv")
    assert not errors(app)
    assert "The column fold is not used for the splits: it holds 0, 1, 2 and others, and no split." in notes(app)
    table.assign(split=["train", "later"] * 20).to_csv(tmp_path / "b.csv", index=False)
    app = page("csv_manifest", tmp_path / "b.csv")
    assert "or set \N{LEFT DOUBLE QUOTATION MARK}Split column\N{RIGHT DOUBLE QUOTATION MARK}=none" in errors(app)[0]
    app.text_input(key="csv_manifest_dataset_split_column").set_value("none").run()
    assert not errors(app)
