"""What sources of people's own data have in common: how the data are split, where they are not yet."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from pydantic import Field

from tl_core.data.leaking_columns import leaking
from tl_core.data.split_names import CORE, SPLITS
from tl_core.data.splitting import joined
from tl_core.datasets import Data, Dataset, Examples, Given
from tl_core.errors import DataError, printable
from tl_core.notes import Note, NoteKind

__all__ = ["Given", "UserDataset", "named_splits"]
T = TypeVar("T")


class UserDataset(Dataset):
    """Data that may come in splits, or in one piece.

    What is missing is set aside from the training examples by their content: the same data give the same splits wherever they
    lie and whatever their files are called, and of two that are the same, both are on one side.
    """

    second_class: ClassVar[str] = "Add examples of another class."
    """What to do where all training examples are of one class."""

    test_share: float = Field(
        0.25,
        ge=0.01,
        le=0.9,
        title="Test share",
        description="Which share of each class becomes the test set where the data have none.",
        json_schema_extra={"more": True},
    )
    validation_share: float = Field(
        0.1,
        ge=0,
        le=0.5,
        title="Validation share",
        description="Which share of what is left is for validation where the data have no such split; 0 for none.",
        json_schema_extra={"more": True},
    )
    split_seed: int = Field(
        0,
        ge=0,
        le=1_000_000,
        title="Split number",
        description="Another number sets other examples aside; results on different test sets cannot be compared one by one.",
        json_schema_extra={"more": True},
    )

    @abstractmethod
    def given(self) -> Given:
        """Return the data as they come, "train" at least. Reads no more of the examples than that needs. Raises `DataError`."""

    def some_examples(self) -> Examples:
        return self.given().splits["train"]

    def for_test(self, seed: int) -> Given:
        names, given, notes, _ = self.given()
        splits = given
        if self.left_out is not None:  # a list that was made of the splits, with those that were set aside
            data = self.whole(seed)
            splits, notes = data.splits, data.notes
        used = ["test"] if "test" in given else [split for split in CORE if split in splits]
        return Given(names, {split: splits[split] for split in used}, notes)

    def read(self, seed: int) -> Data[Any]:
        """Return the data as they come; splits that they lack are set aside from the training examples.

        The groups of the training examples are not torn apart, and those that share a content are one; where none are known each
        content is a group. Raises `DataError`.
        """
        class_names, given, notes, columns = self.given()
        splits = dict(given)
        kind = self.label_kind
        kind.require_enough(class_names, splits["train"].labels, self.second_class, notes)
        train, told = splits.pop("train"), [*notes, *kind.about_names(class_names)]
        lacking = [split for split in ("test", "validation") if split not in splits]
        groups = train.groups
        names = [] if not lacking else list(train.ids) if groups is None else joined(groups, train.ids)
        if groups and names and (fewer := len(set(groups)) - len(set(names))):
            told.append(Note(NoteKind.GROUPS_JOINED, (fewer,)))
        for split, share in (("test", self.test_share), ("validation", self.validation_share)):
            if split not in lacking:
                continue
            kept, held = kind.hold_out(class_names, train.labels, names, share, split, seed=self.split_seed)
            if split == "test" and not len(held):
                raise _nothing_to_set_aside(self.thing, by_group=groups is not None)
            train, splits[split], names = train.take(kept), train.take(held), [names[index] for index in kept]
            if share and not len(held):
                told.append(Note(NoteKind.NO_VALIDATION, about=(self.thing,)))
            if len(given) > 1 and len(held):
                told.append(Note(NoteKind.SET_ASIDE, (len(held),), about=(split, self.thing)))
        if columns is not None and train.rows is not None:
            told += leaking(columns.iloc[train.rows], train.labels, kind)
        others = {split: splits[split] for split in sorted(splits) if split not in CORE}
        told += [Note(NoteKind.NOT_USED_YET, (len(extra),), about=(split, self.thing)) for split, extra in others.items()]
        return Data(tuple(class_names), train, splits["validation"], splits["test"], tuple(told), others, kind)


def _nothing_to_set_aside(thing: str, *, by_group: bool) -> DataError:
    if by_group:
        return DataError(
            f"No {thing} can be set aside for the test: those of each class belong to one group, which is not torn apart.",
            "Add other groups, name another group column, or set dataset.group_column=none.",
        )
    return DataError(
        f"No {thing} can be set aside for the test: those of each class are copies of one.", f"Add {thing} that differ."
    )


def named_splits(found: Mapping[Any, T]) -> tuple[dict[str, T], list[Note]]:
    """Return what was `found` by names such as val and dev, by the names of our splits; and a note on what else there was. Raises
    `DataError` without a training split."""
    given = {SPLITS[str(name).lower()]: what for name, what in found.items() if str(name).lower() in SPLITS}
    listed = printable(", ".join(map(str, found)))
    if "train" not in given:
        raise DataError("The dataset has no training split.", "Choose another one.", received=listed or "no split")
    others = [printable(str(name)) for name in found if str(name).lower() not in SPLITS]
    return given, [Note(NoteKind.SPLITS_LEFT_OUT, names=tuple(others))] if others else []
