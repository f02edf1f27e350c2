"""Which examples of a dataset are the same, or nearly, whatever their split and their label."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import overload

import numpy as np
from numpy.typing import NDArray

from tl_core.checks.near_duplicates import groups
from tl_core.checks.report import Group, ImageName, place_of
from tl_core.data.examples import Labels, PlainLabel, plain_label
from tl_core.data.label_kinds import NUMBERS
from tl_core.datasets import Data, Examples
from tl_core.errors import printable

NO_LABEL = -1
"""Stands among the codes of `Members` where an example has no label: like any of them."""
EXCERPT, NAMED = 80, 20
"""Characters of a text or a row by which it is known, since it has no file name; and how many of one content are told by name."""


class Members(Sequence[ImageName]):
    """All examples of `data`, split after split, each made when it is asked for: of millions few are ever told."""

    def __init__(self, data: Data[Examples]) -> None:
        self.codes = _codes(list(data.splits.values()))
        self.of_numbers = data.label_kind == NUMBERS
        self.ids = [digest for examples in data.splits.values() for digest in examples.ids]
        self._splits = list(data.splits.items())
        self._ends = list(accumulate(len(examples) for _, examples in self._splits))

    def __len__(self) -> int:
        return self._ends[-1]

    @overload
    def __getitem__(self, place: int) -> ImageName: ...
    @overload
    def __getitem__(self, place: slice) -> list[ImageName]: ...
    def __getitem__(self, place: int | slice) -> ImageName | list[ImageName]:
        if isinstance(place, slice):
            return [self[each] for each in range(len(self))[place]]
        number = bisect_right(self._ends, place)
        split, examples = self._splits[number]
        index = place - (self._ends[number - 1] if number else 0)
        label = plain_label(examples.labels[index]) if examples.is_labelled else None
        return ImageName(split, index, _name(examples, index), label, self.ids[place].hex())

    def firsts(self) -> NDArray[np.intp]:
        """Return the first place of each content, ascending."""
        return np.array([places[0] for places in self.same()], np.intp)

    def same(self) -> list[list[int]]:
        """Return the places of each content, ascending."""
        by_digest: dict[bytes, list[int]] = {}
        for place, digest in enumerate(self.ids):
            by_digest.setdefault(digest, []).append(place)
        return list(by_digest.values())


def _codes(splits: Sequence[Examples]) -> Labels:
    """Return an integer for each example (n,), the same where labels are: `NO_LABEL` where there is none."""
    known = np.concatenate([np.full(len(examples), examples.is_labelled) for examples in splits])
    codes = np.full(len(known), NO_LABEL)
    labels = np.concatenate([each.labels for each in splits if each.is_labelled])
    codes[known] = np.unique(labels, axis=0, return_inverse=True)[1].reshape(-1)
    return codes


def _name(examples: Examples, index: int) -> str:
    excerpt = printable(examples.excerpt(index)[:EXCERPT])
    return f"{examples.name(index)}: {excerpt}" if excerpt else examples.name(index)


def groups_of(members: Members, near: NDArray[np.intp]) -> Iterator[Group]:
    """Yield exact copies whose labels differ; then those of one class that are the same, or nearly, by the pairs `near` (m, 2) of
    places; then those of several classes that are nearly the same. What is nearly the same may have any number."""
    double = [places for places in members.same() if len(places) > 1]
    for places in double:
        if len(set(members.codes[places].tolist()) - {NO_LABEL}) > 1:
            yield Group(True, _told(members, places))
    copies = np.array([(places[0], other) for places in double for other in places[1:]], np.intp).reshape(-1, 2)
    alike = _alike(members, near) | members.of_numbers
    for places in groups(np.concatenate([near[alike], copies[_alike(members, copies)]]), len(members)):
        exact = len({members.ids[place] for place in places}) == 1
        if not exact or len(set(members.codes[places].tolist()) - {NO_LABEL}) < 2:  # or it was told already
            yield Group(exact, _told(members, places))
    for places in groups(near[~alike], len(members)):
        yield Group(False, _told(members, places))


def _alike(members: Members, pairs: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return of which of the `pairs` (m, 2) the labels are the same; one without a label is of any class."""
    one, other = members.codes[pairs[:, 0]], members.codes[pairs[:, 1]]
    return np.asarray((one == other) | (one == NO_LABEL) | (other == NO_LABEL))


def _told(members: Members, places: Sequence[int]) -> tuple[ImageName, ...]:
    """Return the members at `places`; of many that are the same, in one split and of one class, the first few and how many more
    there are: a table of few columns may hold a row a million times."""
    alike: dict[tuple[str, PlainLabel | None, str], list[ImageName]] = {}
    for member in (members[place] for place in places):
        listed = alike.setdefault((member.split, member.label, member.digest), [])
        if len(listed) < NAMED:
            listed.append(member)
        else:
            listed[-1] = listed[-1]._replace(copies=listed[-1].copies + 1)
    return tuple(
        sorted((member for listed in alike.values() for member in listed), key=lambda each: (place_of(each.split), each.place))
    )
