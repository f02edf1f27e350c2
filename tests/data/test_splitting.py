"""How examples are shared out by their content and in groups."""

from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tl_core.data.splitting import hold_out_groups, joined

NAMES = tuple("abcde")
GROUPED = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 30)), min_size=1, max_size=120)
"""The class and the group of each example."""


@given(GROUPED, st.floats(0.01, 0.5))
def test_no_group_is_torn_apart_and_no_class_is_emptied(examples: list[tuple[int, int]], share: float) -> None:
    for label in range(5):  # two more of each class, in groups of their own
        examples = [*examples, (label, 100 + label), (label, 200 + label), (label, 300 + label)]
    labels = np.array([label for label, _ in examples])
    groups = [str(group).encode() for _, group in examples]
    kept, held = hold_out_groups(labels, groups, share, NAMES, "test")
    assert sorted([*kept, *held]) == list(range(len(labels)))
    assert not {groups[index] for index in kept} & {groups[index] for index in held}
    assert set(labels[kept]) == set(labels)


@given(st.permutations(range(60)), st.integers(0, 3))
def test_order_does_not_matter(order: list[int], seed: int) -> None:
    labels, groups = np.arange(60) % 5, [str(index // 3).encode() for index in range(60)]
    usual = set(hold_out_groups(labels, groups, 0.3, NAMES, "test", seed=seed)[1].tolist())
    moved = hold_out_groups(labels[order], [groups[index] for index in order], 0.3, NAMES, "test", seed=seed)[1]
    assert {order[index] for index in moved} == usual


def test_patients_are_spread_as_the_classes_want() -> None:
    generator = np.random.default_rng(0)
    labels, patients = generator.integers(0, 5, 2000), generator.integers(0, 100, 2000)
    _, held = hold_out_groups(labels, [str(patient).encode() for patient in patients], 0.25, NAMES, "test")
    shares = np.bincount(labels[held]) / np.bincount(labels)
    assert np.abs(shares - 0.25).max() < 0.03


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 20)), max_size=40), st.randoms())
def test_groups_that_share_a_content_become_one(examples: list[tuple[int, int]], random: Random) -> None:
    """What is connected by way of others, too; who shares nothing keeps its name."""
    whole = sorted({str(group).encode() for group, _ in examples})
    reached = {group: {group} for group in whole}
    for _ in whole:
        for group in whole:
            contents = {content for other, content in examples if str(other).encode() in reached[group]}
            reached[group] |= {str(other).encode() for other, content in examples if content in contents}
    random.shuffle(examples)
    groups, ids = [str(group).encode() for group, _ in examples], [bytes([content]) for _, content in examples]
    assert joined(groups, ids) == [min(reached[group]) for group in groups]
