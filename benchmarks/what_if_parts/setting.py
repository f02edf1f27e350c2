"""What all parts of a benchmark share: the images, the processes that contenders run in, and caches for them."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.what_if_parts.child import MARK
from benchmarks.what_if_parts.results import Run
from tl_core.spec import RunSpec

ROOT = Path(__file__).parents[2]
CHILD = "benchmarks.what_if_parts.child"
MOST_SECONDS = 7200
"""What takes longer hangs."""
OTHER_IMAGES = {
    "dataset": "photo_patches",
    "dataset.labels_per_class": 1,
    "dataset.validation_per_class": 0,
    "dataset.test_per_class": 1,
}
"""A dataset that shares no image with any other, as small as it can be."""


class ChildError(Exception):
    """A contender ended without a result. The message is the end of what it said."""


@dataclass(frozen=True)
class Setting:
    """The images below `folder`, of which `labels` a class train, at `size` pixels; every contender has `repeats` turns.

    `space` is an empty folder for caches; `bfloat16` says whether the
    processor has instructions for it; `torch_python` is an interpreter that may have torch and timm;
    `stream_folder` holds, or gets, the images of which there are `stream` many.
    """

    folder: Path
    labels: int
    size: int
    repeats: int
    space: Path
    bfloat16: bool
    torch_python: str
    stream_folder: Path
    stream: tuple[int, ...]

    def spec(self, **changes: Any) -> RunSpec:
        """Return a linear probe of these images in float32, with changes in which "__" stands for a dot."""
        own = {"dataset": "image_folder", "dataset.path": str(self.folder), "dataset.labels_per_class": self.labels}
        more = {name.replace("__", "."): value for name, value in changes.items()}
        return RunSpec().with_settings(own | {"image_size": self.size, "precision": "float32"} | more)

    def in_turn(self, contenders: Mapping[str, Callable[[int], Run]]) -> dict[str, list[Run]]:
        """Run every contender once, one after the other, and that `repeats` times. Each is told the number of the turn."""
        runs: dict[str, list[Run]] = {name: [] for name in contenders}
        for turn in range(self.repeats):
            for name, contend in contenders.items():
                run = contend(turn)
                runs[name].append(run)
                say(f"{turn + 1}/{self.repeats} {name}: {run['wall']:.1f} s, CPU {run['cpu']:.1f} s")
        return runs

    def fresh(self, spec: RunSpec | None = None) -> str:
        """Return an empty cache folder. With `spec` the networks that such a run needs lie in it, converted for
        OpenVINO already."""
        folder = tempfile.mkdtemp(prefix="cache_", dir=self.space)
        if spec:
            shutil.copytree(self._converted(spec), Path(folder, "engines"))
        return folder

    def tidy(self) -> None:
        """Remove all caches that there were."""
        for cache in self.space.glob("cache_*"):
            shutil.rmtree(cache, ignore_errors=True)

    def _converted(self, spec: RunSpec) -> Path:
        """Return the networks that a run like `spec` converts, from a run of other images."""
        parts = {"backbone", "strategy", "image_size", "precision"}
        key = hashlib.sha256(json.dumps(spec.model_dump(mode="json", include=parts)).encode()).hexdigest()
        cache = self.space / "converted" / key[:16]
        if not cache.exists():
            epochs = {"strategy.epochs": 1} if "epochs" in spec.strategy.settings else {}
            process("job_ours.trained", spec=plain(spec.with_settings(OTHER_IMAGES | epochs)), cache=str(cache))
            (cache / "engines").mkdir(exist_ok=True)  # where nothing was converted
        return cache / "engines"


def plain(spec: RunSpec) -> dict[str, Any]:
    """Return `spec` as it goes to a process."""
    return spec.model_dump(mode="json")


def process(job: str, *, python: str = sys.executable, **settings: Any) -> Run:
    """Return what `job` gives in a process of its own. Raises `ChildError` where it ends otherwise."""
    command = [python, "-m", CHILD, job, json.dumps(settings)]
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore"}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=ROOT, env=os.environ | quiet, check=False, timeout=MOST_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ChildError(f"{job}: {error}") from error
    found = [line for line in done.stdout.splitlines() if line.startswith(MARK)]
    if done.returncode or not found:
        raise ChildError(f"{job} ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    run: Run = json.loads(found[-1].removeprefix(MARK))
    return run | {"load": os.getloadavg()[0]}


def say(text: str) -> None:
    """Print a line of progress."""
    print(f"{time.strftime('%H:%M:%S')}  {text}", flush=True)
