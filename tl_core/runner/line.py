"""Runs and studies in one line: both wait for the devices of this machine."""

from tl_core import executors
from tl_core.errors import SettingError
from tl_core.runner import service
from tl_core.runs.schema import Priority
from tl_core.runs.store import Run, Store


def goes_before(run: Run, asked: float) -> bool:
    """Return whether a waiting run goes before a study that was asked for at `asked` (seconds since 1970): one of a higher
    priority does, and one of the same that was queued earlier. A study has the normal priority."""
    return (run.priority, asked) > (Priority.NORMAL, run.changed)


def runs_before(store: Store, asked: float) -> int:
    """Return how many waiting runs get a device before a study that was asked for at `asked`, and see to it that there is a
    runner to give it to them."""
    count = sum(needs_device(run) and goes_before(run, asked) for run in store.queue())
    if count:
        service.ensure(store.home)
    return count


def needs_device(run: Run) -> bool:
    """Return whether it waits for a device of this machine."""
    try:
        return executors.executors.part(run.spec.executor.name).needs_device
    except SettingError:  # a part that is no longer installed
        return True
