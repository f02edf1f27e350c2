"""What to do about what was found, in sentences."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tl_core.checks.brightness import remarks
from tl_core.checks.image_checks import Repair
from tl_core.checks.near_duplicates import FINE
from tl_core.checks.report import Group, ImageName, Report
from tl_core.data.split_names import CORE
from tl_core.notes import listed, sentences

UNEVEN = 3.0
"""A largest class of so many times the smallest is worth a word."""
FEW_TRAIN, FEW_TEST = 5, 10


@dataclass(frozen=True)
class Advice:
    """A sentence or two, whether something is wrong (`fix`) or only worth knowing, and whether it is on `uneven` classes."""

    text: str
    fix: bool
    uneven: bool = False


def told_all(thing: str) -> str:
    """Return what to say where a list of what is left out is in use: an examination looks at all, so that the list can change."""
    return f"What you chose of this is left out. Below is what was found in all {thing}."


def advice(report: Report) -> tuple[Advice, ...]:
    """Return all advice on the report, what is wrong first."""
    found = [*_leakage(report), *_labels(report), *_broken(report), *_classes(report), *_copies(report), *_pictures(report)]
    return tuple(sorted(found, key=lambda each: not each.fix))


def _leakage(report: Report) -> list[Advice]:
    told, thing, flatters = [], report.thing, "test" if report.of_numbers or report.having else "accuracy"
    for split in ("test", "validation"):
        if leaked := report.leaked(split):
            share = 100 * leaked / max(1, sum(report.counts[split]))
            told.append(
                Advice(
                    f"{leaked:,} of the {split} {thing} ({share:.1f} %) {_have(leaked)} a twin among the training {thing}, so "
                    f"that what was learned is asked again and the {flatters} flatters. Keep one of each, in train."
                    + _example(report, partial(_leaks, split)),
                    fix=True,
                )
            )
    for extra in [split for split in report.counts if split not in CORE]:
        if shared := report.shared("test", extra):
            told.append(
                Advice(
                    f"{shared:,} of the test {thing} {_have(shared)} a twin in the split {extra}. Nothing uses that yet; what "
                    "learns from it one day is then tested on what it has seen." + _example(report, partial(_shares, extra)),
                    fix=False,
                )
            )
    return told


def _labels(report: Report) -> list[Advice]:
    near = sum(group.conflicts and not group.exact for group in report.groups)
    told = []
    if report.conflicting():
        told.append(
            Advice(
                f"{report.conflicting():,} {report.thing} have an exact copy under another label, and nobody knows which is "
                "right. Leave them all out, or mend the labels."
                + _example(report, lambda group, twin: group.exact and _disagrees(group, twin)),
                fix=True,
            )
        )
    if near:
        told.append(
            Advice(
                f"Images that look nearly the same have different labels (groups: {near:,}). Look at them."
                + _example(report, lambda group, twin: not group.exact and _disagrees(group, twin)),
                fix=False,
            )
        )
    return told


def _broken(report: Report) -> list[Advice]:
    if not report.broken:
        return []
    many, first = _many(report, len(report.broken)), report.broken[0]
    text = f"{many} cannot be read, and a run would stop there. Leave out what is broken, or replace it."
    which = "The first is" if len(report.broken) > 1 else "It is"
    return [Advice(f"{text} {which} {first.member.name}, in {first.member.split}: {first.reason}.", fix=True)]


def _classes(report: Report) -> list[Advice]:
    if report.of_numbers:
        return _numbers(report)
    sizes, one = (report.having, "label") if report.having else (report.counts, "class")
    train, test = sizes["train"], sizes["test"]
    few = [name for name, count in zip(report.class_names, train, strict=True) if count < FEW_TRAIN]
    untested = [name for name, count in zip(report.class_names, test, strict=True) if count < FEW_TEST]
    told = []
    if few:
        told.append(
            Advice(f"Fewer than {FEW_TRAIN} training {report.thing}: {listed(few)}. Such a {one} is learned by luck.", fix=True)
        )
    if untested:
        moves = f"One {report.one} moves the {'recall' if report.having else 'accuracy'} of such a {one} by 10 points."
        told.append(Advice(f"Fewer than {FEW_TEST} test {report.thing}: {listed(untested)}. {moves}", fix=False))
    largest, smallest = max(train), max(1, min(train))
    if largest > UNEVEN * smallest and not report.having:  # an example is of no one class that could be balanced
        text = (
            f"The largest class has {largest / smallest:.0f} times the training {report.thing} of the smallest "
            f"({largest:,} and {smallest:,}). A network may neglect small classes: look at the accuracy of each class, let "
            "balanced accuracy decide, and try logit adjustment, class weights or balanced sampling on the Strategy page."
        )
        told.append(Advice(text, fix=False, uneven=True))
    return told


def _numbers(report: Report) -> list[Advice]:
    if not report.far:
        return []
    named = ", ".join(f"{each.name} ({report.class_of(each)})" for each in report.far_examples)
    more = " and others" if report.far > len(report.far_examples) else ""
    text = (
        f"{_many(report, report.far)} {_have(report.far)} a number that is far from all others: {named}{more}. Look whether it "
        "stands for a missing one, or is a slip: the squared error, by which is learned, gives it a large weight."
    )
    return [Advice(text, fix=False)]


def _copies(report: Report) -> list[Advice]:
    if not report.copies():
        return []
    many, near = (
        _many(report, report.copies()),
        ", or what is nearly one," if any(not each.exact for each in report.groups) else "",
    )
    example = _example(report, lambda group, twin: not group.conflicts)
    return [Advice(f"{many} could go: copies{near} count twice and teach nothing new.{example}", fix=False)]


def _pictures(report: Report) -> list[Advice]:
    told = [Advice(text, fix=True) for text in sentences(remarks(report.values))]
    if clear := report.repaired.get(Repair.CLEAR, 0):
        text = f"{_many(report, clear)} {_have(clear)} transparent parts, which are laid on white."
        told.append(Advice(text, fix=False))
    grey, readable = report.repaired.get(Repair.GREY, 0), report.examined - len(report.broken)
    if 0 < grey < readable:
        many = f"{_many(report, grey)} of {readable:,} {_have(grey)}"
        text = f"{many} no colour. If that goes with the class, a network learns it instead."
        told.append(Advice(text, fix=False))
    if report.elongated:
        many, have = _many(report, report.elongated), _have(report.elongated)
        text = f"{many} {have} sides of more than 2 to 1: half of such a picture lies outside the square that is used."
        told.append(Advice(text, fix=False))
    if report.coarse:
        many, have = _many(report, report.coarse), _have(report.coarse)
        text = (
            f"{many} {have} a side of fewer than {FINE} pixels, too few to tell who is alike: only exact copies are found there."
        )
        told.append(Advice(text, fix=False))
    if 0 < report.smallest < FINE:
        text = f"The smallest image has a side of {report.smallest} pixels; enlarging it adds nothing."
        told.append(Advice(text, fix=False))
    return told


def _example(report: Report, is_meant: Callable[[Group, ImageName], bool]) -> str:
    """Return a sentence that names the first member of a group, and another one of it that `is_meant`."""
    pairs = ((group.members[0], twin) for group in report.groups for twin in group.members[1:] if is_meant(group, twin))
    named = [f"{each.name} ({report.class_of(each) or 'no label'}, {each.split})" for each in next(pairs)]
    return f" For example {named[0]} and {named[1]}."


def _leaks(split: str, group: Group, twin: ImageName) -> bool:
    return not group.conflicts and group.members[0].split == "train" and twin.split == split


def _shares(split: str, group: Group, twin: ImageName) -> bool:
    return not group.conflicts and bool(group.size("test")) and not group.size("train") and twin.split == split


def _disagrees(group: Group, twin: ImageName) -> bool:
    return twin.label not in {None, group.members[0].label}


def _many(report: Report, count: int) -> str:
    return f"{count:,} {report.one if count == 1 else report.thing}"


def _have(count: int) -> str:
    return "has" if count == 1 else "have"
