"""What a what-if costs: the product against usual recipes, other libraries, and its own limits.

    python -m benchmarks.what_ifs FOLDER [--images 1500] [--size 224] [--repeats 3] [--parts probe grid ...]

FOLDER holds images, one folder a class. Every contender runs in a process of its own; its seconds begin after its imports and
end with its test accuracy, so that loading the network and decoding are in them. CPU seconds are those of all its threads. The
contenders of a part take turns; told are medians over the turns, and medians of the ratios within a turn.

What was measured is written into what_ifs.json after each part. Parts that lie there already and were measured under the same
conditions stay, so that an interrupted benchmark goes on with `--parts`.
"""

import argparse
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter
from rich.console import Console
from rich.table import Table

from benchmarks.what_if_parts import others, passes, probe, stream
from benchmarks.what_if_parts.chart import draw
from benchmarks.what_if_parts.results import Bar, Part
from benchmarks.what_if_parts.setting import ChildError, Setting, process, say
from tl_core.datasets.image_folder import ImageFolder
from tl_core.errors import TransferError

PARTS: dict[str, Callable[[Setting], Part]] = {
    "probe": probe.measure,
    "grid": passes.grid,
    "suffix": passes.suffix,
    "warm": passes.warm,
    "stream": stream.measure,
    "limit": passes.limit,
    "others": others.measure,
}
IMAGES = "images to train, validate and test on"
FILE = TypeAdapter(dict[str, Part])
"""Parts by their names."""


def options(given: Sequence[str] | None) -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path, help="one folder of images a class")
    parser.add_argument("--images", type=int, default=1500, help="training images at most (all parts but stream)")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--parts", nargs="*", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--stream", type=int, nargs="+", default=[1_000, 5_000, 50_000], help="how many images to stream")
    parser.add_argument("--stream-folder", type=Path, help="where they are, or are kept")
    parser.add_argument("--torch-python", default=sys.executable, help="an interpreter that has torch and timm")
    parser.add_argument("--out", type=Path, default=Path("docs"))
    return parser.parse_args(given)


def setting_of(chosen: argparse.Namespace, space: Path) -> Setting:
    """Return what the parts share."""
    folder = chosen.folder.absolute()
    of_each_class = np.bincount(ImageFolder(path=folder).load(0).train.labels)
    return Setting(
        folder=folder,
        labels=max(1, min(chosen.images // len(of_each_class), int(of_each_class.max()))),
        size=chosen.size,
        repeats=chosen.repeats,
        space=space,
        bfloat16=process("job_limit.able")["bfloat16"],
        torch_python=chosen.torch_python,
        stream_folder=(chosen.stream_folder or space / "stream").absolute(),
        stream=tuple(sorted(chosen.stream)),
    )


def conditions(setting: Setting) -> dict[str, Any]:
    """Return what two measurements of a part must share to stand in one table."""
    data = ImageFolder(path=setting.folder, labels_per_class=setting.labels).load(0)
    model = next((line for line in _processor() if line.startswith("model name")), platform.processor())
    return {
        "processor": model.partition(":")[2].strip() or model,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        IMAGES: [len(data.train), len(data.validation), len(data.test)],
        "pixels": setting.size,
        "repeats": setting.repeats,
    }


def _processor() -> list[str]:
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def table(parts: dict[str, Part]) -> Table:
    """Return a table of all bars, in the order of `PARTS`."""
    drawn = Table("Part", "Bar", "Ours", "Held against", "Ratio", "In CPU s", "Met?")
    for name in PARTS:
        for bar in parts[name].bars if name in parts else ():
            cpu = "" if bar.cpu is None else f"{bar.cpu:.3g}x"
            drawn.add_row(
                name, bar.title, _cost(bar, "ours"), _cost(bar, "theirs"), f"{bar.value:.3g}{bar.unit}", cpu, bar.verdict
            )
        drawn.add_section()
    return drawn


def _cost(bar: Bar, side: str) -> str:
    found = getattr(bar, side)
    return str(found) if found else ""


def kept(file: Path, wanted: dict[str, Any]) -> dict[str, Part]:
    """Return the parts in `file` that were measured under the `wanted` conditions."""
    parts = FILE.validate_json(file.read_bytes()) if file.exists() else {}
    return {name: part for name, part in parts.items() if part.conditions == wanted}


def main(given: Sequence[str] | None = None) -> None:
    """Measure the parts, and print and write the table and the picture."""
    chosen = options(given)
    chosen.out.mkdir(parents=True, exist_ok=True)
    file, space = chosen.out / "what_ifs.json", Path(tempfile.mkdtemp(prefix="what_ifs_"))
    try:
        setting = setting_of(chosen, space)
        wanted = conditions(setting)
        parts = kept(file, wanted)
        for name in chosen.parts:
            say(f"Part {name}")
            begun = time.monotonic()
            setting.tidy()
            try:
                parts[name] = PARTS[name](setting).model_copy(update={"conditions": wanted})
            except (ChildError, TransferError, OSError) as error:
                say(f"Part {name} could not be measured: {error}")
                continue
            file.write_bytes(FILE.dump_json(parts, indent=1))
            say(f"Part {name} took {time.monotonic() - begun:.0f} s")
        show(parts, chosen.out / "what_ifs.png", wanted)
    finally:
        shutil.rmtree(space, ignore_errors=True)


def show(parts: dict[str, Part], picture: Path, measured: dict[str, Any]) -> None:
    """Print the table, with what is to be said beside it, and draw the picture."""
    console = Console(width=160)
    console.print(table(parts))
    for name in filter(parts.__contains__, PARTS):
        for note in parts[name].notes:
            console.print(f"{name}: {note}", highlight=False)
    console.print(", ".join(f"{name} {value}" for name, value in measured.items()), highlight=False)
    bars = [bar for name in PARTS if name in parts for bar in parts[name].bars]
    images = f"{measured[IMAGES][0]:,} training images of {measured['pixels']} px"
    title = f"EfficientNet-Lite0, {images}, on {measured['cores']} cores ({measured['processor']})"
    try:
        draw(bars, title, picture)
    except OSError as error:
        say(f"No picture: {error}.")


if __name__ == "__main__":
    main()
