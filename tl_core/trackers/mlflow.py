"""MLflow, through its own client."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from math import isfinite
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, ClassVar, NamedTuple
from urllib.parse import urlsplit

from pydantic import Field
from sqlalchemy.exc import SQLAlchemyError

from tl_core.errors import TrackingError
from tl_core.system.settings import absolute
from tl_core.trackers import TrackedRun, Tracker, register

if TYPE_CHECKING:
    from mlflow import MlflowClient

MODEL = "model"
"""What the folder of a network is called beside its run."""
OWN_ID, OWN_GROUP = "transfer_lab.run", "transfer_lab.group"
"""Tags of MLflow's runs that hold the id of ours."""
MOST_METRICS, MOST_SETTINGS = 1000, 100
"""Of one request, as MLflow's server has them."""
SAID_AT_MOST = 300
"""Letters of what its client says of something that it cannot do."""
LONGEST_SETTING = 6000
"""Characters of a parameter there."""
CLIENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
"""How its client behaves, unless the environment says something else: by itself it tells its makers what it is used for, tries
for minutes, and prints addresses among our output."""
SCHEMES = ("http", "https", "sqlite", "databricks", "postgresql", "mysql")


@register("mlflow")
class MLflow(Tracker):
    """An MLflow server by its address, or a folder: settings, curves, scores, load of the machine and files of each run, below
    the group that it belongs to."""

    title: ClassVar[str] = "MLflow"
    listing_order: ClassVar[int] = 10
    variable: ClassVar[str] = "TRANSFER_LAB_MLFLOW"
    needs: ClassVar[tuple[str, ...]] = ("mlflow", "alembic")
    experiment: str = Field("Transfer Lab", min_length=1, title="Experiment", description="MLflow's experiment of all runs.")

    def send(self, run: TrackedRun) -> None:
        with _said(self.place):
            _write(_opened(self.place, self.experiment), run)

    def register_model(self, run: TrackedRun, file: Path, name: str) -> int:
        """Register it, with the shape and type of what goes in and comes out."""
        with _said(self.place):
            record = _opened(self.place, self.experiment)
            own = _write(record, run)
            if known := record.client.search_model_versions(f"name = '{name}' and run_id = '{own}'"):
                return int(known[0].version)
            _log_model(record.client, own, file)
            if not record.client.search_registered_models(f"name = '{name}'"):
                record.client.create_registered_model(name)
            return int(record.client.create_model_version(name, f"runs:/{own}/{MODEL}", own).version)


class _Record(NamedTuple):
    """MLflow's client, and the id of an experiment."""

    client: "MlflowClient"
    experiment: str


def _log_model(client: "MlflowClient", own: str, file: Path) -> None:
    """Write the network in `file` beside MLflow's run `own`, as `mlflow.keras` reads it."""
    import keras
    import mlflow.keras
    import numpy as np
    from mlflow.models import ModelSignature
    from mlflow.types import Schema, TensorSpec

    model = keras.saving.load_model(file, compile=False)
    ends = [(np.dtype(each.dtype), (-1, *each.shape[1:])) for each in (model.input, model.output)]
    goes_in, comes_out = (Schema([TensorSpec(*end)]) for end in ends)
    with tempfile.TemporaryDirectory(prefix="transfer_lab_") as folder:
        mlflow.keras.save_model(
            model,
            f"{folder}/{MODEL}",
            signature=ModelSignature(goes_in, comes_out),
            pip_requirements=[f"{name}=={version(name)}" for name in ("keras", keras.backend.backend(), "numpy")],
        )  # else MLflow loads it in another process to see what it imports
        client.log_artifacts(own, f"{folder}/{MODEL}", MODEL)


def _write(record: _Record, run: TrackedRun) -> str:
    """Write `run`, and return what MLflow calls it."""
    parent = _run_of(record, run.group.title, {OWN_GROUP: run.group.id}) if run.group else None
    own = _run_of(record, run.title, {OWN_ID: run.id} | ({"mlflow.parentRunId": parent} if parent else {}), run.created)
    _complete(record.client, own, run)
    return own


def _complete(client: "MlflowClient", own: str, run: TrackedRun) -> None:
    from mlflow.entities import Metric, Param, RunTag

    settings = [Param(name, value[:LONGEST_SETTING]) for name, value in run.settings.items()]
    tags = [
        RunTag(name, value) for name, value in {**run.tags, "mlflow.runName": run.title, "mlflow.note.content": run.note}.items()
    ]
    points = [Metric(name, value, round(at * 1000), step) for name, value, step, at in run.points if isfinite(value)]
    client.log_batch(own, params=settings[:MOST_SETTINGS], tags=tags[:MOST_SETTINGS])
    for start in range(0, len(points), MOST_METRICS):
        client.log_batch(own, metrics=points[start : start + MOST_METRICS])
    for file in run.files:
        client.log_artifact(own, str(file))
    if run.ended is None:
        client.update_run(own, status=run.status)
    else:
        client.set_terminated(own, status=run.status, end_time=round(run.ended * 1000))


def _run_of(record: _Record, title: str, tags: Mapping[str, str], created: float | None = None) -> str:
    """Return the id of MLflow's run with the first of `tags`, made now where there is none. One process at a time sends."""
    name, value = next(iter(tags.items()))
    found = record.client.search_runs([record.experiment], f"tags.`{name}` = '{value}'", max_results=1)
    if found:
        return str(found[0].info.run_id)
    started = None if created is None else round(created * 1000)
    return str(record.client.create_run(record.experiment, start_time=started, tags=dict(tags), run_name=title).info.run_id)


@cache
def _opened(to: str, experiment: str) -> _Record:
    """Return the experiment of that name, made where there is none."""
    from mlflow import MlflowClient

    folder = None if urlsplit(to).scheme.partition("+")[0] in SCHEMES else absolute(to)
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    client = MlflowClient(f"sqlite:///{folder / 'mlflow.db'}" if folder else to)
    known = client.get_experiment_by_name(experiment)
    files = (folder / "artifacts").as_uri() if folder else None
    own = known.experiment_id if known else client.create_experiment(experiment, artifact_location=files)
    return _Record(client, own)


@contextmanager
def _said(to: str) -> Iterator[None]:
    """Turn what the client raises into a `TrackingError`, without the password that an address may hold."""
    for name, value in CLIENT.items():  # before it is imported
        os.environ.setdefault(name, value)
    from mlflow.exceptions import MlflowException

    try:
        yield
    except (MlflowException, SQLAlchemyError, OSError) as error:  # a request that fails is an `OSError`, too
        person = f"{urlsplit(to).netloc.rpartition('@')[0]}@"  # with a password, maybe
        raise TrackingError(
            f"MLflow cannot be written now ({_reason(error, person)}).",
            "See that it is there, and send again: python -m tl_core track",
            received=to.replace(person, ""),
        ) from error


def _reason(error: BaseException, person: str) -> str:
    """Return what the network or the disk said first, such as "Connection refused"; else what the client says, without the
    `person`, in one line."""
    first = error
    while cause := first.__cause__ or first.__context__:
        first = cause
    told = first.strerror if isinstance(first, OSError) else None
    return told or shorten(str(error).replace(person, ""), SAID_AT_MOST, placeholder=" ...")
