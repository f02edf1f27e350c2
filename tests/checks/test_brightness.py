"""Datasets that are nearly black or nearly constant are told wherever a dataset is told of, and no others are."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from tests.data.test_exif import directory
from tests.helpers import write_images
from tl_core.__main__ import app
from tl_core.checks.advice import advice
from tl_core.checks.brightness import Values, remarks, values_of
from tl_core.checks.first_look import with_notes
from tl_core.checks.scan import examine
from tl_core.data.decoding import read_image
from tl_core.datasets import Data, Dataset
from tl_core.datasets.csv_manifest import CsvManifest
from tl_core.datasets.csv_table import CsvTable
from tl_core.datasets.digits import Digits
from tl_core.datasets.image_folder import ImageFolder
from tl_core.datasets.photo_patches import PhotoPatches
from tl_core.notes import sentences

RNG = np.random.default_rng(0)


def folder_of(folder: Path, ending: str, pixels: np.ndarray) -> Path:
    """A folder of two classes of 12 images each, of `pixels` (24, height, width)."""
    for number, image in enumerate(pixels):
        below = folder / "ab"[number % 2]
        below.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(below / f"{number}.{ending}")
    return folder


def noise(low: int, high: int, kind: str) -> np.ndarray:
    return RNG.integers(low, high, (24, 40, 40)).astype(kind)


def told_of(dataset: Dataset) -> tuple[str, str]:
    """What a first look and the examination say of it."""
    data: Data = dataset.load(0)
    report = examine(data, lambda done, images: None)
    return " ".join(sentences(with_notes(data).notes)), " ".join(each.text for each in advice(report))


@pytest.mark.parametrize(("bits", "ending"), [(12, "tif"), (12, "png"), (10, "tif"), (14, "png")])
def test_fewer_bits_than_the_file_holds_are_told(bits: int, ending: str, tmp_path: Path) -> None:
    folder = folder_of(tmp_path, ending, noise(0, 1 << bits, "uint16"))
    for told in told_of(ImageFolder(path=folder)):
        assert "The train, validation and test images are nearly black: 99.9 % of their values are at most" in told


def test_a_tiff_that_says_that_it_has_12_bits_is_read_in_its_range() -> None:
    layout = {256: 2, 257: 1, 258: 12, 259: 1, 262: 1, 273: 8, 277: 1, 278: 1, 279: 3}
    entries = [(tag, 3, 1, value.to_bytes(2, "little")) for tag, value in layout.items()]
    packed = b"\xff\xf8\x00\0"  # 4095 and 2048, and a byte so that the directory lies at an even place
    content = b"II*\0" + (8 + len(packed)).to_bytes(4, "little") + packed + directory(entries, 8 + len(packed), "<")
    assert np.asarray(read_image(io.BytesIO(content)))[0, :, 0].tolist() == [255, 128]


def test_masks_of_zeros_and_ones_in_files_are_told(tmp_path: Path) -> None:
    for told in told_of(ImageFolder(path=folder_of(tmp_path, "png", noise(0, 2, "uint8")))):
        assert "nearly black: 99.9 % of their values are at most 1 of 255" in told


@pytest.mark.parametrize("level", [100, 250])
def test_images_that_are_nearly_constant_are_told(level: int, tmp_path: Path) -> None:
    for told in told_of(ImageFolder(path=folder_of(tmp_path, "png", noise(level, level + 6, "uint8")))):
        assert f"nearly constant: nearly all of their values lie between {level}" in told


def test_a_split_that_alone_is_dark_is_named(tmp_path: Path) -> None:
    folder_of(tmp_path / "train", "png", noise(0, 1 << 16, "uint16"))
    folder_of(tmp_path / "test", "png", noise(0, 1 << 12, "uint16"))
    for told in told_of(ImageFolder(path=tmp_path)):
        assert "The test images are nearly black" in told


@pytest.mark.parametrize("dataset", [Digits(), PhotoPatches(), CsvTable.example(), CsvManifest.example()])
def test_nothing_is_said_of_others(dataset: Dataset) -> None:
    data = dataset.load(0)
    assert with_notes(data).notes == data.notes
    assert not any("nearly black" in each.text for each in advice(examine(data, lambda done, images: None, dataset.thing)))


def test_transparent_images_are_told(tmp_path: Path) -> None:
    folder = write_images(tmp_path, classes=2)
    for place in (folder / "class1").iterdir():
        clear = Image.open(place)
        clear.putalpha(0)
        clear.save(place)
    first, examined = told_of(ImageFolder(path=folder))
    assert "Transparent images are laid on white: 6 of 12 that were looked at." in first
    assert "6 images have transparent parts, which are laid on white." in examined


def test_a_damaged_image_hides_nothing_of_the_others(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "png", noise(0, 1 << 12, "uint16"))
    for place in sorted((folder / "a").iterdir())[:6]:
        place.write_bytes(place.read_bytes()[:90])
    data = ImageFolder(path=folder).load(0)
    (folder / "b" / "1.png").unlink()
    assert "nearly black" in " ".join(sentences(with_notes(data).notes))


def test_a_thousandth_at_either_end_says_nothing() -> None:
    looks = np.full((10, 32, 32, 3), 100, np.uint8)
    looks[0, :, 0, 0] = 0  # 32 of 30,720 values, and 29 more elsewhere would be a thousandth at each end
    looks[1, :30, 0, 0] = 255
    assert values_of(looks) == Values(0, 100)
    looks[0, :2, 0, 0] = 100
    assert values_of(looks) == Values(100, 100)


def test_each_split_is_told_once() -> None:
    told = remarks({"train": Values(0, 15), "validation": Values(90, 95), "test": Values(0, 3)})
    assert [said.split(":")[0] for said in sentences(told)] == [
        "The train and test images are nearly black",
        "The validation images are nearly constant",
    ]
    assert not remarks({"train": Values(0, 64), "test": Values(200, 216)})


def test_the_command_line_tells_in_words_and_in_json(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "tif", noise(0, 1 << 12, "uint16"))
    command = ["examine", "--dataset", "image_folder", "--set", f"dataset.path={folder}"]
    done = CliRunner().invoke(app, command)
    assert "Mend: The train, validation and test images are nearly black" in done.output
    found = json.loads(CliRunner().invoke(app, [*command, "--json"]).stdout)
    assert found["values"]["train"][1] < 16
    assert any("nearly black" in each["text"] for each in found["advice"])
