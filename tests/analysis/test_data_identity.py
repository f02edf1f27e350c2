"""Whether the data of two runs are the same is told by digests, whatever they are called."""

import pytest

from tl_core.analysis.data_identity import DataUsed, Relation, relation

ONE = DataUsed("roses", "/a/roses", "all", content="c1", test="t1")


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (ONE, None),
        (DataUsed("tulips", "/b", "all", "c2", "t2"), None),
        (DataUsed("tulips", "/b", "all", "c1", "t1"), Relation.SAME_CONTENT),
        (DataUsed("roses", "/b/roses", "all", "c1", "t1"), Relation.SAME_CONTENT),
        (DataUsed("tulips", "/b", "ten", "c2", "t1"), Relation.SAME_TEST),
        (DataUsed("tulips", "/b", "all", "", "t1"), Relation.SAME_TEST),
        (DataUsed("roses", "/b/roses", "all", "c2", "t2"), Relation.OTHER_TEST),
        (DataUsed("roses", "/b/roses", "ten", "c2", "t2"), Relation.OTHER_TEST),
        (DataUsed("roses", "/a/roses", "all", "c2", "t2"), Relation.OTHER_TEST),
        (DataUsed("roses", "/a/roses", "all", "c2", "t1"), Relation.OTHER_TRAINING),
        (DataUsed("roses", "/b/roses", "all", "c2", "t1"), Relation.OTHER_TRAINING),
        (DataUsed("roses", "/a/roses", "ten", "c2", "t1"), None),  # other labels of the same
        (DataUsed("roses", "/a/roses", "another share", "c2", "t2"), None),
        (DataUsed("roses", "/a/roses", "all", "", ""), None),
    ],
)
def test_what_names_do_not_say(other: DataUsed, expected: Relation | None) -> None:
    assert relation(ONE, other) is expected
    assert relation(other, ONE) is expected
