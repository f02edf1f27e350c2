"""What was found in a dataset, in plain values."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

from tl_core.checks.brightness import Values
from tl_core.data.examples import PlainLabel, label_text
from tl_core.data.exclusions import Exclusions
from tl_core.data.split_names import CORE, EXTRA

SPLITS = (*CORE, *dict.fromkeys(EXTRA.values()))
"""The splits in the order in which copies are told: the first one stays."""
KINDS = BROKEN, COPIES, CONFLICTS = "broken", "copies", "conflicts"
"""What may be left out."""


def place_of(split: str) -> tuple[int, str]:
    """Return what sorts splits: the known ones first, in their order."""
    return (SPLITS.index(split) if split in SPLITS else len(SPLITS)), split


class ImageName(NamedTuple):
    """An example: its split, its place there, its name, its class, labels or number (None where it has none), the sha256 of its
    content (hexadecimal); and how many more `copies` of it, of that split and class, are not told one by one."""

    split: str
    place: int
    name: str
    label: PlainLabel | None
    digest: str
    copies: int = 0


@dataclass(frozen=True)
class Group:
    """Examples that are the same, or (if not `exact`) nearly, in the order of the splits and of their places."""

    exact: bool
    members: tuple[ImageName, ...]

    def size(self, split: str | None = None) -> int:
        """Return how many examples it has, in all or in that split."""
        return sum(1 + member.copies for member in self.members if split in {None, member.split})

    @property
    def crosses(self) -> bool:
        """Return whether its members are in different splits: what was learned is asked again."""
        return len({member.split for member in self.members}) > 1

    @property
    def conflicts(self) -> bool:
        """Return whether their labels differ, of those that have any. The numbers of what is only nearly the same may differ."""
        labels = {member.label for member in self.members} - {None}
        return len(labels) > 1 and (self.exact or not any(isinstance(label, float) for label in labels))


@dataclass(frozen=True)
class Broken:
    """An image that cannot be read, and why."""

    member: ImageName
    reason: str


@dataclass(frozen=True)
class Report:
    """What the examples of a dataset are. `thing` is what several of them are called: of texts and rows all that only pictures
    have is empty or 0.

    `digest` is that of the data, and `counts` are of each class, by split; of a split without labels, and where labels are
    numbers (`of_numbers`) or there are several of each example, there is one count, that of all; `having` says then how many of
    train and test have each of several labels. So many numbers are `far` from the others, the first of which are
    `far_examples`. Of the images that can be read are `formats`, what is
    `repaired` when they are (counts, and names as `examples`), `sizes` (width, height; at most 2,000, drawn evenly), the
    `smallest` side, how many are `elongated` or too `coarse` to have near copies, and `channel_means` and `channel_deviations`
    (red, green, blue, 0..255, of the pictures at 32 pixels), and the range of the `values` of all channels there, by split.
    """

    digest: str
    class_names: tuple[str, ...]
    counts: dict[str, tuple[int, ...]]
    formats: dict[str, int]
    repaired: dict[str, int]
    examples: dict[str, tuple[str, ...]]
    sizes: tuple[tuple[int, int], ...]
    smallest: int
    elongated: int
    channel_means: tuple[float, float, float]
    channel_deviations: tuple[float, float, float]
    broken: tuple[Broken, ...] = ()
    groups: tuple[Group, ...] = field(default=())
    thing: str = "images"
    coarse: int = 0
    values: dict[str, Values] = field(default_factory=dict)
    of_numbers: bool = False
    far: int = 0
    far_examples: tuple[ImageName, ...] = ()
    having: dict[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def examined(self) -> int:
        """Return how many examples there are, broken ones included."""
        return sum(map(sum, self.counts.values()))

    @property
    def one(self) -> str:
        """Return what one example is called."""
        return self.thing.removesuffix("s")

    def class_of(self, member: ImageName) -> str | None:
        """Return the name of its class, its number, or the names of its labels; None where nothing is known of it."""
        return None if member.label is None else label_text(member.label, self.class_names)

    def leaked(self, split: str) -> int:
        """Return how many examples of `split` have a twin, of the same class, that is trained on."""
        return sum(
            group.size(split)
            for group in self.groups
            if not group.conflicts and any(member.split == "train" for member in group.members)
        )

    def shared(self, split: str, other: str) -> int:
        """Return how many examples of `split` have a twin in the split `other`, and none that is trained on."""
        return sum(
            group.size(split) for group in self.groups if group.size(other) and not group.size("train") and not group.conflicts
        )

    def copies(self) -> int:
        """Return how many more examples there are than different ones, those with conflicting labels apart."""
        return sum(group.size() - 1 for group in self.groups if not group.conflicts)

    def conflicting(self) -> int:
        """Return how many examples have an exact copy under another label."""
        return sum(group.size() for group in self.groups if group.conflicts and group.exact)

    def to_leave_out(self, *kinds: str) -> Exclusions:
        """Return what to leave out so that nothing of those kinds is left: all that is `BROKEN`; of `COPIES` all but the first
        one, which is in train wherever there is one in train; all exact copies whose labels are in `CONFLICTS`, since nobody
        knows which is right."""
        gone: dict[str, set[str]] = defaultdict(set)
        once: dict[str, set[str]] = defaultdict(set)
        for broken in self.broken if BROKEN in kinds else ():
            gone[broken.member.split].add(broken.member.digest)
        for group in self.groups:
            if group.conflicts and group.exact and CONFLICTS in kinds:
                for member in group.members:
                    gone[member.split].add(member.digest)
            elif not group.conflicts and COPIES in kinds:
                first, *others = group.members
                for member in others:
                    same = member.digest == first.digest and member.split == first.split
                    (once if same else gone)[member.split].add(member.digest)
        order = sorted({*gone, *once}, key=place_of)
        return Exclusions(*({split: tuple(sorted(listed[split])) for split in order if listed[split]} for listed in (gone, once)))
