"""Images listed in a table with several labels: patches of two photographs side by side, with the labels of both."""

from pathlib import Path

import numpy as np
from PIL import Image

from tl_core.datasets.photo_patches import PhotoPatches

LABELLED = 5
"""So many of the photographs are labels; a patch of another one has none."""
COUNTS = {"train": 10, "validation": 4, "test": 8}


def pairs(folder: Path, count: int, size: int = 32, *, in_columns: bool = False) -> Path:
    """Write the images, `count` times as many as `COUNTS`, and their table: with the column `labels`, or with a column of 0 and 1
    for each. The patches of a split are of parts of the photographs that no other split sees. Return the table."""
    data = PhotoPatches(labels_per_class=40, validation_per_class=20, test_per_class=20).load(0)
    rng, names = np.random.default_rng(0), data.class_names[:LABELLED]
    rows = [",".join(["path", "split", *(names if in_columns else ["labels"])])]
    for split, each in COUNTS.items():
        patches = data.splits[split]
        for number in range(each * count):
            two = [rng.choice(np.flatnonzero(patches.labels == label)) for label in rng.permutation(8)[:2]]
            parts = [Image.fromarray(patches.read(index)).resize((size // 2, size), Image.Resampling.BICUBIC) for index in two]
            picture = Image.new("RGB", (size, size))
            for place, part in enumerate(parts):
                picture.paste(part, (place * size // 2, 0))
            path = f"{split}{number}.png"
            picture.save(folder / path)
            has = [data.class_names[patches.labels[index]] for index in two if patches.labels[index] < LABELLED]
            cells = [str(int(name in has)) for name in names] if in_columns else ["|".join(has)]
            rows.append(",".join([path, split, *cells]))
    table = folder / "pairs.csv"
    table.write_text("\n".join(rows), encoding="utf-8")
    return table
