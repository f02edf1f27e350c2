"""What a process and all its children use."""

from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Used:
    """What a tree of processes holds (memory; pages that two share count twice) and has used up (the rest). Bytes of a
    disk are None where the system does not count them for a process."""

    cpu_seconds: float
    memory_bytes: int
    read_bytes: int | None
    written_bytes: int | None


class Tree:
    """This process and its children. Linux adds what a child used to its parent when it ends, so that the sums go on;
    elsewhere they stand still until the others have made up for it."""

    def __init__(self) -> None:
        self._processes = [psutil.Process()]
        self._search()
        self._start = self._last = self._read()

    def used(self, *, search: bool) -> Used:
        """Return what was used since the tree was first looked at. A `search` for new children reads a file of every process of
        the machine."""
        if search:
            self._search()
        now, last, start = self._read(), self._last, self._start
        self._last = Used(
            max(now.cpu_seconds, last.cpu_seconds),
            now.memory_bytes,
            _most(now.read_bytes, last.read_bytes),
            _most(now.written_bytes, last.written_bytes),
        )
        return Used(
            self._last.cpu_seconds - start.cpu_seconds,
            now.memory_bytes,
            _less(self._last.read_bytes, start.read_bytes),
            _less(self._last.written_bytes, start.written_bytes),
        )

    def _search(self) -> None:
        own = self._processes[0]
        try:
            self._processes = [own, *own.children(recursive=True)]
        except psutil.Error:
            self._processes = [own]

    def _read(self) -> Used:
        seconds, memory, disk = 0.0, 0, []
        for process in self._processes:
            try:
                with process.oneshot():
                    times = process.cpu_times()
                    seconds += times.user + times.system + times.children_user + times.children_system
                    memory += process.memory_info().rss
            except psutil.Error:  # it has ended
                continue
            disk.append(_disk_bytes(process))
        moved = [pair for pair in disk if pair is not None]
        reads, writes = (sum(counts) for counts in zip(*moved, strict=True)) if moved else (None, None)
        return Used(seconds, memory, reads, writes)


def _disk_bytes(process: psutil.Process) -> tuple[int, int] | None:
    """Return the bytes (read, written); None on macOS, which does not count them, and where the kernel or a sandbox does not
    tell."""
    if not hasattr(process, "io_counters"):
        return None
    try:
        counters = process.io_counters()
    except (psutil.Error, OSError, RuntimeError):  # the last is psutil's for an empty file
        return None
    return int(counters.read_bytes), int(counters.write_bytes)


def _most(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else max(one, other)


def _less(value: int | None, start: int | None) -> int | None:
    return None if value is None else value - (start or 0)
