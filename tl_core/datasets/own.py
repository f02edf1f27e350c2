"""What sources of people's own data have in common: how the data are split, where they are not yet."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import Field

from tl_core.datasets import Data, Dataset, Examples
from tl_core.datasets.listing import SPLITS
from tl_core.datasets.splitting import hold_out_groups, joined
from tl_core.errors import DataError, printable

T = TypeVar("T")


class OwnDataset(Dataset):
    """Data that may come in splits, or in one piece.

    What is missing is set aside from the training examples by their content: the same data give the same splits wherever they
    lie and whatever their files are called, and of two that are the same, both are on one side.
    """

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

    def divided(
        self,
        class_names: Sequence[str],
        given: Mapping[str, Examples],
        notes: Sequence[str] = (),
    ) -> Data[Any]:
        """The dataset of the `given` splits, "train" at least; others are set aside from it.

        The groups of the training examples are not torn apart, and those that share a content are one; where none are known each
        content is a group. Raises `DataError`.
        """
        splits = dict(given)
        train, told = splits.pop("train"), [*notes, *_alike(class_names)]
        lacking = [split for split in ("test", "validation") if split not in splits]
        groups = train.groups
        names = [] if not lacking else list(train.ids) if groups is None else joined(groups, train.ids)
        if groups and names and (fewer := len(set(groups)) - len(set(names))):
            told.append(f"Groups that share a copy are kept on one side: {fewer:,} were joined with others.")
        for split, share in (("test", self.test_share), ("validation", self.validation_share)):
            if split not in lacking:
                continue
            kept, held = hold_out_groups(train.labels, names, share, class_names, split, seed=self.split_seed)
            train, splits[split], names = train.take(kept), train.take(held), [names[index] for index in kept]
            if len(given) > 1 and len(held):
                told.append(f"There are no {split} {self.thing}: {len(held):,} training {self.thing} were set aside for it.")
        return Data(tuple(class_names), train, splits["validation"], splits["test"], tuple(told))


def named_splits(found: Mapping[Any, T]) -> tuple[dict[str, T], list[str]]:
    """What was `found` by names such as val and dev, by the names of our splits; and a note on what else there was. Raises
    `DataError` without a training split."""
    given = {SPLITS[str(name).lower()]: what for name, what in found.items() if str(name).lower() in SPLITS}
    listed = printable(", ".join(map(str, found)))
    if "train" not in given:
        raise DataError("The dataset has no training split.", "Choose another one.", received=listed or "no split")
    others = [printable(str(name)) for name in found if str(name).lower() not in SPLITS]
    return given, [f"Splits left out: {', '.join(others)}."] if others else []


def _alike(class_names: Sequence[str]) -> list[str]:
    """A note where names differ only in case, spaces or hyphens: perhaps one class twice, but letters come in two cases, too."""
    found: dict[str, list[str]] = {}
    for name in class_names:
        found.setdefault(re.sub(r"[\s_-]+", " ", name).strip().casefold(), []).append(name)
    twice = [" and ".join(names) for names in found.values() if len(names) > 1]
    return [f"Classes with nearly the same name, used as different ones: {'; '.join(twice[:3])}."] if twice else []
