"""Why a run ended, in a sentence: memory that runs out is told as that, however it runs out."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers import ENDLESS, QUICK, keep_run, python, wait_until
from tests.tools.crashing import settled
from tl_core.executors import LOG
from tl_core.jobs import failures
from tl_core.machine.telemetry import Sampler
from tl_core.recipe import Recipe
from tl_core.runner import control
from tl_core.runs import exit_reasons
from tl_core.runs.states import State
from tl_core.runs.store import Store
from tl_core.spec import RunSpec

GROUPS = Path("/sys/fs/cgroup/memory")
LIMITED = """
import resource, sys
from pathlib import Path
import keras, psutil
from tl_core.jobs import failures
from tl_core.spec import RunSpec
keras.ops.convert_to_numpy(keras.ops.ones((2, 2)))
limit = psutil.Process().memory_info().vms + (1 << 29)
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    {work}
except Exception as error:
    print(failures.of_exception(error, RunSpec(), Path("folder"))[1])
"""


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def small_group(tmp_path: Path) -> Iterator[Path]:
    """A control group in which a process gets little more memory than it has."""
    group = GROUPS / f"transfer_lab_{os.getpid()}"
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(100 << 20))
        with contextlib.suppress(OSError):
            (group / "memory.memsw.limit_in_bytes").write_text(str(100 << 20))
    except OSError as error:
        pytest.skip(f"a control group for memory cannot be made here: {error}")
    yield group
    with contextlib.suppress(OSError):
        group.rmdir()


@pytest.mark.process
def test_a_run_that_the_kernel_ends_for_want_of_memory(store: Store, small_group: Path) -> None:
    """For real: the kernel's killer comes."""
    spec = ENDLESS.with_settings({"image_size": 256, "strategy.batch_size": 64, "dataset.labels_per_class": 20})
    run_id = control.start(store, spec)
    wait_until(lambda: store.run(run_id).state is State.RUNNING and store.events(run_id, "telemetry"))
    (small_group / "cgroup.procs").write_text(store.run(run_id).handle or "")
    end = settled(store, run_id)
    assert (end.state, end.error_kind) == (State.CRASHED, failures.OUT_OF_MEMORY)
    assert end.error == (
        "The system ended this run because memory ran out. Run it again with a smaller batch size (it was 64), "
        "or with smaller images (they were 256 px)."
    )
    assert not (store.folder(run_id) / "result.json").exists()


@pytest.mark.process
@pytest.mark.parametrize("work", ["keras.ops.ones((40_000, 40_000))", "bytearray(1 << 36)"], ids=["the backend", "Python"])
def test_memory_that_runs_out_inside_the_process(work: str) -> None:
    done = python(LIMITED.format(work=work))
    assert done.out == f"{failures.OUT_OF_MEMORY}\n", done.err


def test_an_allocator_that_gives_up_says_so_in_the_log(store: Store) -> None:
    """C++ ends the process without an exception that Python could see."""
    keep_run(store, "a", State.RUNNING)
    store.folder("a").mkdir()
    (store.folder("a") / LOG).write_text("terminate called after throwing an instance of 'std::bad_alloc'\n")
    assert exit_reasons.of_death(store, store.run("a"), "It was ended by the signal SIGABRT.")[1] == failures.OUT_OF_MEMORY


def test_a_head_that_is_computed_has_no_batch_size_to_make_smaller() -> None:
    told, _ = failures.of_exception(MemoryError(), Recipe.of(RunSpec()).spec(), Path("folder"))
    assert told == "Memory ran out while this run was at work. Run it again with smaller images (they were 96 px)."


@pytest.mark.parametrize(("signal", "kind"), [("SIGKILL", failures.OUT_OF_MEMORY), ("SIGSEGV", failures.CRASH)])
def test_the_kernel_ends_a_process_by_one_signal_only(
    store: Store, signal: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its count is that of the whole machine: another process may have been the one."""
    keep_run(store, "a", State.RUNNING)
    store.record("a", [(0.0, Sampler(store.home, ()).sample())])
    monkeypatch.setattr(exit_reasons, "oom_kills", lambda: 1 << 40)
    assert exit_reasons.of_death(store, store.run("a"), f"It was ended by the signal {signal}.")[1] == kind


def test_anything_else_is_told_as_what_is_known(store: Store) -> None:
    keep_run(store, "a", State.RUNNING)
    told, kind = exit_reasons.of_death(store, store.run("a"), "It was ended by the signal SIGSEGV.")
    assert kind == failures.CRASH
    assert "SIGSEGV" in told
    assert "Resume goes on from its last checkpoint" in told
    lacking = RuntimeError("Deterministic GPU implementation of unsorted segment reduction op not available.")
    strict = QUICK.with_settings({"deterministic": True})
    assert [failures.of_exception(lacking, spec, Path("a"))[1] for spec in (strict, QUICK)] == [
        failures.NO_DETERMINISM,
        failures.INTERNAL,
    ]
    told, kind = failures.of_exception(ValueError("first\nsecond"), QUICK, Path("/runs/a"))
    assert (kind, told.count("\n")) == (failures.INTERNAL, 0)
    assert "(ValueError: first)" in told
    assert "/runs/a" in told
