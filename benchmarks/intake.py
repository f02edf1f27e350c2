"""What it costs to bring data and to look at them.

    python -m benchmarks.intake [--images 10000] [--megabytes 1000] [--folder FOLDER]

Photographs are cut out of those that installed packages bring. Told are the seconds until the Dataset page has its preview and
until all images are examined, beside one pass that only decodes them; and the memory that unpacking a large zip takes above
idle. Everything is measured in a process of its own.
"""

import argparse
import os
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.what_if_parts.setting import process
from benchmarks.what_if_parts.stream import prepared


def main() -> None:
    """Measure each job, and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--megabytes", type=int, default=1_000, help="the size of the zip")
    parser.add_argument("--folder", type=Path, help="where the images are, or are kept")
    chosen = parser.parse_args()
    space = Path(tempfile.mkdtemp(prefix="intake_"))
    try:
        folder = prepared((chosen.folder or space / "images").absolute(), (chosen.images,))[chosen.images]
        table = Table("What", "Wall s", "CPU s", "Peak memory, MB", box=None)
        measured = {job: process(f"job_intake.{job}", folder=str(folder)) for job in ("decoded", "previewed", "examined")}
        archive = _zipped(space / "large.zip", chosen.megabytes)
        measured["unpacked"] = process("job_intake.unpacked", archive=str(archive), folder=str(space / "unpacked"))
        for name, run in measured.items():
            table.add_row(*_row(name, run))
        console = Console()
        console.print(table)
        ratio = measured["examined"]["wall"] / measured["decoded"]["wall"]
        console.print(f"{chosen.images:,} images; examining them takes {ratio:.2f} times as long as decoding them.")
    finally:
        shutil.rmtree(space, ignore_errors=True)


def _row(name: str, run: dict[str, Any]) -> tuple[str, str, str, str]:
    above = f"{run['peak_gb'] * 1000:,.0f} ({run['above_idle_mb']:,.0f} above idle)"
    return name, f"{run['wall']:.2f}", f"{run['cpu']:.2f}", above


def _zipped(path: Path, megabytes: int) -> Path:
    """Write a zip of so many megabytes, of files of 5 that do not shrink, and return its path."""
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(max(1, megabytes // 5)):
            archive.writestr(f"{'ab'[number % 2]}/{number:05}.jpg", os.urandom(5_000_000))
    return path


if __name__ == "__main__":
    main()
