"""The doctor says what computes, and why a GPU that is there does not, with the line that mends it."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.helpers import CommandLine
from tests.tools.driver import make_driver
from tl_core.errors import RunError
from tl_core.machine import backends, doctor
from tl_core.machine.doctor import Examination, Finding
from tl_core.planning.batch_times import times
from tl_core.recipe import Recipe
from tl_core.spec import RunSpec
from tl_core.studies._doctors_words import FINE, facts, what_is_the_matter

SOUND = Examination("tensorflow", "the default", {"tensorflow": "2"}, None, (), (), 0, backends.CPU, "")
CARD = ("NVIDIA H100",)


@pytest.mark.parametrize(
    ("found", "finding", "line"),
    [
        (SOUND, Finding.NO_GPU, None),
        (replace(SOUND, gpus=CARD, visible=CARD, device=backends.GPU), Finding.COMPUTES, None),
        (replace(SOUND, in_slots=1), Finding.NO_DRIVER, "docker run --gpus all"),
        (replace(SOUND, gpus=CARD, in_slots=1), Finding.HIDDEN, "unset CUDA_VISIBLE_DEVICES"),
        (replace(SOUND, gpus=CARD, visible=CARD), Finding.UNSEEN, "pip install -r requirements-gpu.txt"),
        (replace(SOUND, gpus=CARD, visible=CARD, backend="jax"), Finding.UNSEEN, "(with the line for jax in it)"),
        (replace(SOUND, device=None, problem="Keras has no head."), Finding.BROKEN, "Keras has no head."),
    ],
    ids=lambda value: value if isinstance(value, Finding) else "",
)
def test_what_is_the_matter_is_said_with_what_mends_it(found: Examination, finding: Finding, line: str | None) -> None:
    assert found.finding is finding
    assert (finding in FINE) == (line is None)
    assert what_is_the_matter(found).endswith(line or ".")
    assert facts(found)["Backend"].startswith(found.backend)


def test_gpus_are_counted_in_their_slots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(backends.BACKEND_VARIABLE, "abacus")  # so that Keras is not asked
    for slot, vendor, kind in (("0", "0x10de", "0x030200"), ("1", "0x10de", "0x040300"), ("2", "0x8086", "0x030000")):
        (tmp_path / slot).mkdir()
        (tmp_path / slot / "vendor").write_text(f"{vendor}\n")
        (tmp_path / slot / "class").write_text(f"{kind}\n")
    (tmp_path / "3").mkdir()
    found = doctor.examine(tmp_path)
    assert (found.in_slots, found.backend, found.finding) == (1, "abacus", Finding.BROKEN)
    assert "export KERAS_BACKEND=tensorflow" in found.problem


@pytest.mark.process
def test_a_gpu_that_the_backend_does_not_see_is_said(home: Path, tmp_path: Path) -> None:
    told = CommandLine(home).run("doctor", "--json", LD_LIBRARY_PATH=str(make_driver(tmp_path)))
    assert told.code == 2
    assert (told.json["finding"], told.json["driver"], told.json["device"]) == ("unseen", "580.65", "cpu")
    assert told.json["visible"] == ["NVIDIA H100 80GB HBM3", "NVIDIA A100-SXM4-40GB"]


@pytest.mark.process
def test_training_steps_are_timed_on_each_backend_that_is_here(home: Path) -> None:
    """One that cannot be imported is told beside those that can."""
    line = CommandLine(home)
    told = line.run("doctor", "--backbone", "small_cnn", "--batches", "3", "--json").json
    installed = [name for name, version in told["versions"].items() if version]
    assert [row["backend"] for row in told["times"]] == installed
    for row in told["times"]:
        assert row["problem"] == ""
        assert min(row["seconds_a_batch"], row["first_batch"]) > 0
    with pytest.raises(RunError, match=r"^It ended after 0 of 3 batches"):
        list(times("abacus", Recipe.of(RunSpec()).backbone, 32, 3))
