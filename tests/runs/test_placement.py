"""A GPU that a run holds and its backend does not see: said where people look, and never taken for what computed.

No GPU was at hand: a stand-in for NVIDIA's driver says that there are two (tests/tools/driver.py).
"""

import re
from pathlib import Path

import pytest

from tests.helpers import QUICK, ROOT, CommandLine, keep_run, settings_arguments
from tests.pages.test_train import nobody_attends, said
from tests.tools.driver import make_driver
from tests.tools.pages import opened
from tests.tools.short_training import outcome
from tl_core.events import Event, Placement, Telemetry
from tl_core.machine import backends
from tl_core.machine.telemetry import CPU, Sampler
from tl_core.runs import artifacts, worker
from tl_core.runs.link import StoreLink
from tl_core.runs.recorder import Recorder
from tl_core.runs.states import State
from tl_core.runs.store import Store
from tl_core.system.settings import LEASES_VARIABLE
from tl_core.ui import steps

__all__ = ["nobody_attends"]  # a fixture that is used by its effect

GPU = "GPU-aaaa"
SEEN, LINE = Placement("tensorflow", backends.GPU), "pip install -r requirements-gpu.txt"


def placed(device: str, event: Placement, capsys: pytest.CaptureFixture[str]) -> tuple[Placement, str]:
    """What the process of a run that holds `device` makes of `event`, and what it prints."""
    store, told = Store(), list[Event]()
    keep_run(store, "a", State.STARTING, device=device)
    worker._report(StoreLink(store, "a"), told.append, event)  # type: ignore[arg-type]  # a recorder, but for its thread
    assert isinstance(told[0], Placement)
    return told[0], capsys.readouterr().out


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_a_gpu_that_is_held_and_not_seen_is_said_in_the_log(backend: str, capsys: pytest.CaptureFixture[str]) -> None:
    event, printed = placed(GPU, Placement(backend, CPU), capsys)
    assert event.unused == (GPU,)
    assert LINE in printed
    assert ("the line for" in printed) == (backend != "tensorflow")


@pytest.mark.parametrize(("device", "event"), [(GPU, SEEN), (CPU, Placement("tensorflow", CPU))], ids=["seen", "no GPU"])
def test_nothing_is_said_where_all_is_well(device: str, event: Placement, capsys: pytest.CaptureFixture[str]) -> None:
    assert placed(device, event, capsys) == (event, "")


@pytest.mark.usefixtures("opens_pages")
@pytest.mark.parametrize("state", [State.RUNNING, State.PAUSED, State.DONE, State.FAILED])
@pytest.mark.parametrize("unused", [(GPU,), ()], ids=["not seen", "seen"])
def test_the_train_page_says_it_in_every_state(state: State, unused: tuple[str, ...]) -> None:
    store = Store()
    sample = Telemetry(50.0, 1 << 30, since=1.0, cores=2)
    keep_run(store, "a", state, attempts=1, correct=1, test_images=2, seconds=1.0)
    store.folder("a").mkdir()
    store.record("a", [(1.0, Placement("tensorflow", CPU if unused else backends.GPU, unused)), (2.0, sample)])
    shown = said(opened(steps.TRAIN.script, run="a"))
    assert (LINE in shown) == bool(unused)
    assert ("there is no NVIDIA driver" in shown) == (not unused)


def test_the_load_of_a_gpu_that_is_not_used_is_not_the_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store()
    keep_run(store, "a", State.RUNNING, device=GPU)
    left: list[str] = []
    monkeypatch.setattr(Sampler, "leave_gpus", lambda _: left.append("all"))
    recorder = Recorder(StoreLink(store, "a"))
    recorder(SEEN)
    assert not left
    recorder(Placement("tensorflow", CPU, (GPU,)))
    assert len(left) == 1


@pytest.mark.parametrize(("computed", "device"), [("cpu", CPU), ("gpu", GPU), ("", GPU)])
def test_the_device_of_a_finished_run_is_what_computed(computed: str, device: str) -> None:
    store = Store()
    result = outcome(1, 0).result.model_copy(update={"device": computed})
    keep_run(store, "a", State.RUNNING, device=GPU)
    assert store.change_state("a", (State.RUNNING,), State.DONE, **artifacts.summary(result))
    assert store.run("a").device == device


def test_cuda_libraries_are_those_of_the_pinned_backend() -> None:
    pinned = [
        dict(re.findall(r"^(?:# )?([a-z]+)(?:\[.*\])?==(.*)$", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE))
        for name in ("requirements-gpu.txt", "requirements.txt", "requirements-backends.txt")
    ]
    assert set(pinned[0]) == set(backends.REQUIREMENTS)
    assert pinned[0].items() <= (pinned[1] | pinned[2]).items()


@pytest.mark.process
def test_a_run_says_that_the_backend_sees_no_gpu_though_there_is_a_driver(home: Path, tmp_path: Path) -> None:
    driver = make_driver(tmp_path)
    line = CommandLine(home)
    done = line.run(
        "train", "--json", *settings_arguments(QUICK), LD_LIBRARY_PATH=str(driver), **{LEASES_VARIABLE: str(tmp_path)}
    )
    assert (done.code, done.json["device"]) == (0, CPU), done.err
    store = Store()
    (run,) = store.runs()
    assert artifacts.read_result(store.folder(run.id)).device == backends.CPU
    (placement,) = store.events(run.id, "placement")
    assert placement.data == {"backend": "tensorflow", "device": "cpu", "unused": ["GPU-aaaa"]}
    assert LINE in artifacts.read_log(store.folder(run.id))
    assert not store.events(run.id, "telemetry")[-1].data["gpus"]
