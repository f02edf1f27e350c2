"""MLflow's own server, started here, holds each run once, below its group, also after an outage."""

import contextlib
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import QUICK, CommandLine, Finished, wait_until
from tests.tools.cluster import free_port
from tl_core.runs import tracked
from tl_core.runs.store import Store
from tl_core.spec import PartSpec
from tl_core.testing.tracker import RUN
from tl_core.trackers import Point, Status, Tracker, build

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(
        not all(map(find_spec, ("mlflow", "alembic", "flask", "graphene"))), reason="pip install -r requirements-tracking.txt"
    ),
]
AT = 1_700_000_000.0


@contextlib.contextmanager
def server(folder: Path, port: int) -> Iterator[str]:
    """MLflow's server at work on the files in `folder`."""
    address = f"http://127.0.0.1:{port}"
    command = ["server", "--backend-store-uri", f"sqlite:///{folder}/db", "--artifacts-destination", str(folder / "files")]
    process = subprocess.Popen(
        [sys.executable, "-m", "mlflow", *command, "--host", "127.0.0.1", "--port", str(port), "--workers", "1"],
        stdout=(folder / "log").open("ab"),
        stderr=subprocess.STDOUT,
        env=os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"},
        start_new_session=True,
    )
    try:
        wait_until(lambda: answers(address))
        yield address
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
        process.wait()


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def tracker(place: object) -> Tracker:
    return build(PartSpec(name="mlflow", to=str(place)))


def client(place: object) -> Any:
    import mlflow

    return mlflow.MlflowClient(str(place))


def runs_of(place: object) -> list[Any]:
    own = client(place)
    return list(own.search_runs([own.get_experiment_by_name("Transfer Lab").experiment_id]))


def test_a_server_holds_each_run_once_below_its_group_also_after_an_outage(tmp_path: Path, default_run: Finished) -> None:
    port = free_port()
    points = tuple(Point("loss", 1 / step, step, AT + step) for step in range(1, 4))
    with server(tmp_path, port) as address:
        for seen in (points[:2], points, points):
            tracker(address).send(replace(RUN, points=seen))
        by_name = {run.info.run_name: run for run in runs_of(address)}
        assert set(by_name) == {"A run", "A group"}
        own = by_name["A run"]
        assert own.data.tags["mlflow.parentRunId"] == by_name["A group"].info.run_id
        assert own.data.params == dict(RUN.settings)
        history = client(address).get_metric_history(own.info.run_id, "loss")
        assert [(each.step, each.timestamp) for each in history] == [(point.step, point.at * 1000) for point in points]
        tracker(address).send(replace(RUN, status=Status.FINISHED, ended=AT + 9))
        assert client(address).get_run(own.info.run_id).info.status == "FINISHED"
    line = CommandLine(default_run.home)
    options = (
        "track",
        default_run.json["run_id"],
        "--tracker",
        "mlflow",
        "--set",
        f"tracker.to=http://me:secret@127.0.0.1:{port}",
    )
    away = line.run(*options)
    assert away.code == 2
    assert "MLflow cannot be written now (Connection refused)." in away.err
    assert "Traceback" not in away.err
    assert "secret" not in away.err
    with server(tmp_path, port) as address:
        done = line.run(*options, "--register", "patches", "--json")
        assert (done.code, done.json["version"]) == (0, 1), done.err
        assert line.run(*options, "--register", "patches", "--json").json["version"] == 1
        version = client(address).get_model_version("patches", "1")
        (found,) = [run for run in runs_of(address) if run.info.run_id == version.run_id]
        assert found.data.metrics["test_accuracy"] == pytest.approx(default_run.json["accuracy"])
        files = {file.path for file in client(address).list_artifacts(found.info.run_id)}
        assert files >= {"spec.json", "result.json", "predictions.npz", "model"}


def test_the_registered_model_says_what_goes_in_and_says_the_same_there(tmp_path: Path, default_run: Finished) -> None:
    import keras
    import mlflow
    import numpy as np

    line, run_id = CommandLine(default_run.home), default_run.json["run_id"]
    done = line.run("track", run_id, "--tracker", "mlflow", "--set", f"tracker.to={tmp_path}", "--register", "patches")
    assert "version 1 of patches" in done.out, done.err
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
    model = mlflow.pyfunc.load_model("models:/patches/1")
    pixels = np.random.default_rng(0).uniform(0, 255, (3, 96, 96, 3)).astype(np.float32)
    (goes_in,) = model.metadata.signature.inputs.inputs
    assert (goes_in.type, goes_in.shape) == (np.dtype(np.float32), (-1, 96, 96, 3))
    own = keras.saving.load_model(default_run.home / "runs" / run_id / "model.keras")
    np.testing.assert_allclose(model.predict(pixels), own.predict(pixels, verbose=0), atol=1e-5)


def test_the_runner_sends_a_run_by_itself_where_the_environment_names_a_place(tmp_path: Path) -> None:
    line, folder = CommandLine(tmp_path / "home"), tmp_path / "mlflow"
    (spec := tmp_path / "spec.json").write_text(QUICK.model_dump_json(), encoding="utf-8")
    done = line.run("train", "--spec", spec, "--json", TRANSFER_LAB_MLFLOW=str(folder))
    assert done.code == 0, done.err
    store, run_id = Store(line.home), done.json["run_id"]
    wait_until(lambda: tracked.sent_to(store, tracker(folder)).get(run_id) == store.run(run_id).revision)
    (found,) = runs_of(f"sqlite:///{folder}/mlflow.db")  # which nobody else is making any more
    assert found.info.status == "FINISHED"
    assert found.data.metrics["test_accuracy"] == pytest.approx(done.json["accuracy"])
    assert any(name.startswith("system/") for name in found.data.metrics)
