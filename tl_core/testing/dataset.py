"""What every dataset keeps to, on its example, which needs a few images a class."""

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from functools import lru_cache
from typing import Any
from unittest.mock import patch

import numpy as np
from pydantic import TypeAdapter

from tl_core.datasets import Data, Dataset, Modality
from tl_core.notes import Note, sentences

SPLITS = ("train", "validation", "test")
LOAD_ALONE = """
import importlib, json, sys
from tl_core import datasets
from tl_core.spec import PartSpec
importlib.import_module(sys.argv[1])
data = datasets.build(PartSpec(**json.loads(sys.argv[2]))).load(0)
data.train.read(0)
heavy = sorted({"keras", "tensorflow", "streamlit", "sklearn", "skimage"} & set(sys.modules))
print(json.dumps([heavy, data.train.digest(), data.validation.digest(), data.test.digest()]))
"""


def check_says_where_it_comes_from(part: type[Dataset]) -> None:
    """Check that people are told where its examples come from."""
    assert part.example().location()


def check_labels_name_classes(part: type[Dataset]) -> None:
    """Check that labels are indices into names of classes that differ and can be printed, and that each class has training
    examples."""
    data = _loaded(part)
    assert len(set(data.class_names)) == len(data.class_names) >= 2
    assert all(name.isprintable() for name in data.class_names)
    for examples in filter(lambda examples: examples.is_labelled, data.splits.values()):
        assert examples.labels.dtype == np.int64
        assert set(examples.labels) <= set(range(len(data.class_names)))
    assert set(data.train.labels) == set(range(len(data.class_names)))


def check_examples_are_what_they_are_said_to_be(part: type[Dataset]) -> None:
    """Check that images are (height, width, 3) uint8, that what is no image can be shown as a text, and that all have names."""
    for examples in _loaded(part).splits.values():
        for index in range(len(examples)):
            assert examples.name(index)
            if part.modality is not Modality.IMAGES:
                assert examples.excerpt(index)
                continue
            pixels = examples.read(index)
            assert pixels.dtype == np.uint8
            assert pixels.ndim == 3
            assert pixels.shape[2] == 3


def check_notes_are_stored_as_they_are(part: type[Dataset]) -> None:
    """Check that notes are `Note`s that can be worded, printed and stored."""
    notes, stored = _loaded(part).notes, TypeAdapter(tuple[Note, ...])
    assert all(isinstance(note, Note) for note in notes)
    assert all(sentence.isprintable() for sentence in sentences(notes))
    assert stored.validate_json(stored.dump_json(notes)) == notes


def check_splits_share_no_example(part: type[Dataset]) -> None:
    """Check that no example of one split is in another one, whatever its label."""
    train, validation, test = (set(_contents(_loaded(part).splits[split])) for split in SPLITS)
    assert not train & validation
    assert not train & test
    assert not validation & test


def check_same_seed_gives_the_same(part: type[Dataset]) -> None:
    """Check that loading twice gives the same bytes."""
    assert _digests(part.example().load(0)) == _digests(_loaded(part))


def check_what_was_read_once_gives_every_draw(part: type[Dataset]) -> None:
    """Check that what `whole` gave is all that `load` needs for other labels, unless the dataset makes its examples."""
    whole = part.example().whole(0)
    draws = [part.example(), _limited(part, 2)]
    expected = [_digests(each.load(1)) for each in draws]
    if part.makes_examples:
        assert [_digests(each.load(1, whole)) for each in draws] == expected
        return
    with patch.object(part, "read", None):
        assert [_digests(each.load(1, whole)) for each in draws] == expected


def check_seed_and_labels_leave_test_and_validation_alone(part: type[Dataset]) -> None:
    """Check that test and validation images depend on neither seed nor labels, since runs are compared on them."""
    fixed = _digests(_loaded(part))[1:]
    assert _digests(part.example().load(1))[1:] == fixed
    assert _digests(_limited(part, 2).load(0))[1:] == fixed


def check_labels_are_nested_draws(part: type[Dataset]) -> None:
    """Check that a draw of fewer labels is a part of one of more, with as many of each class."""
    few, more = _limited(part, 2).load(0), _limited(part, 5).load(0)
    for drawn, count in ((few, 2), (more, 5)):
        assert set(Counter(drawn.train.labels.tolist()).values()) == {count}
    assert not Counter(_contents(few.train)) - Counter(_contents(more.train))


def check_another_seed_draws_other_labels(part: type[Dataset]) -> None:
    """Check that another seed draws other labels; else several seeds would tell nothing."""
    two = _limited(part, 2)
    assert two.load(0).train.digest() != two.load(1).train.digest()


def check_take_keeps_examples_and_labels_together(part: type[Dataset]) -> None:
    """Check that `take` gives the chosen examples in their order, with their labels, and none where none are chosen."""
    train, test = _loaded(part).train, _loaded(part).test
    chosen = [2, 0]
    taken = train.take(chosen)
    assert taken.labels.tolist() == train.labels[chosen].tolist()
    contents = _contents(train)
    assert _contents(taken) == [contents[index] for index in chosen]
    assert len(train.take([])) == 0
    assert train.take([]).digest() == test.take([]).digest()
    assert train.take(range(len(train))).digest() == train.digest()


def check_another_process_loads_the_same_without_heavy_imports(part: type[Dataset]) -> None:
    """Check that loading imports neither Keras nor a backend of it, since pages show previews, and that no hash is of this
    process alone."""
    done = subprocess.run(
        [sys.executable, "-c", LOAD_ALONE, part.__module__, part.example().spec().model_dump_json()],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert done.returncode == 0, done.stderr
    heavy, *found = json.loads(done.stdout)
    assert heavy == []
    assert found == _digests(_loaded(part))


@lru_cache(maxsize=1)  # one check after the other looks at the same
def _loaded(part: type[Dataset]) -> Data[Any]:
    return part.example().load(0)


def _limited(part: type[Dataset], labels: int) -> Dataset:
    return part.model_validate(part.example().model_dump() | {"labels_per_class": labels})


def _digests(data: Data[Any]) -> list[str]:
    return [data.splits[split].digest() for split in SPLITS]


def _contents(examples: Any) -> list[str]:
    """Return a digest of what each example is, whatever its label."""
    read = (examples.read(index) for index in range(len(examples)))
    return [hashlib.sha256(repr((np.shape(each), np.asarray(each).tobytes(), str(each))).encode()).hexdigest() for each in read]
