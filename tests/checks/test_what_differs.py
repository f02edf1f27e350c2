"""In what the images of one test differ from those of another."""

import numpy as np
import pytest

from tl_core.checks.domain_shift import Shift
from tl_core.checks.what_differs import looks_differ, same_mix, shares_differ, shift_note
from tl_core.data.images import ArrayImages, Images
from tl_core.notes import Note, NoteKind

RNG = np.random.default_rng(0)


def noise(low: int, high: int, count: int = 40, side: int = 40) -> Images:
    """Grey noise between two values."""
    pixels = RNG.integers(low, high, (count, side, side), dtype=np.uint8)
    return ArrayImages(pixels, np.zeros(count, np.int64))


def told(one: Images, other: Images) -> dict[NoteKind, Note]:
    places = [[(side, index) for index in range(len(side))] for side in (one, other)]
    return {note.kind: note for note in looks_differ(*places)}


def test_what_anybody_sees_is_told() -> None:
    assert told(noise(0, 256), noise(0, 256)) == {}
    darker = told(noise(0, 100), noise(100, 200))
    assert list(darker) == [NoteKind.OTHER_BRIGHTNESS]
    assert darker[NoteKind.OTHER_BRIGHTNESS].numbers == pytest.approx((50, 150), abs=2)
    assert NoteKind.OTHER_CONTRAST in told(noise(120, 136), noise(0, 256))
    assert told(noise(0, 256, side=90), noise(0, 256, side=40))[NoteKind.OTHER_SIZES].numbers == (90, 40)
    coloured = ArrayImages(np.tile(np.array([200, 100, 0], np.uint8), (40, 40, 40, 1)), np.zeros(40, np.int64))
    assert told(coloured, noise(0, 256))[NoteKind.OTHER_COLOUR].numbers == pytest.approx((200, 0))
    assert told(noise(0, 9, count=1), noise(200, 256)) == {}  # one image says nothing


def test_an_equal_mix_of_classes_is_drawn() -> None:
    one, other = np.repeat([0, 1, 2], [50, 5, 9]), np.repeat([0, 1, 3], [8, 20, 4])
    chosen, others = same_mix(one, other, 1000)
    assert np.bincount(one[chosen]).tolist() == np.bincount(other[others]).tolist() == [8, 5]
    assert [len(side) for side in same_mix(one, other, 10)] == [10, 10]
    assert [len(side) for side in same_mix(one, one + 10, 10)] == [0, 0]


def test_shares_of_classes_are_told_where_they_differ_beyond_chance() -> None:
    half, most = np.repeat([0, 1], [100, 100]), np.repeat([0, 1, 1], [20, 90, 90])
    (note,) = shares_differ(most, half, ["a", "b"])
    assert (note.kind, note.names, note.numbers) == (NoteKind.OTHER_CLASS_SHARES, ("a", "b"), (0.1, 0.5, 0.9, 0.5))
    assert not list(shares_differ(half, half, ["a", "b"]))
    assert not list(shares_differ(np.array([0, 1, 1]), half, ["a", "b"]))
    assert not list(shares_differ(np.zeros(50, np.int64), half, ["a", "b"]))  # of a class alone there is no mix
    assert not list(shares_differ(half, np.full(50, 2), ["a", "b", "c"]))


def test_a_shift_is_noted_by_what_can_be_said_of_it() -> None:
    kinds = [shift_note(each).kind for each in (None, Shift(0.6, 0.4, 0.8, 30), Shift(0.9, 0.8, 0.95, 90))]
    assert kinds == [NoteKind.SHIFT_UNKNOWN, NoteKind.SHIFT_TOO_FEW, NoteKind.SHIFT_CLEAR]
