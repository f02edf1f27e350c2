"""Leases on devices: a device is leased to one run at a time, by a kernel lock that the run's own process holds."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tl_core.machine.telemetry import Device
from tl_core.system import locks, settings
from tl_core.system.files import storage_error


@dataclass(frozen=True)
class Lease:
    """A device, and the descriptor that holds its lock."""

    device: Device
    descriptor: int

    def environment(self) -> dict[str, str]:
        """Return what a process must see so that it uses this device and no other one."""
        return {"CUDA_VISIBLE_DEVICES": self.device.id} if self.device.is_gpu else {}


def take(home: Path, devices: Sequence[Device]) -> Lease | None:
    """Return the lease of the first of `devices` that is free, or None where each is in use. Raises `StorageError`."""
    for device in devices:
        descriptor = _hold(home, device)
        if descriptor is not None:
            return Lease(device, descriptor)
    return None


def lock_of(home: Path, device: Device) -> Path:
    """Return the lock of `device`: a GPU has one for all users of the machine, the processor one for each home."""
    return (settings.gpu_leases() if device.is_gpu else home / "leases") / f"{device.id}.lock"


def _hold(home: Path, device: Device) -> int | None:
    lock = lock_of(home, device)
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        if not lock.exists():
            lock.touch()
        if device.is_gpu:
            _share(lock)
        return locks.hold(lock)
    except OSError as error:
        raise storage_error(lock.parent, error) from error


def _share(lock: Path) -> None:
    """Let other users lock it; to lock it reading is enough."""
    with contextlib.suppress(PermissionError):  # whoever made it has seen to that
        lock.parent.chmod(0o1777)
        lock.chmod(0o644)
