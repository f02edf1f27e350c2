"""Datasets of Hugging Face's library, made by itself."""

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from pydantic import ValidationError

from tests.helpers import python, write_images
from tl_core.data.formats.hub_folder import tables_of_hub
from tl_core.datasets import huggingface
from tl_core.datasets.huggingface import HuggingFace
from tl_core.errors import DataError
from tl_core.notes import sentences

library = pytest.importorskip("datasets")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library.config, "HF_DATASETS_CACHE", tmp_path / "cache")


def encoded(seed: int, kind: str = "PNG") -> bytes:
    written = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (20, 24, 3), dtype=np.uint8)).save(written, kind)
    return written.getvalue()


def table(count: int, first: int = 0) -> Any:
    features = library.Features({"image": library.Image(), "label": library.ClassLabel(names=["cat", "dog"])})
    rows = {
        "image": [{"bytes": encoded(first + number)} for number in range(count)],
        "label": [number % 2 for number in range(count)],
    }
    return library.Dataset.from_dict(rows, features=features)


def test_what_the_library_saved(tmp_path: Path) -> None:
    table(40).save_to_disk(str(tmp_path / "saved"))
    data = HuggingFace(path=tmp_path / "saved").load(0)
    assert data.class_names == ("cat", "dog")
    assert (len(data.train), len(data.validation), len(data.test)) == (26, 4, 10)
    assert data.train.read(0).shape == (20, 24, 3)
    whole = {hashlib.sha256(encoded(number)).digest() for number in range(40)}
    assert {digest for images in data.splits.values() for digest in images.ids} == whole


def test_splits_are_kept(tmp_path: Path) -> None:
    splits = {"train": table(20), "test": table(6, 100), "validation": table(4, 200), "unsupervised": table(4, 300)}
    library.DatasetDict(splits).save_to_disk(str(tmp_path / "saved"))
    data = HuggingFace(path=tmp_path / "saved").load(0)
    assert [len(images) for images in data.splits.values()] == [20, 4, 6]
    assert sentences(data.notes) == ("Splits left out: unsupervised.",)


def test_a_folder_of_images(tmp_path: Path) -> None:
    write_images(tmp_path / "pets", classes=2, each=20)
    data = HuggingFace(path=tmp_path / "pets").load(0)
    assert len(data.class_names) == 2
    assert sum(map(len, data.splits.values())) == 40
    assert data.train.name(0).endswith(".png")


def test_a_broken_image_is_named_when_it_is_read(tmp_path: Path) -> None:
    rows = {"image": [{"bytes": encoded(number)[: 60 if number == 3 else None]} for number in range(8)], "label": ["a", "b"] * 4}
    features = library.Features({"image": library.Image(), "label": library.Value("string")})
    library.Dataset.from_dict(rows, features=features).save_to_disk(str(tmp_path / "saved"))
    train = HuggingFace(path=tmp_path / "saved", validation_share=0, test_share=0.3).read(0)
    broken = 0
    for images in train.splits.values():
        for index in range(len(images)):
            try:
                images.read(index)
            except DataError as error:
                broken += 1
                assert "image 3" in str(error)
    assert broken == 1


def test_images_without_a_label_are_left_out(tmp_path: Path) -> None:
    """As the hub has them in test sets: -1 among the numbers of classes, nothing among names."""
    features = library.Features({"image": library.Image(), "label": library.ClassLabel(names=["cat", "dog"])})
    rows = {"image": [{"bytes": encoded(number)} for number in range(24)], "label": [0, 1, -1] * 8}
    library.Dataset.from_dict(rows, features=features).save_to_disk(str(tmp_path / "numbers"))
    rows["label"] = ["cat", "dog", None] * 8
    library.Dataset.from_dict(rows).cast_column("image", library.Image()).save_to_disk(str(tmp_path / "names"))
    for saved in ("numbers", "names"):
        data = HuggingFace(path=tmp_path / saved).load(0)
        assert data.class_names == ("cat", "dog")
        assert sum(map(len, data.splits.values())) == 16
        assert "Images without a label: 8 left out." in sentences(data.notes)
    rows["label"] = [None] * 24
    library.Dataset.from_dict(rows).cast_column("image", library.Image()).save_to_disk(str(tmp_path / "none"))
    with pytest.raises(DataError, match="No image to train on has a label"):
        HuggingFace(path=tmp_path / "none").load(0)


def test_a_table_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    pd.DataFrame({"image": [encoded(0)] * 3, "label": [0, 1, 0]}).to_parquet(tmp_path / "data" / "train.parquet")
    whole = (tmp_path / "data" / "train.parquet").read_bytes()
    (tmp_path / "data" / "train.parquet").write_bytes(whole[:4] + b"\xff" * 200 + whole[204:])
    with pytest.raises(DataError, match=r"The dataset cannot be loaded .*Check the folder"):
        HuggingFace(path=tmp_path / "data").load(0)


def test_to_look_without_a_network_forbids_no_run_to_fetch(tmp_path: Path) -> None:
    """What a process is forbidden its children are, too, if it stays in its environment."""
    table(8).save_to_disk(str(tmp_path / "saved"))
    code = (
        "import os, sys; from pathlib import Path; from tl_core.datasets.huggingface import HuggingFace\n"
        "HuggingFace(path=Path(sys.argv[1])).load(0); import datasets\n"
        "print(os.environ.get('HF_HUB_OFFLINE'), datasets.config.HF_HUB_OFFLINE)"
    )
    assert python(code, tmp_path / "saved").out == "None True\n"


def test_columns_by_name(tmp_path: Path) -> None:
    table(20).rename_columns({"image": "scan", "label": "finding"}).save_to_disk(str(tmp_path / "saved"))
    with pytest.raises(DataError, match=r"No column holds the labels\. Name one of these: scan, finding"):
        HuggingFace(path=tmp_path / "saved").load(0)
    assert len(HuggingFace(path=tmp_path / "saved", label_column="finding").load(0).test) == 4


def test_what_is_not_here_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No dataset is chosen yet"):
        HuggingFace().load(0)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"The dataset cannot be loaded .*Check the folder"):
        HuggingFace(path=tmp_path / "empty").load(0)
    with pytest.raises(DataError, match=r"The dataset cannot be loaded .*or set dataset\.download=true"):
        HuggingFace(repository="nobody/nothing").load(0)
    assert HuggingFace(repository="nobody/nothing", download=True).fetches
    assert not HuggingFace(path=tmp_path, download=True).fetches


def test_without_the_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(huggingface.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"not installed\. Run: pip install -r requirements-sources\.txt"):
        HuggingFace(path=tmp_path).load(0)


def test_a_path_in_the_table_leads_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(encoded(0))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "inside.png").write_bytes(encoded(1))
    places = {"a": "secret.png", "b": "data/inside.png"}
    rows = [{"image": {"bytes": None, "path": str(tmp_path / name)}, "label": label} for label, name in places.items()]
    more = [{"image": {"bytes": encoded(2 + number), "path": None}, "label": "ab"[number % 2]} for number in range(8)]
    pd.DataFrame([*rows, *more]).to_parquet(tmp_path / "data" / "train.parquet")
    data = HuggingFace(path=tmp_path / "data", validation_share=0).load(0)
    found = {digest for images in data.splits.values() for digest in images.ids}
    assert hashlib.sha256(encoded(1)).digest() in found
    assert hashlib.sha256(encoded(0)).digest() not in found


OUTSIDE = r"lies outside of its folder\. Give the folder that holds all of it\. Received: .*secret"


@pytest.mark.parametrize("leads", ["../secret.parquet", "link.parquet"])
def test_a_readme_leads_nowhere_else(leads: str, tmp_path: Path) -> None:
    pd.DataFrame([{"image": {"bytes": encoded(each), "path": None}, "label": "ab"[each % 2]} for each in range(8)]).to_parquet(
        tmp_path / "secret.parquet"
    )
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "link.parquet").symlink_to(tmp_path / "secret.parquet")
    described = f"---\nconfigs:\n- config_name: default\n  data_files:\n  - split: train\n    path: {leads}\n---\n"
    (tmp_path / "data" / "README.md").write_text(described)
    with pytest.raises(DataError, match=OUTSIDE if leads.startswith("..") else r"lies outside of its folder.*link"):
        HuggingFace(path=tmp_path / "data").load(0)
    (tmp_path / "data" / "link.parquet").unlink()
    (tmp_path / "secret.parquet").rename(tmp_path / "data" / "mine.parquet")
    (tmp_path / "data" / "README.md").write_text(described.replace(leads, "mine.parquet"))
    assert HuggingFace(path=tmp_path / "data", validation_share=0).load(0).class_names == ("a", "b")


@pytest.mark.parametrize("name", ["README.md", ".huggingface.yaml"])
@pytest.mark.parametrize("leads", ["http://127.0.0.1:1/secret.parquet", "zip://secret.parquet::/tmp/a.zip"])
def test_a_description_fetches_nothing(leads: str, name: str, tmp_path: Path) -> None:
    described = f"configs:\n- config_name: default\n  data_files:\n  - split: train\n    path: {leads}\n"
    (tmp_path / name).write_text(f"---\n{described}---\n" if name == "README.md" else described)
    with pytest.raises(DataError, match=OUTSIDE):
        HuggingFace(path=tmp_path).load(0)


def test_the_hub_is_given_no_file_of_this_machine(tmp_path: Path) -> None:
    """Its cards may name one, by its whole path; how the library resolves what a card names can be seen in a folder, too."""
    table(8).to_parquet(str(tmp_path / "secret.parquet"))
    (tmp_path / "card").mkdir()
    described = f"configs:\n- config_name: default\n  data_files:\n  - split: train\n    path: {tmp_path}/secret.parquet\n"
    (tmp_path / "card" / "README.md").write_text(f"---\n{described}---\n")
    assert library.load_dataset(str(tmp_path / "card"))["train"].num_rows == 8
    with pytest.raises(DataError, match=OUTSIDE):
        tables_of_hub(library, str(tmp_path / "card"), None)


@pytest.mark.parametrize("file", ["dataset_dict.json", "state.json"])
def test_what_was_saved_leads_nowhere_else(file: str, tmp_path: Path) -> None:
    table(8).save_to_disk(str(tmp_path / "secret"))
    library.DatasetDict({"train": table(8)}).save_to_disk(str(tmp_path / "data"))
    if file == "state.json":
        state = tmp_path / "data" / "train" / file
        said = json.loads(state.read_text())
        said["_data_files"] = [{"filename": f"../../secret/{said['_data_files'][0]['filename']}"}]
        state.write_text(json.dumps(said))
    else:
        (tmp_path / "data" / file).write_text(json.dumps({"splits": ["../secret"]}))
    with pytest.raises(DataError, match=OUTSIDE):
        HuggingFace(path=tmp_path / "data").load(0)


@pytest.mark.parametrize("name", ["../elsewhere", "/etc", "a/../b", "a/b/c", "a b"])
def test_a_name_on_the_hub_is_no_path(name: str) -> None:
    with pytest.raises(ValidationError):
        HuggingFace(repository=name)


def test_a_folder_here_is_not_taken_for_a_name_on_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "some" / "data").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="This is a folder here"):
        HuggingFace(repository="some/data").load(0)
