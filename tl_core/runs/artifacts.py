"""The files of a run. Each appears whole, by rename, or not at all."""

import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel

from tl_core.errors import RunError
from tl_core.executors import LOG
from tl_core.machine.telemetry import CPU
from tl_core.planning.estimate import Estimate
from tl_core.result import Outcome, Predictions, Result
from tl_core.system.adapters import adapter
from tl_core.system.files import sweep, write_whole
from tl_core.system.settings import MODEL, RESULT, SPEC

PREDICTIONS, CHECKPOINT, ESTIMATE = "predictions.npz", "checkpoint", "estimate.json"
LONGEST_LINE = 1000
"""Bytes of a line, on average over the last lines of a log, beyond which fewer lines are shown."""


def write_spec(folder: Path, spec: BaseModel) -> None:
    """Write `spec.json`, which `train --spec` takes to do the same run again."""
    write_whole(folder / SPEC, lambda path: path.write_text(spec.model_dump_json(indent=2) + "\n", encoding="utf-8"))


def write_estimate(folder: Path, estimate: Estimate) -> None:
    """Write `estimate.json`: what was expected of the run. The first one stays, also where the run goes on later."""
    if not (folder / ESTIMATE).exists():
        content = adapter(Estimate).dump_json(estimate, indent=2)
        write_whole(folder / ESTIMATE, lambda path: path.write_bytes(content + b"\n"))


def read_estimate(folder: Path) -> Estimate | None:
    """Return the stored estimate; None where there is none, since the machine had not been measured."""
    try:
        return adapter(Estimate).validate_json((folder / ESTIMATE).read_bytes())
    except (OSError, ValueError):
        return None


def write_outcome(folder: Path, outcome: Outcome) -> None:
    """Write all that stays of a finished run. `result.json` comes last, so that where it is the others are."""
    predictions = outcome.predictions
    for name in (MODEL, PREDICTIONS, RESULT):
        sweep(folder / name)  # an attempt before this one may have been killed here
    write_whole(folder / MODEL, outcome.model.save)
    write_whole(folder / PREDICTIONS, lambda path: np.savez_compressed(path, **vars(predictions)))
    write_whole(folder / RESULT, lambda path: path.write_text(outcome.result.model_dump_json(indent=2) + "\n", encoding="utf-8"))


def summary(result: Result) -> dict[str, Any]:
    """Return what the store keeps of the result of a finished run, by the names of its columns."""
    computed_on = {"device": CPU} if result.device == CPU else {}  # whatever the run held
    return computed_on | {
        "done": 1.0,
        "stage": "",
        "correct": result.test_correct,
        "test_images": result.test_images,
        "test_digest": result.test_digest,
        "seconds": result.seconds,
        "trainable_parameters": result.trainable_parameters,
        "total_parameters": result.total_parameters,
        "metrics": [json.loads(metric.model_dump_json()) for metric in result.metrics],
    }


def attempt_folder(folder: Path, attempt: int | str) -> Path:
    """Return where, in a cluster, the process of one attempt at the run of `folder` writes."""
    return folder / f"attempt-{attempt}"


def has_checkpoint(folder: Path) -> bool:
    """Return whether the run of `folder` can go on from a checkpoint, on this machine or in the folder of an attempt in a
    cluster."""
    places = (folder, *folder.glob(attempt_folder(Path(), "*").name))
    return any(True for place in places for _ in (place / CHECKPOINT).glob("[!.]*"))


def read_result(folder: Path) -> Result:
    """Return the stored result. Raises `RunError` where the run has none, or one that cannot be read."""
    try:
        return Result.model_validate_json((folder / RESULT).read_bytes())
    except FileNotFoundError:
        raise RunError(
            "This run has no result.", "Only finished runs have one; see its state on the Train page.", received=folder.name
        ) from None
    except ValueError as error:
        raise RunError(f"The stored result cannot be read ({error}).", "Run it again.", received=folder.name) from None


def read_predictions(folder: Path) -> Predictions:
    """Return the stored predictions. Raises `RunError` where they cannot be read."""
    try:
        with np.load(folder / PREDICTIONS, allow_pickle=False) as arrays:
            return Predictions(**arrays)
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise RunError(f"The stored predictions cannot be read ({error}).", "Run it again.", received=folder.name) from None


def read_log(folder: Path, lines: int = 200) -> str:
    """Return the last lines of what the run's process printed; empty where it printed nothing."""
    return "\n".join(read_log_from(folder, max(0, log_size(folder) - LONGEST_LINE * lines))[0].splitlines()[-lines:])


def read_log_from(folder: Path, place: int) -> tuple[str, int]:
    """Return what was printed after the byte at `place`, and the place after that."""
    try:
        with (folder / LOG).open("rb") as file:
            file.seek(place)
            text = file.read()
    except OSError:
        return "", place
    return text.decode("utf-8", errors="replace"), place + len(text)


def log_size(folder: Path) -> int:
    """Return the bytes of what the run's process printed, 0 where it printed nothing."""
    try:
        return (folder / LOG).stat().st_size
    except OSError:
        return 0
