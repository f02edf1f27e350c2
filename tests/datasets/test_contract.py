"""What every dataset keeps to, whichever module it comes from: a new part is tested here without an edit."""

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tl_core import datasets
from tl_core.datasets import Data, Dataset, Modality

PARTS = datasets.datasets.parts()
SPLITS = ("train", "validation", "test")

LOAD_ALONE = """
import json, sys
from tl_core import datasets
from tl_core.spec import PartSpec
data = datasets.build(PartSpec(**json.loads(sys.argv[1]))).load(0)
data.train.read(0)
heavy = sorted({"keras", "tensorflow", "streamlit", "sklearn", "skimage"} & set(sys.modules))
print(json.dumps([heavy, data.train.digest(), data.validation.digest(), data.test.digest()]))
"""


@pytest.fixture(scope="module", params=sorted(PARTS))
def part(request: pytest.FixtureRequest) -> Dataset:
    if PARTS[request.param].needs:
        pytest.importorskip(PARTS[request.param].needs)
    return PARTS[request.param].example()


@pytest.fixture(scope="module")
def data(part: Dataset) -> Data:
    return part.load(0)


def digests(data: Data) -> list[str]:
    return [getattr(data, split).digest() for split in SPLITS]


def contents(examples: Any) -> list[str]:
    """A digest of what each example is, whatever its label."""
    read = (examples.read(index) for index in range(len(examples)))
    return [hashlib.sha256(repr((np.shape(each), np.asarray(each).tobytes(), str(each))).encode()).hexdigest() for each in read]


def limited(part: Dataset, labels: int) -> Data:
    return type(part).model_validate(part.model_dump() | {"labels_per_class": labels}).load(0)


def test_says_where_it_comes_from(part: Dataset) -> None:
    assert part.location()


def test_labels_name_classes(data: Data) -> None:
    assert len(set(data.class_names)) == len(data.class_names) >= 2
    assert all(name.isprintable() for name in data.class_names)
    for split in SPLITS:
        labels = getattr(data, split).labels
        assert labels.dtype == np.int64
        assert set(labels) <= set(range(len(data.class_names)))
    assert set(data.train.labels) == set(range(len(data.class_names)))


def test_examples_are_what_they_are_said_to_be(part: Dataset, data: Data) -> None:
    for split in SPLITS if part.modality is Modality.IMAGES else ():
        images = getattr(data, split)
        for index in range(len(images)):
            pixels = images.read(index)
            assert pixels.dtype == np.uint8
            assert pixels.ndim == 3
            assert pixels.shape[2] == 3
            assert images.name(index)


def test_what_is_no_image_can_be_told_in_words(part: Dataset, data: Data) -> None:
    for examples in data.splits.values() if part.modality is not Modality.IMAGES else ():
        for index in range(len(examples)):
            assert examples.excerpt(index)
            assert examples.name(index)


def test_splits_share_no_image(data: Data) -> None:
    train, validation, test = (set(contents(getattr(data, split))) for split in SPLITS)
    assert not train & validation
    assert not train & test
    assert not validation & test


def test_same_seed_same_images(part: Dataset, data: Data) -> None:
    assert digests(part.load(0)) == digests(data)


def test_what_was_read_once_gives_every_draw(part: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    few = part.model_copy(update={"labels_per_class": 2})
    whole, expected = part.whole(0), [digests(each.load(1)) for each in (part, few)]
    if not part.makes_examples:
        monkeypatch.setattr(type(part), "read", None)
    assert [digests(each.load(1, whole)) for each in (part, few)] == expected


def test_seed_and_labels_leave_test_and_validation_alone(part: Dataset, data: Data) -> None:
    assert digests(part.load(1))[1:] == digests(data)[1:]
    assert digests(limited(part, 2))[1:] == digests(data)[1:]


def test_labels_are_nested_draws(part: Dataset) -> None:
    few, more = limited(part, 2), limited(part, 5)
    for drawn, count in ((few, 2), (more, 5)):
        assert set(Counter(drawn.train.labels.tolist()).values()) == {count}
    assert not Counter(contents(few.train)) - Counter(contents(more.train))


def test_seed_draws_other_labels(part: Dataset) -> None:
    two = type(part).model_validate(part.model_dump() | {"labels_per_class": 2})
    assert two.load(0).train.digest() != two.load(1).train.digest()


def test_take_keeps_images_and_labels_together(data: Data) -> None:
    chosen = [2, 0]
    taken = data.train.take(chosen)
    assert taken.labels.tolist() == data.train.labels[chosen].tolist()
    assert contents(taken) == [contents(data.train)[index] for index in chosen]
    assert len(data.train.take([])) == 0
    assert data.train.take([]).digest() == data.test.take([]).digest()
    assert data.train.take(range(len(data.train))).digest() == data.train.digest()


def test_another_process_loads_the_same_without_heavy_imports(part: Dataset, data: Data) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOAD_ALONE, part.spec().model_dump_json()],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
        env=os.environ | {"PYTHONHASHSEED": "7"},
    )
    heavy, *found = json.loads(done.stdout)
    assert heavy == []
    assert found == digests(data)
