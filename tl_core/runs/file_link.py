"""Letters: how a run in a cluster and the store speak through the run's folder, which both see.

The runner writes one small file, the wish: which attempt counts, and where the run stands by the store. The process writes
letters, whole lines of JSON, and all else into a folder of its own for each attempt. One that was given up reaches nothing.
"""

import contextlib
import json
import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from tl_core import executors
from tl_core.errors import StorageError
from tl_core.events import Activity, Event
from tl_core.machine import telemetry
from tl_core.runs import artifacts
from tl_core.runs.letters import LETTERS, WISH, Command, Message, read_wish
from tl_core.runs.states import State, before
from tl_core.runs.store import Run, Store
from tl_core.spec import RunSpec
from tl_core.system.files import write_whole

CLAIMS = (State.RUNNING, State.PAUSING, State.PAUSED, State.CANCELLED, State.DONE, State.FAILED)
"""States that a process may say it has come to."""

_logger = logging.getLogger(__name__)
_KINDS = {kind.__name__.lower(): TypeAdapter(kind) for kind in Event.__subclasses__()}


class Mailbox:
    """A link (`runs.link`) for a process that sees the run's folder, and not the store."""

    def __init__(self, folder: Path, attempt: int) -> None:
        self._run_folder, self._attempt = folder, attempt
        self._wish = Command(attempt=attempt, state=State.STARTING)
        self._own = State.STARTING
        self.folder, self.home = artifacts.attempt_folder(folder, attempt), folder
        try:
            self.folder.mkdir(exist_ok=True)
        except OSError as error:
            raise _storage_error(self.folder, error) from error
        if not self._is_void():
            _take_checkpoint(folder, attempt)

    def spec(self) -> RunSpec:
        """Return what is to be done. Raises `SettingError` where it cannot be read."""
        return RunSpec.read(self._run_folder / artifacts.SPEC)

    def devices(self) -> tuple[str, ...]:
        """Return the UUIDs of the GPUs that the cluster gave to this run alone."""
        given = os.environ.get("CUDA_VISIBLE_DEVICES") and executors.build(self.spec().executor).owns_gpus
        return tuple(gpu.uuid for gpu in telemetry.gpus()) if given else ()

    def state(self) -> State:
        """Return where the run stands, `CANCELLING` where it goes on without this process."""
        if self._is_void():
            return State.CANCELLING
        wished = self._wish.state if self._wish.attempt == self._attempt else State.STARTING
        return wished if wished in (State.PAUSING, State.CANCELLING) else self._own

    def rung(self) -> int | None:
        """Return after how many epochs the run is to wait; None for none, and as long as this attempt was told nothing."""
        wish = self._latest_wish()
        return wish.rung if wish.attempt == self._attempt else None

    def record(self, told: Sequence[tuple[float, Event]], **progress: Any) -> None:
        """Keep events and progress."""
        self._write(events=[(at, event.kind, event.values()) for at, event in told], values=progress)

    def forget_after(self, step: int) -> None:
        """Drop the events of training after `step`."""
        self._write(forget_after=step)

    def change_state(self, leaving: Sequence[State], to: State, **values: Any) -> bool:
        """Say that the run has come to `to`. Return False where by the last wish it could not. The store has the last word."""
        if self.state() not in leaving or self._is_void():
            return False
        self._write(leaving=list(leaving), to=to, values=values)
        self._own = to
        return True

    def _is_void(self) -> bool:
        """Return whether another attempt counts, or the run was given up. An older wish has only not been renewed yet."""
        wish = self._latest_wish()
        if wish.attempt != self._attempt:
            return wish.attempt > self._attempt
        return not wish.state.at_work

    def _latest_wish(self) -> Command:
        self._wish = read_wish(self._run_folder) or self._wish
        return self._wish

    def _write(self, **letter: Any) -> None:
        """Add a line in one write. It begins with the end of a line, so that one that a full disk cut off spoils no other."""
        line = b"\n" + json.dumps(letter).encode() + b"\n"
        try:
            with (self.folder / LETTERS).open("ab", buffering=0) as file:
                if file.write(line) != len(line):
                    raise OSError("No space left on device")
        except OSError as error:
            raise _storage_error(self.folder, error) from error


def tell(store: Store, run: Run) -> None:
    """Let the process of `run` know where the run stands. Raises `StorageError`."""
    if read_wish(store.folder(run.id)) != _command(run, run.state):
        _wish(store, run, run.state)
        if run.state is State.STARTING:
            store.record(run.id, [], stage=Activity.WAITING_FOR_CLUSTER)


def _command(run: Run, state: State) -> Command:
    return Command(attempt=run.attempts, state=state, rung=run.rung)


def _wish(store: Store, run: Run, state: State) -> None:
    text = _command(run, state).model_dump_json() + "\n"
    write_whole(store.folder(run.id) / WISH, lambda path: path.write_text(text, encoding="utf-8"))


def collect(store: Store, run: Run) -> None:
    """Bring into the store what the process of `run` has written since it was last looked for, each letter once.

    A wish to pause or stop that comes before the process has begun is granted here, since nobody else will: when it begins
    at last it finds that it is not wanted. Raises `StorageError`.
    """
    run = store.run(run.id)  # as it stands: what was read once is not read again
    read = run.collected
    for line in _lines(artifacts.attempt_folder(store.folder(run.id), run.attempts) / LETTERS, read):
        read += len(line)
        letter = _parse(line)
        if letter is None:
            _logger.warning("Run %s: a letter that cannot be read was left out: %r", run.id, line[:200])
        if letter is None or not _deliver(store, run, letter, read):
            store.record(run.id, [], collected=read)
        elif letter.to is not None and not letter.to.at_work:
            return  # what comes after the end is of no account, and the run may have been resumed by now
    granted = {State.PAUSING: State.PAUSED, State.CANCELLING: State.CANCELLED}.get(run.state)
    if read == 0 and granted:
        _wish(store, run, granted)  # first: should this process end here, a run at rest would not be looked after
        store.change_state(run.id, (run.state,), granted)


def _lines(file: Path, start: int) -> Iterator[bytes]:
    """Yield the whole lines of `file` from the byte `start` on. One whose end is missing may still be on its way."""
    try:
        with file.open("rb") as letters:
            letters.seek(start)
            text = letters.read()
    except FileNotFoundError:
        return
    except OSError as error:
        raise _storage_error(file, error) from error
    yield from (line + b"\n" for line in text.split(b"\n")[:-1])


def _parse(line: bytes) -> Message | None:
    """Return the letter in a line, whoever wrote it; an empty one in an empty line, None where it is none."""
    try:
        return Message.model_validate(json.loads(line) if line.strip() else {})
    except (ValueError, RecursionError):
        return None


def _deliver(store: Store, run: Run, letter: Message, read: int) -> bool:
    """Do what `letter` says, and keep in the same write that it was done. Return False where nothing was kept."""
    values = json.loads(letter.values.model_dump_json(exclude_unset=True))
    if letter.to is not None:
        return _may_claim(store, run, letter) and store.change_state(run.id, letter.leaving, letter.to, collected=read, **values)
    if letter.forget_after is not None:
        store.forget_after(run.id, letter.forget_after)  # twice is as good as once, as long as it comes before what follows
    store.record(run.id, list(_events(letter)), collected=read, **values)
    return True


def _may_claim(store: Store, run: Run, letter: Message) -> bool:
    """Return whether a process may bring its run to that state. A run that is done has its files in place before it is."""
    if letter.to not in CLAIMS or not set(letter.leaving) <= set(before(letter.to)):
        return False
    if letter.to is not State.DONE:
        return True
    folder = store.folder(run.id)
    if store.run(run.id).state in letter.leaving:
        _publish(artifacts.attempt_folder(folder, run.attempts), folder)
    return (folder / artifacts.RESULT).is_file()


def _events(letter: Message) -> Iterator[tuple[float, Event]]:
    for at, kind, fields in letter.events:
        with contextlib.suppress(KeyError, ValidationError):  # of another version of this program
            yield at, _KINDS[kind].validate_python(fields)


def _publish(attempt: Path, folder: Path) -> None:
    """Move what stays of a finished run to where it is looked for, the result last."""
    for name in (artifacts.ESTIMATE, artifacts.MODEL, artifacts.PREDICTIONS, artifacts.RESULT):
        try:
            (attempt / name).replace(folder / name)
        except FileNotFoundError:
            continue  # moved before this process was started
        except OSError as error:
            raise _storage_error(folder, error) from error


def _take_checkpoint(folder: Path, attempt: int) -> None:
    """Take over the checkpoint of the last attempt that left one; a process still at work on it can no longer write into it."""
    for earlier in range(attempt - 1, 0, -1):
        left, own = (artifacts.attempt_folder(folder, number) / artifacts.CHECKPOINT for number in (earlier, attempt))
        with contextlib.suppress(OSError):  # there is none
            left.replace(own)
            return


def _storage_error(place: Path, error: OSError) -> StorageError:
    return StorageError(f"The run's folder cannot be used ({error}).", "Free some space on that disk.", received=place)
