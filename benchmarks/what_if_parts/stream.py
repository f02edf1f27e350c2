"""Probes of more and more images: memory, and what an image costs."""

import hashlib
import io
import os
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.what_if_parts.results import Bar, Cost, Part, Run
from benchmarks.what_if_parts.setting import Setting, plain, process, say
from tl_core.data.decoding import read_image
from tl_core.data.formats.paths import packaged_file
from tl_core.datasets.photo_patches import PHOTOGRAPHS

SIZE, CROP = 96, 128
MOST_GB = 1.5
FLAT = 1.1
"""What an image may cost at most where there are the most, relative to the next smaller number."""


def measure(setting: Setting) -> Part:
    """Measure a linear probe of each number of images."""
    folders = prepared(setting.stream_folder, setting.stream)
    runs = setting.in_turn({f"{number:,} images": partial(_probe, setting, folder) for number, folder in folders.items()})
    costs = [Cost.of(found) for found in runs.values()]
    an_image = [Cost(wall=1e3 * cost.wall / n, cpu=1e3 * cost.cpu / n) for n, cost in zip(setting.stream, costs, strict=True)]
    peaks = [max(run["peak_gb"] for run in found) for found in runs.values()]
    names, last = list(runs), list(runs)[-1]
    notes = [
        f"{name}: {cost.wall:.2f} ms an image, CPU {cost.cpu:.2f} ms; at most {peak:.2f} GB; "
        + ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in found[0]["stages"].items() if seconds >= 0.1)
        for (name, found), cost, peak in zip(runs.items(), an_image, peaks, strict=True)
    ]
    bars = [Bar(title=f"Peak memory, {last}, {SIZE} px", value=peaks[-1], unit=" GB", needed=MOST_GB, at_most=True)]
    if len(costs) > 1:
        rise = {kind: getattr(an_image[-1], kind) / getattr(an_image[-2], kind) for kind in ("wall", "cpu")}
        title = f"Cost of an image, {last} beside {names[-2]}"
        bars.append(Bar(title=title, value=rise["wall"], cpu=rise["cpu"], needed=FLAT, at_most=True))
    return Part(bars=bars, notes=notes, runs=runs)


def _probe(setting: Setting, folder: Path, _turn: int) -> Run:
    spec = setting.spec(dataset__path=str(folder), dataset__labels_per_class=None, image_size=SIZE)
    return process("job_ours.trained", spec=plain(spec), cache=setting.fresh(spec))


def prepared(folder: Path, numbers: tuple[int, ...]) -> dict[int, Path]:
    """Return, for each of the ascending `numbers`, a folder of so many images with a folder a class, below `folder`: the smaller
    ones are links to the first of the largest. What is there already is used."""
    folders = {number: folder / str(number) for number in numbers}
    largest = folders[numbers[-1]]
    if not largest.exists():
        say(f"Cutting {numbers[-1]:,} images out of {len(PHOTOGRAPHS)} photographs.")
        _cut(folder / "unfinished", numbers[-1])
        (folder / "unfinished").rename(largest)
    for number, smaller in folders.items():
        if not smaller.exists():
            for index in range(number):
                place = _place(index)
                (smaller / place).parent.mkdir(parents=True, exist_ok=True)
                os.link(largest / place, smaller / place)
    return folders


def _place(index: int) -> Path:
    """Return where image number `index` lies: the photographs take turns."""
    return Path(Path(list(PHOTOGRAPHS)[index % len(PHOTOGRAPHS)]).stem, f"{index:06}.jpg")


def _cut(folder: Path, number: int) -> None:
    for place, name in enumerate(PHOTOGRAPHS):
        wanted = range(place, number, len(PHOTOGRAPHS))
        for index, content in zip(wanted, islice(_crops(name, place), len(wanted)), strict=True):
            file = folder / _place(index)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)


def _crops(name: str, seed: int) -> Iterator[bytes]:
    """Yield JPEGs of squares of one photograph, no two of them alike, in an order that `seed` draws; mirrored ones after all
    others."""
    module, package, folder = PHOTOGRAPHS[name]
    photograph = np.asarray(read_image(packaged_file(module, package, f"{folder}/{name}")))
    rows, columns = photograph.shape[0] - CROP + 1, photograph.shape[1] - CROP + 1
    seen: set[bytes] = set()
    for turn in range(2):
        pixels = photograph if turn == 0 else photograph[:, ::-1]
        for position in np.random.default_rng([seed, turn]).permutation(rows * columns):
            top, left = divmod(int(position), columns)
            written = io.BytesIO()
            Image.fromarray(pixels[top : top + CROP, left : left + CROP]).save(written, "JPEG", quality=90)
            digest = hashlib.sha256(written.getvalue()).digest()
            if digest not in seen:
                seen.add(digest)
                yield written.getvalue()
