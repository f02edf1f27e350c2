"""The digits are scikit-learn's, and every one is in exactly one split."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from tl_core.data.formats.paths import packaged_file
from tl_core.data.splitting import hold_out, sample_per_class
from tl_core.datasets import digits
from tl_core.datasets.digits import Digits
from tl_core.errors import DataError

PATH = packaged_file("sklearn", "scikit-learn", "datasets/data/digits.csv.gz")


def test_agrees_with_scikit_learn() -> None:
    expected, images = load_digits(), digits._read(PATH)
    assert np.array_equal(images.labels, expected.target)
    assert np.array_equal(np.asarray(images.pixels), np.round(expected.images * 255 / 16 + 1e-9))


def test_every_digit_is_in_one_split() -> None:
    data = Digits().load(0)
    assert len(data.test) == pytest.approx(0.25 * 1797, abs=10)
    assert len(data.validation) == pytest.approx(0.1 * 0.75 * 1797, abs=10)
    keys: Counter[tuple[bytes, int]] = Counter()
    for split in (data.train, data.validation, data.test):
        keys.update((split.read(i).tobytes(), int(split.labels[i])) for i in range(len(split)))
    everything = digits._read(PATH)
    assert keys == Counter((everything.read(i).tobytes(), int(everything.labels[i])) for i in range(len(everything)))


def test_a_damaged_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "digits.csv.gz").write_bytes(b"not gzip")
    with pytest.raises(DataError, match="cannot be read"):
        digits._read(tmp_path / "digits.csv.gz")


def test_hold_out_is_stratified_and_whole() -> None:
    labels = np.repeat([0, 1, 2], [100, 40, 3])
    kept, held = hold_out(labels, 0.25, ("a", "b", "c"), "test")
    assert sorted([*kept, *held]) == list(range(143))
    assert np.bincount(labels[held]).tolist() == [25, 10, 1]
    assert len(hold_out(labels, 0.0, ("a", "b", "c"), "test")[1]) == 0


def test_hold_out_does_not_change_with_other_classes() -> None:
    one = hold_out(np.zeros(40, dtype=np.int64), 0.25, ("a",), "test")[1]
    two = hold_out(np.repeat([0, 1], [40, 20]), 0.25, ("a", "b"), "test")[1]
    assert one.tolist() == two[two < 40].tolist()


def test_hold_out_names_a_class_that_is_too_small() -> None:
    with pytest.raises(DataError, match=r"The class b has too few examples .* for test.*Received: 1 left"):
        hold_out(np.array([0, 0, 0, 1]), 0.25, ("a", "b"), "test")


def test_draws_are_nested_and_whole() -> None:
    labels = np.tile([0, 1, 2], 20)
    drawn = [set(sample_per_class(labels, count, seed=3)) for count in (1, 5, 20, 1000)]
    assert [len(some) for some in drawn] == [3, 15, 60, 60]
    assert drawn[0] < drawn[1] < drawn[2] == drawn[3] == set(sample_per_class(labels, None, seed=9))
