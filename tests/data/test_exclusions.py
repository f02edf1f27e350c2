"""Lists of images that are left out."""

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from tests.helpers import write_images
from tl_core.data.exclusions import Exclusions, keep, kept
from tl_core.datasets import ArrayImages
from tl_core.datasets.image_folder import ImageFolder
from tl_core.errors import DataError
from tl_core.notes import sentences


def test_what_is_gone_and_what_stays_once() -> None:
    pixels = np.zeros((6, 2, 2), np.uint8)
    pixels[:, 0, 0] = (0, 1, 1, 2, 1, 0)
    images = ArrayImages(pixels, np.arange(6))
    zero, one = images.ids[0].hex(), images.ids[1].hex()
    left_out = Exclusions(gone={"train": (zero,)}, once={"train": (one,), "test": (zero,)})
    assert left_out.rest("train", images).labels.tolist() == [1, 3]
    assert left_out.rest("test", images).labels.tolist() == [0, 1, 2, 3, 4]
    assert left_out.rest("validation", images) is images
    assert not Exclusions(gone={"train": ()})


def test_a_dataset_without_them(home: Path, tmp_path: Path) -> None:
    dataset = ImageFolder(path=write_images(tmp_path / "pets", classes=2, each=20))
    whole = dataset.load(0)
    first, second = (digest.hex() for digest in whole.test.ids[:2])
    name = keep(home, Exclusions(gone={"test": (first, second), "train": (first,)}))
    assert keep(home, kept(home, name)) == name
    data = dataset.model_copy(update={"left_out": name}).load(0)
    assert data.test.ids == whole.test.ids[2:]
    assert data.train.ids == whole.train.ids
    assert sentences(data.notes)[-1] == "Left out by choice, since the examination found them: 2."
    few = dataset.model_copy(update={"left_out": name, "labels_per_class": 3}).load(0)
    assert np.bincount(few.train.labels).tolist() == [3, 3]


def test_a_list_that_is_not_here_is_told(home: Path, tmp_path: Path) -> None:
    dataset = ImageFolder(path=write_images(tmp_path / "pets", classes=2, each=20), left_out="0123456789abcdef")
    with pytest.raises(DataError, match=r"is not here \(No such file.*Received: 0123456789abcdef"):
        dataset.load(0)
    (home / "left_out").mkdir(parents=True)
    (home / "left_out" / "0123456789abcdef.json").write_text("{}")
    with pytest.raises(DataError, match="its content has changed"):
        dataset.load(0)


@pytest.mark.parametrize("name", ["../0123456789abcdef", "0123456789abcdef/..", "0123456789ABCDEF", "0123"])
def test_an_id_is_no_path(name: str) -> None:
    with pytest.raises(ValidationError):
        ImageFolder(left_out=name)
