"""The process of one run: from its stored spec to its stored outcome."""

import contextlib
import gc
import os
import time
import traceback
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from tl_core.errors import Paused, Stopped, StorageError, TransferError
from tl_core.events import Activity, Event, Placement, Plan, Stage
from tl_core.jobs import failures
from tl_core.machine import backends
from tl_core.machine.telemetry import CPU
from tl_core.planning import estimate, precision_speeds
from tl_core.planning.backbone_profile import BackboneProfile
from tl_core.planning.cuts import SplitSizes
from tl_core.recipe import Recipe
from tl_core.runs import artifacts
from tl_core.runs.link import Link, StoreLink
from tl_core.runs.recorder import Recorder
from tl_core.runs.states import State, before
from tl_core.runs.store import Store
from tl_core.system import settings


def work(run_id: str) -> None:
    """Do the run `run_id` of the store in this process."""
    do(StoreLink(Store(), run_id))


def do(link: Link) -> None:
    """Do the run behind `link` and leave it paused, also at its rung, or in one of its end states. Raises `StorageError` where
    that cannot be written; the runner then finds that the process is gone."""
    link.record([], handle=str(os.getpid()))
    with Recorder(link) as recorder:
        try:
            _train(link, recorder)
        except Paused:
            _leave(link, recorder, (State.PAUSING,), State.PAUSED)
        except Stopped:
            _leave(link, recorder, (State.CANCELLING,), State.CANCELLED)
        except TransferError as error:
            _fail(link, recorder, str(error), type(error).__name__)
        except Exception as error:  # noqa: BLE001  # the last line of defence: out of memory, or a bug told as one
            traceback.print_exc()
            _fail(link, recorder, *failures.of_exception(error, link.spec(), link.folder))


def _fail(link: Link, recorder: Recorder, told: str, kind: str) -> None:
    _leave(link, recorder, before(State.FAILED), State.FAILED, error=told, error_kind=kind)


def _leave(link: Link, recorder: Recorder, leaving: Sequence[State], to: State, **values: str) -> None:
    with contextlib.suppress(StorageError):  # how it ended matters more than its last half second
        recorder.flush()
    if not link.change_state(leaving, to, **values):
        link.change_state((State.CANCELLING,), State.CANCELLED)  # a stop that came meanwhile is what was wanted


def _report(link: Link, recorder: Recorder, event: Event) -> None:
    if isinstance(event, Plan):
        # A run without an estimate is better than none, whatever is wrong with what was measured.
        with contextlib.suppress(TransferError, OSError, ValueError, ArithmeticError):
            _keep_estimate(link, event)
    if isinstance(event, Placement) and event.device == CPU:
        event = replace(event, unused=tuple(device for device in link.devices() if device != CPU))
        if event.unused:
            print(backends.unseen_gpu(event.backend), flush=True)  # noqa: T201  # into the log
    recorder(event)


def _keep_estimate(link: Link, plan: Plan) -> None:
    """Keep what was expected of the run, by what is known of this machine, before anything of it trains."""
    recipe, home = Recipe.of(link.spec()), settings.home()
    measured = BackboneProfile.read(home, recipe.backbone, recipe.input_size)
    if measured:
        images = SplitSizes(plan.train_images, plan.validation_images, plan.test_images)
        found = estimate.estimate(recipe, measured, images, plan.classes, settings.cache_room(home))
        artifacts.write_estimate(link.folder, found)


def _train(link: Link, recorder: Recorder) -> None:
    recorder(Stage(Activity.STARTING, 0.0))
    backends.require_importable()
    from tl_core.features.cache import cache_of
    from tl_core.training.checkpoints import Checkpoints
    from tl_core.training.train import train

    gc.freeze()  # Python would look for garbage among the 300,000 objects of the imports time and again, 0.1 s each time
    if not link.change_state((State.STARTING,), State.RUNNING, started=time.time()):
        raise Paused if link.state() is State.PAUSING else Stopped
    checkpoints = Checkpoints(link.folder / artifacts.CHECKPOINT)
    if not checkpoints.any:
        link.forget_after(0)  # a former attempt that kept none is void, and all that it reported
    # The cache is this machine's, wherever the run's own files go.
    report, cache = partial(_report, link, recorder), cache_of(settings.home())
    outcome = train(link.spec(), report, checkpoints, decide=precision_speeds.decide(link.home), cache=cache)
    with contextlib.suppress(Paused):  # nothing is left to pause
        recorder(Stage(Activity.STORING, 1.0))
    artifacts.write_outcome(link.folder, outcome)
    recorder.flush()
    if not link.change_state(before(State.DONE), State.DONE, **artifacts.summary(outcome.result)):
        raise Stopped
    checkpoints.clear()
