"""What every tracker keeps to: the environment may name it, and what is sent twice is there once."""

import os
import tempfile
from pathlib import Path
from unittest.mock import patch

from tl_core.errors import TrackingError
from tl_core.trackers import Point, Status, TrackedGroup, TrackedRun, Tracker

RUN = TrackedRun(
    id="20260101-000000-abcdef",
    title="A run",
    note="",
    group=TrackedGroup("group", "A group"),
    status=Status.RUNNING,
    created=1_700_000_000.0,
    ended=None,
    settings={"strategy": "linear_probe", "dataset.path": "/data/ü"},
    tags={"transfer_lab.state": "running"},
    points=(Point("loss", 0.5, 1, 1_700_000_001.0), Point("loss", float("nan"), 2, 1_700_000_002.0)),
    files=(),
)


def check_the_environment_may_name_it(part: type[Tracker]) -> None:
    """Check that its variable, and no blank one, makes one that writes where that says."""
    with patch.dict(os.environ, {part.variable: " "}):
        assert part.configured() is None
    with patch.dict(os.environ, {part.variable: "/somewhere"}):
        found = part.configured()
    assert found is not None
    assert found.to == "/somewhere"


def check_a_run_may_be_sent_again(part: type[Tracker]) -> None:
    """Check that a run that is sent anew, and then once more, as nothing has changed, is no error."""
    with tempfile.TemporaryDirectory(prefix="transfer_lab_") as folder:
        tracker = part(to=folder)
        for _ in range(2):
            tracker.send(RUN)
        assert any(Path(folder).iterdir())


def check_what_cannot_be_written_is_said(part: type[Tracker]) -> None:
    """Check that a place that is no folder gives a `TrackingError` that names it."""
    with tempfile.NamedTemporaryFile(prefix="transfer_lab_") as file:
        try:
            part(to=file.name).send(RUN)
        except TrackingError as error:
            assert file.name in str(error)
        else:
            raise AssertionError("Nothing was said.")
