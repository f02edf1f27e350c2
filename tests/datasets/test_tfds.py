"""Datasets that TensorFlow Datasets prepared, made by itself in a process of its own."""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tl_core.checks.scan import examine
from tl_core.data.formats import tfrecords
from tl_core.datasets.tfds import TensorFlowDatasets
from tl_core.errors import DataError
from tl_core.notes import sentences

PREPARE = """
import hashlib, json, sys
import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

def examples(count, seed, labelled):
    rng = np.random.default_rng(seed)
    for number in range(count):
        yield {"image": rng.integers(0, 256, (20, 24, 3), dtype=np.uint8), "label": number % 3 if labelled else -1, "id": number}

kinds = {"image": tf.TensorSpec((None, None, 3), "uint8"), "label": tf.TensorSpec((), "int64"), "id": tf.TensorSpec((), "int64")}
splits = {
    name: tf.data.Dataset.from_generator(lambda given=given: examples(*given), output_signature=kinds)
    for name, given in {"train": (30, 0, True), "test": (9, 1, True), "validation": (6, 2, False), "more": (3, 3, True)}.items()
}
features = {
    "image": tfds.features.Image(encoding_format="png"),
    "label": tfds.features.ClassLabel(names=["red", "green", "blue"]),
    "id": np.int64,
}
made = tfds.dataset_builders.store_as_tfds_dataset(
    name="tiny", version="1.0.0", data_dir=sys.argv[1], split_datasets=splits, features=tfds.features.FeaturesDict(features)
)
rows = tfds.as_numpy(made.as_dataset("train"))
found = [[hashlib.sha256(row["image"].tobytes()).hexdigest(), int(row["label"])] for row in rows]
print("\\n" + json.dumps(found))
"""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[list[object]]]:
    """A folder of datasets, and the pixels and labels of its training images as the library itself reads them."""
    pytest.importorskip("tensorflow_datasets")
    folder = tmp_path_factory.mktemp("prepared")
    told = subprocess.run([sys.executable, "-c", PREPARE, str(folder)], capture_output=True, text=True, check=True)
    return folder, json.loads(told.stdout.splitlines()[-1])


@pytest.fixture
def prepared(kept: tuple[Path, list[list[object]]], tmp_path: Path) -> Path:
    """A copy of it that a test may spoil."""
    return Path(shutil.copytree(kept[0], tmp_path / "tensorflow_datasets"))


def version(folder: Path) -> Path:
    return folder / "tiny" / "1.0.0"


def load(folder: Path, **settings: object) -> object:
    return TensorFlowDatasets.model_validate({"path": folder, **settings}).load(0)


def test_what_the_library_prepared(kept: tuple[Path, list[list[object]]]) -> None:
    data = TensorFlowDatasets(path=kept[0]).load(0)
    assert data.class_names == ("red", "green", "blue")
    # the validation split has no labels, so that three of the thirty are set aside for it
    assert [len(images) for images in data.splits.values()] == [27, 3, 9]
    assert sentences(data.notes)[:2] == ("Splits left out: more.", "The validation split has no labels and is left out.")
    found = [
        [hashlib.sha256(images.read(index).tobytes()).hexdigest(), int(images.labels[index])]
        for images in (data.train, data.validation)
        for index in range(len(images))
    ]
    assert sorted(found, key=str) == sorted(kept[1], key=str)


def test_the_folder_may_be_that_of_the_version(kept: tuple[Path, list[list[object]]]) -> None:
    whole, version_alone = (TensorFlowDatasets(path=folder).load(0) for folder in (kept[0], version(kept[0])))
    assert whole.digest() == version_alone.digest()


def test_what_the_images_are_is_told(kept: tuple[Path, list[list[object]]]) -> None:
    report = examine(TensorFlowDatasets(path=kept[0]).read(0), lambda done, images: None)
    assert report.formats == {"PNG": 39}
    assert not report.broken


def test_several_datasets_are_not_guessed_among(prepared: Path) -> None:
    shutil.copytree(version(prepared), prepared / "tiny" / "2.0.0")
    with pytest.raises(DataError, match=r"Several datasets lie here.*tiny/1\.0\.0, tiny/2\.0\.0"):
        load(prepared)


def test_what_is_missing_is_told(prepared: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No folder is chosen yet"):
        TensorFlowDatasets().load(0)
    with pytest.raises(DataError, match="prepared nothing here"):
        load(shutil.copytree(prepared / "tiny" / "1.0.0", tmp_path / "bare", ignore=lambda *_: ["dataset_info.json"]))
    train = next(version(prepared).glob("*-train.*"))
    train.rename(train.with_name(train.name.replace("of-00001", "of-00002")))
    with pytest.raises(DataError, match=r"Files of the train split are missing.*1 of 2"):
        load(prepared)
    for file in version(prepared).glob("*.tfrecord*"):
        file.unlink()
    with pytest.raises(DataError, match=r"no TFRecord files here.*format tfrecord.*tfrecord"):
        load(prepared)


def test_another_feature_by_name(prepared: Path) -> None:
    with pytest.raises(DataError, match=r"no such feature\. It has these: .*image"):
        load(prepared, image_feature="id")
    with pytest.raises(DataError, match=r"no such feature"):
        load(prepared, label_feature="id")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[" * 100_000,
        b"[]",
        b'{"featuresDict": {"features": {"text": {"text": {}}}}}',
        b'{"featuresDict": {"features": {"image": {"image": {}}, "label": {"classLabel": {"numClasses": "1e9"}}}}}',
        b'{"featuresDict": {"features": {"image": {"image": {}}, "label": {"classLabel": {"numClasses": "999999999999"}}}}}',
    ],
)
def test_a_description_that_is_none(prepared: Path, content: bytes) -> None:
    (version(prepared) / "features.json").write_bytes(content)
    with pytest.raises(DataError, match=r"cannot be read|not one of images|no such feature"):
        load(prepared)


def test_classes_without_names_have_numbers(prepared: Path) -> None:
    (version(prepared) / "label.labels.txt").unlink()
    assert TensorFlowDatasets(path=prepared).load(0).class_names == ("0", "1", "2")


def test_a_file_that_breaks_off_or_is_none(prepared: Path) -> None:
    train = next(version(prepared).glob("*-train.*"))
    content = train.read_bytes()
    train.write_bytes(content[:-10])
    with pytest.raises(DataError, match="it breaks off"):
        load(prepared)
    train.write_bytes(tfrecords.HEADER.pack(1 << 62, 0) + content)
    with pytest.raises(DataError, match="it breaks off"):
        load(prepared)
    train.write_bytes(tfrecords.HEADER.pack(9, 0) + b"\xff" * 13)
    with pytest.raises(DataError, match="no Example"):
        load(prepared)


def test_a_record_has_a_limit(prepared: Path) -> None:
    train = next(version(prepared).glob("*-train.*"))
    with train.open("wb") as file:  # a file with a hole: its size is only said
        file.write(tfrecords.HEADER.pack(300_000_000, 0))
        file.truncate(400_000_000)
    with pytest.raises(DataError, match=r"a record of it has 300,000,000 bytes, and at most 268,435,456 are read"):
        load(prepared)


def test_a_label_that_no_class_has(prepared: Path) -> None:
    train = next(version(prepared).glob("*-train.*"))
    train.write_bytes(train.read_bytes() + tfrecords.framed({"image": [b"x"], "label": [7]}))
    with pytest.raises(DataError, match=r"no class that there is\. There are 3 classes\. Received: 7"):
        load(prepared)


def test_a_link_out_of_the_folder_is_not_followed(prepared: Path, tmp_path: Path) -> None:
    train = next(version(prepared).glob("*-train.*"))
    train.rename(tmp_path / "elsewhere")
    train.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DataError, match="no training split"):
        load(prepared)


def test_neither_does_what_describes_the_data_lead_out_of_the_folder(prepared: Path, tmp_path: Path) -> None:
    names = version(prepared) / "label.labels.txt"
    (tmp_path / "secret").write_text("one\ntwo\nthree\n")
    names.unlink()
    names.symlink_to(tmp_path / "secret")
    assert TensorFlowDatasets(path=prepared).load(0).class_names == ("0", "1", "2")
    described = version(prepared) / "features.json"
    described.rename(tmp_path / "features.json")
    described.symlink_to(tmp_path / "features.json")
    with pytest.raises(DataError, match=r"description of this dataset cannot be read \(No such file"):
        load(prepared)


def test_a_file_that_goes_is_told(prepared: Path) -> None:
    data = TensorFlowDatasets(path=prepared).load(0)
    next(version(prepared).glob("*-train.*")).unlink()
    with pytest.raises(DataError, match="cannot be read"):
        data.train.read(0)


@pytest.mark.parametrize("seed", range(20))
def test_spoiled_files_are_told_or_read(prepared: Path, seed: int) -> None:
    rng, train = np.random.default_rng(seed), next(version(prepared).glob("*-train.*"))
    content = bytearray(train.read_bytes())
    for place in rng.integers(0, len(content), 40):
        content[place] = rng.integers(0, 256)
    train.write_bytes(content)
    try:
        images = TensorFlowDatasets(path=prepared).load(0).train
        for index in range(len(images)):
            images.read(index)
    except DataError as error:
        assert str(error).count("\n") == 0
