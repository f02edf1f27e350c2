"""TensorBoard: an event file for each run, written with TensorBoard's own package."""

import shutil
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

from tl_core.errors import TrackingError
from tl_core.system.settings import absolute
from tl_core.trackers import Point, TrackedRun, Tracker, register

WITHOUT_TENSORFLOW = "tensorboard.compat.notf"
"""Where there is a module of that name, TensorBoard uses its own code for files, and does not import TensorFlow for seconds."""


@register("tensorboard")
class TensorBoard(Tracker):
    """A folder of event files, a folder for each run and one around those of a group: tensorboard --logdir FOLDER shows them."""

    title: ClassVar[str] = "TensorBoard"
    listing_order: ClassVar[int] = 20
    variable: ClassVar[str] = "TRANSFER_LAB_TENSORBOARD"
    needs: ClassVar[tuple[str, ...]] = ("tensorboard",)

    def send(self, run: TrackedRun) -> None:
        folder = absolute(self.place) / (run.group.id if run.group else "") / run.id
        partial = folder.with_name(f".partial-{folder.name}")
        try:
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            _write(partial, run)
            shutil.rmtree(
                folder, ignore_errors=True
            )  # an event file only grows: a run that went on from a checkpoint is written anew
            partial.rename(folder)
        except OSError as error:
            raise TrackingError(
                f"The event file cannot be written ({error.strerror or error}).",
                "Free some space there, or name another folder.",
                received=folder,
            ) from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def _write(folder: Path, run: TrackedRun) -> None:
    sys.modules.setdefault(WITHOUT_TENSORFLOW, ModuleType(WITHOUT_TENSORFLOW))
    from tensorboard.plugins.hparams import summary_v2 as hparams
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    writer = EventFileWriter(str(folder))
    try:
        title = f"{run.title} ({run.id})"
        writer.add_event(_event(hparams.hparams_pb(dict(run.settings), trial_id=title, start_time_secs=run.created), run.created))
        for point in run.points:
            writer.add_event(_event(_scalar(point), point.at, point.step))
    finally:
        writer.close()


def _scalar(point: Point) -> Any:
    from tensorboard.compat.proto.summary_pb2 import Summary

    return Summary(value=[Summary.Value(tag=point.name, simple_value=point.value)])


def _event(summary: Any, at: float, step: int = 0) -> Any:
    from tensorboard.compat.proto.event_pb2 import Event

    return Event(wall_time=at, step=step, summary=summary)
