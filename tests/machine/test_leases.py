"""A device is leased to one at a time, and is free again when its last holder is gone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import python, wait_until
from tl_core.errors import StorageError
from tl_core.machine import leases
from tl_core.machine.telemetry import CPU, Device
from tl_core.system import locks
from tl_core.system.settings import LEASES_VARIABLE

PROCESSOR = Device(CPU, "CPU, 2 cores", is_gpu=False)
GPUS = [Device(f"GPU-{number}", "NVIDIA H100, 80 GB", is_gpu=True) for number in range(2)]
HOLD = "import sys, time; print('there', flush=True); time.sleep(300)"
TAKE = """
import sys
from pathlib import Path
from tl_core.machine import leases
from tl_core.machine.telemetry import Device
taken = leases.take(Path(sys.argv[1]), [Device("GPU-0", "", is_gpu=True)])
print(taken and taken.device.id)
"""


@pytest.fixture(autouse=True)
def own_leases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(LEASES_VARIABLE, str(tmp_path / "gpus"))
    return tmp_path / "gpus"


def test_each_device_is_given_once(home: Path) -> None:
    taken = [leases.take(home, GPUS) for _ in range(3)]
    assert [lease and lease.device.id for lease in taken] == ["GPU-0", "GPU-1", None]
    assert taken[1]
    assert taken[1].environment() == {"CUDA_VISIBLE_DEVICES": "GPU-1"}
    os.close(taken[1].descriptor)
    again = leases.take(home, GPUS)
    assert again
    assert again.device.id == "GPU-1"


def test_who_inherits_it_holds_it_until_it_is_killed(home: Path) -> None:
    lease = leases.take(home, [PROCESSOR])
    assert lease
    assert lease.environment() == {}
    child = subprocess.Popen([sys.executable, "-c", HOLD], stdout=-1, pass_fds=[lease.descriptor])
    assert child.stdout
    assert child.stdout.readline() == b"there\n"
    os.close(lease.descriptor)
    assert leases.take(home, [PROCESSOR]) is None
    child.kill()
    child.wait()
    assert leases.take(home, [PROCESSOR])


def test_a_gpu_is_leased_across_homes_and_a_processor_is_not(home: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    assert leases.take(home, [GPUS[0]])
    assert leases.take(home, [PROCESSOR])
    assert leases.take(other, [GPUS[0]]) is None
    assert leases.take(other, [PROCESSOR])
    assert python(TAKE, other).out == "None\n"


def test_another_user_may_lock_what_one_has_made(home: Path, own_leases: Path) -> None:
    """Run as root, the other one is `nobody`, who may read the lock but not write it."""
    if os.getuid() != 0:
        pytest.skip("needs root, to become somebody else")
    lease = leases.take(home, [GPUS[0]])
    assert lease
    for folder in (*own_leases.parents, own_leases):
        if folder.is_relative_to("/tmp"):
            folder.chmod(folder.stat().st_mode | 0o055)
    lock = leases.lock_of(home, GPUS[0])
    script = (
        "import os; from pathlib import Path; from tl_core.system import locks; os.setuid(65534); "
        f"print(locks.hold(Path({str(lock)!r})))"
    )
    assert python(script).out == "None\n"
    os.close(lease.descriptor)
    assert int(python(script).out) > 2


def test_those_who_look_do_not_see_each_other(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    assert not locks.is_held(lock)
    held = locks.hold(lock)
    assert held is not None
    assert locks.is_held(lock)
    assert locks.hold(lock) is None
    os.close(held)
    assert not locks.is_held(lock)
    wait_until(lambda: locks.hold(lock) is not None)


def test_a_link_is_no_lock(tmp_path: Path) -> None:
    """In a folder that all may write to, a link could make us open somebody else's file."""
    (tmp_path / "theirs").write_text("")
    (tmp_path / "lock").symlink_to(tmp_path / "theirs")
    with pytest.raises(OSError, match="symbolic links"):
        locks.hold(tmp_path / "lock")


def test_a_place_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="Runs cannot be stored"):
        leases.take(tmp_path / "file", [PROCESSOR])
