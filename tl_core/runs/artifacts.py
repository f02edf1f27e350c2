"""The files of a run. Each appears whole, by rename, or not at all."""

import os
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from pydantic import BaseModel

from tl_core.errors import RunError, StorageError
from tl_core.result import Outcome, Predictions, Result

SPEC, RESULT, PREDICTIONS, MODEL, LOG = "spec.json", "result.json", "predictions.npz", "model.keras", "log.txt"


def write_spec(folder: Path, spec: BaseModel) -> None:
    """`spec.json`: what `train --spec` takes to do the same run again."""
    write_whole(folder / SPEC, lambda path: path.write_text(spec.model_dump_json(indent=2) + "\n", encoding="utf-8"))


def write_outcome(folder: Path, outcome: Outcome) -> None:
    """All that stays of a finished run; `result.json` comes last, so that where it is the others are."""
    predictions = outcome.predictions
    write_whole(folder / MODEL, outcome.model.save)
    write_whole(folder / PREDICTIONS, lambda path: np.savez_compressed(path, **vars(predictions)))
    write_whole(folder / RESULT, lambda path: path.write_text(outcome.result.model_dump_json(indent=2) + "\n", encoding="utf-8"))


def read_result(folder: Path) -> Result:
    """The stored result; raises `RunError` where the run has none."""
    try:
        return Result.model_validate_json((folder / RESULT).read_bytes())
    except FileNotFoundError:
        raise RunError(
            "This run has no result.", "Only finished runs have one; see its state on the Train page.", received=folder.name
        ) from None
    except ValueError as error:
        raise RunError(f"The stored result cannot be read ({error}).", "Run it again.", received=folder.name) from None


def read_predictions(folder: Path) -> Predictions:
    """The stored predictions; raises `RunError` where the run has none."""
    try:
        with np.load(folder / PREDICTIONS, allow_pickle=False) as arrays:
            return Predictions(**arrays)
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise RunError(f"The stored predictions cannot be read ({error}).", "Run it again.", received=folder.name) from None


def read_log(folder: Path, lines: int = 200) -> str:
    """The last lines of what the run's process printed; empty where it printed nothing."""
    try:
        text = (folder / LOG).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` make a file beside `path`, then move it there: it is seen whole or not at all. Raises `StorageError`.

    Keras and NumPy look at a name's ending, so the file beside it has the same one.
    """
    partial = path.with_name(f".partial-{os.getpid()}-{path.name}")
    try:
        write(partial)
        partial.replace(path)
    except OSError as error:
        raise StorageError(
            f"The file {path.name} cannot be written ({error}).",
            "Free some space on that disk and start again.",
            received=path.parent,
        ) from error
    finally:
        partial.unlink(missing_ok=True)
