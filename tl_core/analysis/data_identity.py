"""Whether two runs used the same data, whatever these are called and wherever they lie: by digests, never by names."""

from dataclasses import dataclass
from enum import Enum, auto


@dataclass(frozen=True)
class DataUsed:
    """The data of a finished run: what they are called, the `place` where they lie, and the `settings` (seed included) that
    decide what is drawn from them. `content` and `test` are sha256 digests of all splits as the run used them, and of the test
    images; empty where they are not known."""

    name: str
    place: str
    settings: str
    content: str
    test: str


class Relation(Enum):
    """What digests say of the data of two runs that names do not say."""

    SAME_CONTENT = auto()
    SAME_TEST = auto()
    OTHER_TEST = auto()
    OTHER_TRAINING = auto()


def relation(one: DataUsed, other: DataUsed) -> Relation | None:
    """Return what is surprising about the data of two runs: equal content under another name or in another place, or other
    content under the same name. None where names say it already, where settings explain it, and where nothing is known."""
    alike, in_place = one.name == other.name, one.place == other.place
    if not one.test or not other.test:
        return None
    if one.test != other.test:
        return Relation.OTHER_TEST if alike and (not in_place or one.settings == other.settings) else None
    if one.content and one.content == other.content:
        return None if alike and in_place else Relation.SAME_CONTENT
    if alike and one.settings == other.settings and one.content and other.content:
        return Relation.OTHER_TRAINING
    return None if alike and in_place else Relation.SAME_TEST
