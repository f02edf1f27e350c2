"""Commands that Transfer Lab gives to itself: each is a process of its own."""

import os
from functools import partial
from pathlib import Path

import typer

from tl_core import studies
from tl_core.cli.console import app, says_what_is_wrong
from tl_core.planning import batch_times
from tl_core.runner import line, service, tracking
from tl_core.runs.store import Store


@app.command(hidden=True)
@says_what_is_wrong
def work(run_id: str) -> None:
    """Do one stored run in this process."""
    from tl_core.runs.worker import work as do

    do(run_id)


@app.command(hidden=True)
@says_what_is_wrong
def work_apart(folder: Path, attempt: int) -> None:
    """Do the run of `folder` in this process, on a machine that sees the folder but not the store."""
    from tl_core.runs.file_link import Mailbox
    from tl_core.runs.worker import do

    do(Mailbox(folder, attempt))


@app.command(batch_times.COMMAND, hidden=True)
@says_what_is_wrong
def time_batches(backbone: str, size: int, batches: int) -> None:
    """Print how long each of so many training steps takes with the backend of this process."""
    for seconds in batch_times.measured(backbone, size, batches):
        typer.echo(seconds)


@app.command(hidden=True)
@says_what_is_wrong
def serve(lock: int, watched: bool = False) -> None:
    """Serve as the runner; `lock` is the inherited descriptor of its lock, and `watched` says that somebody looks at a page."""
    from tl_core.runner.runner import serve as attend

    store = Store()
    attend(store.home, watched=watched)
    os.close(lock)
    if store.home.exists() and store.queue():  # queued by somebody who found this runner at its door, and rang in vain
        service.ensure(store.home)


@app.command(hidden=True)
@says_what_is_wrong
def spare(channel: int) -> None:
    """Import Keras and wait for a run at the inherited socket `channel`."""
    from tl_core.runner.warm_worker import wait

    wait(channel)


@app.command(hidden=True)
@says_what_is_wrong
def probe(backbone: str, image_size: int) -> None:
    """Measure one backbone (a JSON part) on this machine and keep its outline."""
    from tl_core.planning.backbone_profile import measure

    measure(Store().home, backbone, image_size)


@app.command(studies.COMMAND, hidden=True)
@says_what_is_wrong
def work_study(spec: str, study: str) -> None:
    """Answer a study (a JSON part) about a run (its JSON spec) and keep its result."""
    store = Store()
    studies.answer(store.home, spec, study, partial(line.runs_before, store))


@app.command(tracking.COMMAND, hidden=True)
@says_what_is_wrong
def send_runs() -> None:
    """Send what changes to the trackers that the environment names, while there is a runner."""
    tracking.follow(Store().home)
