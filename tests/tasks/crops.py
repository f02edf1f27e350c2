"""Images listed in a table with a number: crops of photographs that scikit-image brings, and the side of each crop."""

from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data

PHOTOGRAPHS = ("astronaut", "coffee", "chelsea", "grass", "brick", "gravel")


def crops(folder: Path, count: int, size: int = 32, *, more: str = "") -> Path:
    """Write `count` crops of `size` pixels and their table, whose number `side` is how many pixels of the photograph each shows,
    from 32 to 256 evenly by octaves; `more` are further lines. Return the table."""
    rng, rows = np.random.default_rng(0), ["path,side,photograph"]
    photographs = {name: Image.fromarray(getattr(data, name)()).convert("RGB") for name in PHOTOGRAPHS}
    for number in range(count):
        name = PHOTOGRAPHS[number % len(PHOTOGRAPHS)]
        photograph = photographs[name]
        side = round(32 * 2 ** rng.uniform(0, 3))
        left, top = (int(rng.integers(0, length - side + 1)) for length in photograph.size)
        crop = photograph.crop((left, top, left + side, top + side)).resize((size, size), Image.Resampling.BICUBIC)
        crop.save(folder / f"{number}.png")
        rows.append(f"{number}.png,{side},{name}")
    table = folder / "crops.csv"
    table.write_text("\n".join([*rows, more] if more else rows), encoding="utf-8")
    return table
