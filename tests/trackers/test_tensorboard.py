"""TensorBoard's own reader finds what was written."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tl_core.testing.tracker import RUN
from tl_core.trackers import Point, trackers

AT = 1_700_000_000.0


def read(folder: Path) -> Any:
    accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator", reason="pip install -r requirements-tracking.txt"
    )
    found = accumulator.EventAccumulator(str(folder))
    found.Reload()
    return found


def test_its_own_reader_finds_each_number_at_its_step_and_time(tmp_path: Path) -> None:
    tracker = trackers.part("tensorboard").model_validate({"to": str(tmp_path)})
    pytest.importorskip("tensorboard", reason="pip install -r requirements-tracking.txt")
    told = [Point("loss", 1 / step, step, AT + step) for step in (1, 2, 3)]
    for points in (told[:2], told):  # the later one takes the earlier one's place
        tracker.send(replace(RUN, points=tuple(points)))
    found = read(tmp_path / "group" / RUN.id)
    assert [(event.step, event.wall_time) for event in found.Scalars("loss")] == [(point.step, point.at) for point in told]
    assert [event.value for event in found.Scalars("loss")] == pytest.approx([point.value for point in told])
    assert "_hparams_/session_start_info" in found.summary_metadata
    assert [path.name for path in (tmp_path / "group").iterdir()] == [RUN.id]
