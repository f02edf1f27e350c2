"""Images in a dataset that TensorFlow Datasets prepared on this machine.

Its folder is read without its library: that needs TensorFlow for its usual files, and imports whatever class the folder names.
"""

import io
import json
import os
import re
import tempfile
from dataclasses import dataclass, replace
from errno import ENOENT
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field

from tl_core.data.examples import Labels
from tl_core.data.formats.paths import existing_folder, leads_to, name_of
from tl_core.data.formats.tfrecords import RecordPlace, features, framed, record, records
from tl_core.data.images import EncodedImages
from tl_core.datasets import register
from tl_core.datasets._user_data import Given, UserDataset, named_splits
from tl_core.errors import DataError, printable
from tl_core.notes import Note, NoteKind
from tl_core.system.settings import ServerPath

INFO, FEATURES = "dataset_info.json", "features.json"
SHARD = re.compile(r"[\w.+-]*?-(?P<split>\w+)\.tfrecord-\d{5}-of-(?P<count>\d{5})")
VERSION = re.compile(r"\d+\.\d+\.\d+")
DEEP = 4
"""From a folder of datasets to one that is prepared: name, configuration, version."""
MOST_NAMED, MOST_CLASSES = 5, 100_000


@dataclass(frozen=True, eq=False)
class RecordImages(EncodedImages):
    """Images in records, as the feature called `feature`, with the class of each (n,)."""

    places: tuple[RecordPlace, ...]
    feature: str
    labels: Labels

    def content(self, index: int) -> bytes:
        place = self.places[index]
        return _picture(features(record(place), place.path).get(self.feature))

    def file_bytes(self) -> int:
        return sum(place.length for place in self.places)

    def name(self, index: int) -> str:
        place = self.places[index]
        return printable(f"{place.path.name} at {place.offset:,}")

    def _take(self, chosen: NDArray[np.intp]) -> "RecordImages":
        return replace(self, places=tuple(self.places[index] for index in chosen), labels=self.labels[chosen])


class Schema(NamedTuple):
    """The features that hold the image and the label, and the names of the classes."""

    image: str
    label: str
    names: tuple[str, ...]


@register("tfds")
class TensorFlowDatasets(UserDataset):
    """Images in a dataset that TensorFlow Datasets prepared in a folder of this machine.

    Give the folder of a version, such as ~/tensorflow_datasets/beans/0.1.0, or one above it with no other dataset in it. Neither
    its library nor TensorFlow is needed, and nothing is fetched; files in the format tfrecord are read, which is the usual one.
    """

    title: ClassVar[str] = "TensorFlow dataset"
    listing_order: ClassVar[int] = 140
    second_class: ClassVar[str] = "Choose a dataset of several classes, or name another feature of labels."

    path: ServerPath | None = Field(None, title="Folder", description="The folder in which dataset_info.json lies, or one above.")
    image_feature: str | None = Field(
        None, title="Image feature", description="Empty takes the first feature of images.", json_schema_extra={"more": True}
    )
    label_feature: str | None = Field(
        None, title="Label feature", description="Empty takes the first one with classes.", json_schema_extra={"more": True}
    )

    @classmethod
    def example(cls) -> Self:
        return cls(path=Path(_example_folder().name))

    def given(self) -> Given:
        if self.path is None:
            raise DataError("No folder is chosen yet.", "Give the folder of a prepared dataset as dataset.path.")
        folder = _prepared(existing_folder(self.path))
        schema = _schema(folder, self.image_feature, self.label_feature)
        shards, notes = named_splits(_shards(folder))
        given: dict[str, RecordImages] = {}
        for split, paths in shards.items():
            images = _images(paths, schema, split)
            if len(images):
                given[split] = images
            else:
                notes.append(Note(NoteKind.SPLIT_WITHOUT_LABELS, about=(split,)))
        if "train" not in given:
            raise DataError("The training split has no labels.", "Choose another dataset.", received=printable(str(folder)))
        return Given([printable(name) for name in schema.names], given, notes)

    @property
    def own_name(self) -> str:
        is_version = self.path is not None and VERSION.fullmatch(self.path.name)
        return name_of(self.path.parent) if self.path and is_version else super().own_name

    def location(self) -> str:
        return printable(str(self.path)) if self.path else "a folder yet to be chosen"


def _prepared(root: Path) -> Path:
    """Return the one folder, `root` or below, in which a dataset was prepared. Raises `DataError` for none or several."""
    for depth in range(DEEP):
        found = sorted(info.parent for info in root.glob("*/" * depth + INFO))
        if len(found) == 1 and found[0].resolve().is_relative_to(root):
            return found[0]
        if found:
            listed = ", ".join(str(folder.relative_to(root)) for folder in found[:MOST_NAMED])
            raise DataError("Several datasets lie here.", "Give the folder of one of them.", received=printable(listed))
    raise DataError(
        "TensorFlow Datasets prepared nothing here.", f"Give a folder with {INFO} in it.", received=printable(str(root))
    )


def _json(path: Path) -> Any:
    """Return what is in the file; a link counts where it stays in its folder. Raises `DataError`."""
    try:
        return json.loads(_inside(path).read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())[:200]
        raise DataError(
            f"The description of this dataset cannot be read ({reason}).", "Prepare it again.", received=printable(str(path))
        ) from None


def _inside(path: Path) -> Path:
    """Return where the file leads. Raises `FileNotFoundError` where that is nowhere, or out of its folder."""
    target = leads_to(path, path.parent.resolve())
    if target is None:
        raise FileNotFoundError(ENOENT, os.strerror(ENOENT))
    return target


def _schema(folder: Path, image: str | None, label: str | None) -> Schema:
    """Return which feature is the image and which the label, of those that were asked for or of all. Raises `DataError`."""
    said = _json(folder / FEATURES)
    try:
        described = dict(said["featuresDict"]["features"])
        image = _chosen([name for name, kind in described.items() if "image" in kind], image, described)
        label = _chosen([name for name, kind in described.items() if "classLabel" in kind], label, described)
        count = int(described[label]["classLabel"]["numClasses"])
        if not 0 < count <= MOST_CLASSES:
            raise ValueError
    except (KeyError, TypeError, ValueError, AttributeError):
        raise DataError(
            "This dataset is not one of images with a class each.",
            "Give one whose features are an Image and a ClassLabel.",
            received=printable(str(said))[:300],
        ) from None
    return Schema(image, label, _names(folder / Path(f"{label}.labels.txt").name, count))


def _chosen(fitting: list[str], wanted: str | None, described: dict[str, Any]) -> str:
    if wanted is None and fitting:
        return fitting[0]
    if wanted is None or wanted not in fitting:
        listed = printable(", ".join(described))
        raise DataError("The dataset has no such feature.", f"It has these: {listed}.", received=wanted or "no name")
    return wanted


def _names(path: Path, count: int) -> tuple[str, ...]:
    """Return the names of the classes, or else their numbers."""
    try:
        names = _inside(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        names = []
    return tuple(names) if len(names) == len(set(names)) == count else tuple(map(str, range(count)))


def _shards(folder: Path) -> dict[str, list[Path]]:
    """Return the files of each split. Raises `DataError` where one is missing, leads elsewhere or is of another format."""
    found: dict[str, list[Path]] = {}
    counts: dict[str, int] = {}
    for path in sorted(folder.iterdir()):
        if (match := SHARD.fullmatch(path.name)) and leads_to(path, folder.resolve()) and path.is_file():
            found.setdefault(match["split"], []).append(path)
            counts[match["split"]] = int(match["count"])
    if not found:
        said = _json(folder / INFO)
        kind = said.get("fileFormat") if isinstance(said, dict) else None
        next_step, received = "Prepare the dataset in the format tfrecord.", printable(str(kind or folder))[:200]
        raise DataError("There are no TFRecord files here.", next_step, received=received)
    for split, paths in found.items():
        if len(paths) != counts[split]:
            raise DataError(
                f"Files of the {split} split are missing.", "Copy them all.", received=f"{len(paths)} of {counts[split]}"
            )
    return found


def _images(paths: list[Path], schema: Schema, split: str) -> RecordImages:
    """Return the labelled images in the files, each read once for its label. Raises `DataError` for an unknown class."""
    places, labels = [], []
    for path in paths:
        for place, content in records(path):
            label = next(iter(features(content, path).get(schema.label, [])), None)
            if label == -1:  # how the library says that it is not known
                continue
            if not isinstance(label, int) or not 0 <= label < len(schema.names):
                what = f"An image of the {split} split has no class that there is."
                raise DataError(what, f"There are {len(schema.names)} classes.", received=printable(str(label))[:100])
            places.append(place)
            labels.append(label)
    return RecordImages(tuple(places), schema.image, np.array(labels, np.int64))


def _picture(values: list[Any] | None) -> bytes:
    """Return an encoded image; empty where there is none, which no decoder takes."""
    return values[0] if values and isinstance(values[0], bytes) else b""


@cache
def _example_folder() -> "tempfile.TemporaryDirectory[str]":
    """Return a folder with 36 small images of noise in three classes, as the library prepares them, removed with the process."""
    folder, rng = tempfile.TemporaryDirectory(prefix="transfer_lab_tfds_"), np.random.default_rng(0)
    kinds = {"image": {"image": {}}, "label": {"classLabel": {"numClasses": "3"}}}
    Path(folder.name, INFO).write_text(json.dumps({"name": "noise", "fileFormat": "tfrecord"}), encoding="utf-8")
    Path(folder.name, FEATURES).write_text(json.dumps({"featuresDict": {"features": kinds}}), encoding="utf-8")
    Path(folder.name, "label.labels.txt").write_text("blue\ngreen\nred\n", encoding="utf-8")
    with Path(folder.name, "noise-train.tfrecord-00000-of-00001").open("wb") as file:
        for number in range(36):
            written = io.BytesIO()
            Image.fromarray(rng.integers(0, 256, (20, 24, 3), dtype=np.uint8)).save(written, "PNG")
            file.write(framed({"image": [written.getvalue()], "label": [number % 3]}))
    return folder
