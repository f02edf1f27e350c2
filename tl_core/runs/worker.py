"""The process of one run: from its stored spec to its stored outcome."""

import contextlib
import time
import traceback

from tl_core.errors import Stopped, StorageError, TransferError
from tl_core.events import Stage
from tl_core.runs import artifacts
from tl_core.runs.recorder import Recorder
from tl_core.runs.states import ALIVE, STOPPABLE, State
from tl_core.runs.store import Store


def work(run_id: str) -> None:
    """Do the run `run_id` of the store and leave it in one of its end states. Raises `StorageError` where that
    cannot be written; `control.reconcile` then finds that the process is gone."""
    store = Store()
    with Recorder(store, run_id) as recorder:
        try:
            _do(store, run_id, recorder)
        except Stopped:
            _end(store, run_id, recorder, State.CANCELLED)
        except TransferError as error:
            _end(store, run_id, recorder, State.FAILED, error=str(error), error_kind=type(error).__name__)
        except Exception as error:  # noqa: BLE001  # the last line of defence: a bug, told as one
            traceback.print_exc()
            what = f"A fault inside Transfer Lab ended this run ({type(error).__name__}: {error})."
            told = f"{what} The log in {store.folder(run_id)} has the details."
            _end(store, run_id, recorder, State.FAILED, error=told, error_kind="InternalError")


def _end(store: Store, run_id: str, recorder: Recorder, state: State, **values: str) -> None:
    with contextlib.suppress(StorageError):  # how it ended matters more than its last half second
        recorder.flush()
    store.change_state(run_id, ALIVE, state, **values)


def _do(store: Store, run_id: str, recorder: Recorder) -> None:
    recorder(Stage("Starting Python and Keras", 0.0))
    from tl_core.training import train

    if not store.change_state(run_id, (State.STARTING,), State.RUNNING, started=time.time()):
        raise Stopped
    outcome = train(store.run(run_id).spec, recorder)
    recorder(Stage("Storing the result", 1.0))
    artifacts.write_outcome(store.folder(run_id), outcome)
    recorder.flush()
    result = outcome.result
    done = store.change_state(
        run_id,
        STOPPABLE,
        State.DONE,
        done=1.0,
        stage="",
        correct=result.test_correct,
        test_images=result.test_images,
        test_digest=result.test_digest,
        seconds=result.seconds,
        trainable_parameters=result.trainable_parameters,
        total_parameters=result.total_parameters,
    )
    if not done:
        raise Stopped
