"""What a source does not use, or cannot set aside, it says."""

from pathlib import Path

import numpy as np
import pytest

from tests.datasets.test_numpy_arrays import X, Y, load
from tl_core.datasets.numpy_arrays import NumpyArrays
from tl_core.errors import DataError
from tl_core.notes import sentences

UNUSED = "Arrays without a use, or without their labels"


def test_test_images_without_labels_are_named(tmp_path: Path) -> None:
    assert sentences(load(tmp_path, x=X, y=Y, x_test=X).notes) == (f"{UNUSED}: 1 left out (x_test).",)


def test_names_that_do_not_match_are_named(tmp_path: Path) -> None:
    notes = sentences(load(tmp_path, x_train=X, y_train=Y, x_val=X, y_validation=Y, x=X, y=Y).notes)
    assert notes[0] == f"{UNUSED}: 4 left out (x_val, y_validation, x, and others)."


def test_what_is_used_needs_no_word(tmp_path: Path) -> None:
    assert not load(tmp_path, images=X, labels=Y, x_test=X, y_test=Y, x_val=X, y_val=Y, class_names=np.array(["a", "b"])).notes


def test_too_few_labels_come_with_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"40 train images and 5 labels\. Save one label for each image\. Received"):
        load(tmp_path, x=X, y=Y[:5])


def test_no_validation_set_is_said(tmp_path: Path) -> None:
    data = load(tmp_path, x=np.repeat(X[:3], 8, 0), y=np.arange(24) % 3)  # each of three contents is in every class
    assert (len(data.validation), len(data.test)) == (0, 8)
    assert sentences(data.notes) == ("No images could be set aside for validation: copies stay together, and so do groups.",)


def test_none_that_is_wanted_needs_no_word(tmp_path: Path) -> None:
    np.savez(tmp_path / "images.npz", x=X, y=Y)

    assert not NumpyArrays(path=tmp_path / "images.npz", validation_share=0).load(0).notes
