"""Names that folders, columns and libraries give to the splits of a dataset."""

import re
from collections.abc import Mapping

SPLITS = dict.fromkeys(("train", "training"), "train") | dict.fromkeys(("test", "testing"), "test")
SPLITS |= dict.fromkeys(("validation", "valid", "val", "dev"), "validation")
"""Of a name in data that have one for each split."""
CORE = ("train", "validation", "test")
"""The splits that all data have."""
SOURCE, UNLABELLED = "source", "unlabelled"
EXTRA = {SOURCE: SOURCE, UNLABELLED: UNLABELLED, "unlabeled": UNLABELLED}
"""Of those that some data have beside them: labelled examples of another domain, and examples without labels."""
MEANINGLESS = {"", "data", "file", "files", "folder", "image", "images", "img", "imgs", "photos", "pictures", "sets", "split"}
"""Words that may stand beside a split in the name of its folder; "set" is cut off before, as in trainset."""
WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+")
"""As in training_set, test 2017, and valImages."""


def split_named(name: str, splits: Mapping[str, str] = SPLITS) -> str | None:
    """Return the one of `splits` that the `name` of a folder says, as Train, test_set and "val images 2017" do; None for any
    other name."""
    words = [word.casefold().removesuffix("set") for word in WORDS.findall(name)]
    said = [word for word in words if word not in MEANINGLESS]
    return splits.get(said[0]) if len(said) == 1 else None
