"""A run's files are there whole or not at all."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.helpers import QUICK, python
from tl_core.errors import RunError, StorageError
from tl_core.precision import Precision
from tl_core.result import Outcome
from tl_core.runs import artifacts
from tl_core.training.train import train

KILLED = """
import os, sys
from pathlib import Path
from tl_core.system.files import write_whole

def write(path):
    path.write_text('{"half": ')
    os._exit(9)

write_whole(Path(sys.argv[1]), write)
"""


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return train(QUICK, lambda event: None)


class Model:
    """A model whose saving goes wrong half way."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def save(self, path: Path) -> None:
        path.write_bytes(b"half of it")
        raise self.error


def test_all_of_it_comes_back(outcome: Outcome, tmp_path: Path) -> None:
    artifacts.write_outcome(tmp_path, outcome)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.keras", "predictions.npz", "result.json"]
    assert artifacts.read_result(tmp_path) == outcome.result
    read = artifacts.read_predictions(tmp_path)
    for name, array in vars(outcome.predictions).items():
        np.testing.assert_array_equal(getattr(read, name), array)
        assert getattr(read, name).dtype == array.dtype


def test_a_result_of_an_earlier_version_is_read(outcome: Outcome, tmp_path: Path) -> None:
    stored = outcome.result.model_copy(update={"precision": Precision.BFLOAT16}).model_dump(mode="json")
    stored["arithmetic"] = stored.pop("precision")
    (tmp_path / artifacts.RESULT).write_text(json.dumps(stored))
    read = artifacts.read_result(tmp_path)
    assert read is not None and read.precision is Precision.BFLOAT16


def test_the_model_loads_without_any_trust(outcome: Outcome, tmp_path: Path) -> None:
    import keras

    artifacts.write_outcome(tmp_path, outcome)
    model = keras.saving.load_model(tmp_path / artifacts.MODEL, safe_mode=True, compile=False)
    pixels = outcome.predictions.hardest_pixels.astype(np.float32)
    expected = outcome.predictions.probabilities[outcome.predictions.hardest]
    np.testing.assert_allclose(model.predict_on_batch(pixels), expected, rtol=1e-4, atol=1e-6)


def test_predictions_hold_no_pickle(outcome: Outcome, tmp_path: Path) -> None:
    artifacts.write_outcome(tmp_path, outcome)
    with np.load(tmp_path / artifacts.PREDICTIONS, allow_pickle=False) as arrays:
        assert {arrays[name].dtype.kind for name in arrays} <= set("iufU")


@pytest.mark.parametrize(
    ("error", "told"), [(OSError(28, "No space left on device"), StorageError), (RuntimeError("a bug"), RuntimeError)]
)
def test_half_an_outcome_is_none(outcome: Outcome, tmp_path: Path, error: Exception, told: type[Exception]) -> None:
    with pytest.raises(told) as raised:
        artifacts.write_outcome(tmp_path, replace(outcome, model=Model(error)))
    if told is StorageError:
        assert "The file model.keras cannot be written" in str(raised.value)
        assert "No space left on device" in str(raised.value)
    assert list(tmp_path.iterdir()) == []


def test_the_old_file_stays_where_a_new_one_fails(tmp_path: Path) -> None:
    artifacts.write_spec(tmp_path, QUICK)
    before = (tmp_path / artifacts.SPEC).read_bytes()

    class Broken(type(QUICK)):  # type: ignore[misc]
        def model_dump_json(self, **_: Any) -> str:
            raise OSError(5, "Input/output error")

    with pytest.raises(StorageError):
        artifacts.write_spec(tmp_path, Broken.model_construct())
    assert (tmp_path / artifacts.SPEC).read_bytes() == before
    assert list(tmp_path.iterdir()) == [tmp_path / artifacts.SPEC]


def test_a_writer_killed_half_way_leaves_no_file_of_that_name(tmp_path: Path) -> None:
    assert python(KILLED, tmp_path / artifacts.RESULT).code == 9
    assert not (tmp_path / artifacts.RESULT).exists()
    with pytest.raises(RunError, match="has no result"):
        artifacts.read_result(tmp_path)


def test_the_spec_can_be_run_again(tmp_path: Path) -> None:
    artifacts.write_spec(tmp_path, QUICK)
    assert type(QUICK).read(tmp_path / artifacts.SPEC) == QUICK


@pytest.mark.parametrize("read", [artifacts.read_result, artifacts.read_predictions])
def test_what_is_missing_is_told(tmp_path: Path, read: Callable[[Path], object]) -> None:
    for folder in (tmp_path, tmp_path / "no such run"):
        with pytest.raises(RunError, match=f"Received: {folder.name}"):
            read(folder)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_what_is_damaged_is_told(outcome: Outcome, tmp_path: Path, share: float) -> None:
    artifacts.write_outcome(tmp_path, outcome)
    for name in (artifacts.RESULT, artifacts.PREDICTIONS):
        content = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(content[: int(len(content) * share)])
    with pytest.raises(RunError, match="The stored result cannot be read"):
        artifacts.read_result(tmp_path)
    with pytest.raises(RunError, match="The stored predictions cannot be read"):
        artifacts.read_predictions(tmp_path)


def test_flipped_bytes_are_told(outcome: Outcome, tmp_path: Path) -> None:
    artifacts.write_outcome(tmp_path, outcome)
    content = bytearray((tmp_path / artifacts.PREDICTIONS).read_bytes())
    content[len(content) // 2 : len(content) // 2 + 40] = bytes(40)
    (tmp_path / artifacts.PREDICTIONS).write_bytes(content)
    with pytest.raises(RunError, match="The stored predictions cannot be read"):
        artifacts.read_predictions(tmp_path)


def test_the_log_is_its_last_lines(tmp_path: Path) -> None:
    assert artifacts.read_log(tmp_path) == ""
    (tmp_path / artifacts.LOG).write_bytes(b"".join(b"%d\n" % number for number in range(300)) + b"\xff")
    assert artifacts.read_log(tmp_path, lines=3) == "298\n299\n\N{REPLACEMENT CHARACTER}"
