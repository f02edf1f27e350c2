"""Examples with several labels are shared out so that each label keeps its share, as the paper does it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tl_core.data.stratification import hold_out_labels


def drawn(n: int, chances: tuple[float, ...], seed: int = 0) -> NDArray[np.bool_]:
    return np.random.default_rng(seed).random((n, len(chances))) < chances


def named(n: int) -> list[bytes]:
    return [b"%d" % number for number in range(n)]


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5])
def test_each_label_keeps_its_share_better_than_by_chance(share: float) -> None:
    labels = drawn(600, (0.5, 0.2, 0.05, 0.02, 0.01))
    kept, held = hold_out_labels(labels, named(600), share)
    assert sorted([*kept, *held]) == list(range(600))
    assert abs(len(held) - 600 * share) <= 3
    off = np.abs(labels[held].sum(axis=0) - share * labels.sum(axis=0))
    assert off.max() <= 3
    by_chance = [np.random.default_rng(seed).permutation(600)[: len(held)] for seed in range(50)]
    assert off.sum() < np.mean([np.abs(labels[rows].sum(axis=0) - share * labels.sum(axis=0)).sum() for rows in by_chance]) / 3


def test_a_hand_made_example_goes_as_in_the_paper() -> None:
    """The rarest label first: of two examples one goes to each half; then the other label makes up for what it got."""
    labels = np.array([[1, 1], [1, 0], [0, 1], [0, 1], [0, 1], [0, 0], [0, 0]], bool)
    kept, held = hold_out_labels(labels, named(7), 0.5)
    np.testing.assert_array_equal(labels[kept].sum(axis=0), [1, 2])
    np.testing.assert_array_equal(labels[held].sum(axis=0), [1, 2])
    assert {len(kept), len(held)} == {3, 4}


def test_labels_that_exclude_each_other_are_classes() -> None:
    classes = np.arange(120) % 3
    _, held = hold_out_labels(np.eye(3, dtype=bool)[classes], named(120), 0.25)
    assert np.bincount(classes[held]).tolist() == [10, 10, 10]


@given(st.integers(1, 40), st.integers(1, 4), st.integers(0, 3), st.sampled_from([0.0, 0.1, 0.5, 0.9]))
def test_the_draw_does_not_depend_on_the_order_and_tears_no_group(n: int, width: int, seed: int, share: float) -> None:
    labels, groups = drawn(n, (0.4,) * width, seed), [b"%d" % (number // 2) for number in range(n)]
    kept, held = hold_out_labels(labels, groups, share, seed=seed)
    assert sorted([*kept, *held]) == list(range(n))
    assert not {groups[row] for row in kept} & {groups[row] for row in held}
    order = np.random.default_rng(seed).permutation(n)
    _, again = hold_out_labels(labels[order], [groups[row] for row in order], share, seed=seed)
    assert sorted(order[again].tolist()) == held.tolist()
    assert share or not len(held)


def test_another_number_draws_others() -> None:
    labels = drawn(100, (0.3, 0.3))
    assert set(hold_out_labels(labels, named(100), 0.2)[1]) != set(hold_out_labels(labels, named(100), 0.2, seed=1)[1])
