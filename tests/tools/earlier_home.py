"""Make a small home by the code of an earlier version, as test data: `python -m tests.tools.earlier_home CHECKOUT FOLDER`.

CHECKOUT holds that version, and this Python has what it needs. FOLDER gets the home in `home.tar.xz`, and in `expected.json` what
that version said of each run, and what became of the paused one when that version itself went on with it.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from tests.helpers import write_images

PATCHES = ["dataset.labels_per_class=1", "dataset.validation_per_class=1", "dataset.test_per_class=1", "image_size=32"]
"""16 training, 16 validation and 16 test images, in a size at which the network is not converted for an engine."""
DIGITS = ["dataset=digits", "backbone=small_cnn", "backbone.width=4", "strategy=from_scratch", "image_size=16"]
DONE = [*DIGITS, "dataset.labels_per_class=5", "strategy.epochs=3", "seed=1"]
PAUSED = [*DIGITS, "dataset.labels_per_class=20", "strategy.epochs=200", "arithmetic=float32"]
FLOWERS = Path("/tmp/flowers")
FAILED = ["dataset=image_folder", f"dataset.path={FLOWERS}", *DIGITS[1:]]
"""Of a folder that is gone when the run begins."""
QUEUED = [*DIGITS, "dataset.labels_per_class=10", "strategy.epochs=2", "seed=2"]
LEAST_STEPS = 100
"""Steps that the paused run has behind it."""
PLANS = """
import json, sys
from pathlib import Path
from pydantic import TypeAdapter
from tl_core import strategies
from tl_core.backbones.outline import Outline
from tl_core.recipe import Recipe
from tl_core.spec import RunSpec

(profile,) = (Path(sys.argv[1]) / "probes").glob("*.json")
blocks = TypeAdapter(Outline).validate_python(json.loads(profile.read_text())["outline"]).blocks
found = {}
for name in strategies.strategies.parts():
    recipe = Recipe.of(RunSpec().with_settings({"strategy": name}))
    plan = [phase.described(blocks) for phase in recipe.strategy.phases(recipe.backbone, blocks, 160)]
    found[name] = {"settings": recipe.strategy.spec().model_dump(mode="json"), "plan": plan}
print(json.dumps(found))
"""
"""Says by which settings that version stored each strategy, and what it would do."""
LEFT_OUT = ("runner.*", "*.lock", "*.log", "log.txt")
"""Names of files that say what a machine did, and not what became of it."""
MAX_BYTES = 300_000
"""Files that take more are left out, too: the network of the run on photographs, and decoded test images of digits."""


@dataclass(frozen=True)
class EarlierVersion:
    """The code in `checkout`, at work in `home`."""

    checkout: Path
    home: Path

    def python(self, *arguments: str) -> str:
        """Run Python on its code, in an environment that names nothing of this machine, and return what that printed."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        own = {"TF_CPP_MIN_LOG_LEVEL": "3", "TRANSFER_LAB_SPARE": "0", "TRANSFER_LAB_HOME": str(self.home)}
        command = [sys.executable, *arguments]
        done = subprocess.run(command, cwd=self.checkout, env=kept | own, stdout=subprocess.PIPE, text=True, check=False)
        return done.stdout.strip()

    def call(self, *arguments: str) -> str:
        """Do one of its commands and return what it printed."""
        return self.python("-m", "tl_core", *arguments)

    def train(self, settings: list[str], *options: str) -> str:
        """Start a run and return its id."""
        return self.call("train", *set_options(settings), "--no-wait", *options)

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Return what its store holds."""
        with contextlib.closing(sqlite3.connect(self.home / "store.sqlite", timeout=60)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(query, values)]

    def end_runner(self) -> None:
        """End the process that would begin the waiting run."""
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                command, environment = process.cmdline(), process.environ()
                if "serve" in command and environment.get("TRANSFER_LAB_HOME") == str(self.home):
                    process.kill()
                    process.wait()

    @contextlib.contextmanager
    def processor_in_use(self) -> Iterator[None]:
        """Have every run wait."""
        with (self.home / "leases" / "cpu.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def set_options(settings: list[str]) -> list[str]:
    """Return settings as options of the command line."""
    return [part for setting in settings for part in ("--set", setting)]


def fill(version: EarlierVersion) -> str:
    """Have runs of each kind and what is asked of data, and return the id of the paused run."""
    version.home.mkdir(parents=True)
    measure(version)
    version.call("train", *set_options(PATCHES))
    version.call("train", *set_options(DONE))
    write_images(FLOWERS)
    with version.processor_in_use():
        failed = version.train(FAILED)
        shutil.rmtree(FLOWERS)
    version.call("watch", failed)
    paused = version.train(PAUSED)
    steps = "SELECT count(*) AS steps FROM events WHERE kind = 'step' AND run_id = ?"
    while version.rows(steps, paused)[0]["steps"] < LEAST_STEPS:
        time.sleep(0.02)
    version.call("pause", paused)
    version.call("watch", paused)
    ask(version, paused)
    with version.processor_in_use():
        version.train(QUEUED, "--priority", "high")
        version.end_runner()
    return paused


def measure(version: EarlierVersion) -> None:
    """Measure the network of the runs on digits: its profile before them, so that their time is estimated."""
    for folder in ("probes", "speeds"):
        (version.home / folder).mkdir()
    network = json.dumps({"name": "small_cnn", "batch_norm": False, "width": 4})
    version.call("probe", network, "16")
    version.call("measure-arithmetic", network, "32")


def ask(version: EarlierVersion, paused: str) -> None:
    """Ask what a page asks of data and networks."""
    specs = {row["id"]: row["spec"] for row in version.rows("SELECT id, spec FROM runs ORDER BY created")}
    patches = next(iter(specs.values()))
    for folder in ("reports", "maps", "rates"):
        (version.home / folder).mkdir()
    version.call("what-if", *set_options(PATCHES), "--labels", "1", "--strengths", "chosen,1", "--seeds", "1")
    version.call("look-at-images", patches)
    version.call("look-at-images", specs[paused])
    version.call("map", patches)
    version.call("find-rate", specs[paused], "20")


def said(version: EarlierVersion) -> dict[str, Any]:
    """Return what its store and its files say of each run."""
    found = {}
    for row in version.rows("SELECT * FROM runs ORDER BY created"):
        result = version.home / "runs" / row["id"] / "result.json"
        row |= {name: json.loads(row[name]) for name in ("spec", "environment")}
        kinds = version.rows("SELECT kind, count(*) AS n FROM events WHERE run_id = ? GROUP BY kind", row["id"])
        found[row["id"]] = {
            "row": row,
            "events": {each["kind"]: each["n"] for each in kinds},
            "result": json.loads(result.read_text(encoding="utf-8")) if result.is_file() else None,
        }
    return found


def finished(version: EarlierVersion, paused: str) -> dict[str, Any]:
    """Return what the paused run comes to when `version` goes on with it."""
    version.call("resume", paused)
    for row in version.rows("SELECT id FROM runs WHERE state = 'queued'"):
        version.call("watch", row["id"])
    version.call("watch", paused)
    folder = version.home / "runs" / paused
    with np.load(folder / "predictions.npz") as arrays:
        digests = {name: hashlib.sha256(np.ascontiguousarray(array).data).hexdigest() for name, array in arrays.items()}
    return {"result": json.loads((folder / "result.json").read_text(encoding="utf-8")), "predictions": digests}


def pack(home: Path, archive: Path) -> None:
    """Pack what is kept of `home`, without names and times of this machine."""

    def plain(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        if member.size > MAX_BYTES or any(Path(member.name).match(pattern) for pattern in LEFT_OUT):
            return None
        member.uid, member.gid, member.uname, member.gname = 0, 0, "", ""
        return member

    with tarfile.open(archive, "w:xz", preset=9) as packed:
        packed.add(home, "home", filter=plain)


def main(checkout: Path, folder: Path) -> None:
    """Make the home, pack it, and go on with its paused run in a copy of it."""
    with tempfile.TemporaryDirectory() as place:
        version = EarlierVersion(checkout.resolve(), Path(place) / "home")
        paused = fill(version)
        expected = {"runs": said(version), "plans": json.loads(version.python("-c", PLANS, str(version.home)))}
        folder.mkdir(parents=True, exist_ok=True)
        pack(version.home, folder / "home.tar.xz")
        shutil.copytree(version.home, Path(place) / "copy", ignore=shutil.ignore_patterns("runner.*"))
        copy = EarlierVersion(version.checkout, Path(place) / "copy")
        expected["finished"] = finished(copy, paused)
        copy.end_runner()
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in expected.items())
    (folder / "expected.json").write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
