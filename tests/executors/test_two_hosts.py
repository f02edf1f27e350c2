"""Two hosts with a cable between them: two network namespaces, of which nothing leads outside.

The head and the runner are on the first host, and the only GPU (by declaration) is on the second one. Both see the folder of
the runs. Then the cable is cut while the second host trains.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.executors.test_ray import SURROUNDINGS, kept, steps, there, workers_of
from tests.helpers import ENDLESS, ROOT, wait_until
from tests.tools.cluster import TOKEN, Cluster
from tests.tools.crashing import settled
from tl_core.runner import control
from tl_core.runs import artifacts
from tl_core.runs.states import State
from tl_core.runs.store import Store

pytestmark = pytest.mark.cluster

pytest.importorskip("ray", reason="Ray is not installed: pip install -r requirements-ray.txt")

FIRST, SECOND = f"tl-{os.getpid()}-1", f"tl-{os.getpid()}-2"
FIRST_IP, SECOND_IP = "10.213.77.1", "10.213.77.2"
START = """
import sys
from tl_core.runner import control
from tl_core.runs.store import Store
from tl_core.spec import RunSpec
print(control.start(Store(), RunSpec.model_validate_json(sys.argv[1])))
"""


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True, timeout=10)


def on(host: str) -> list[str]:
    return ["ip", "netns", "exec", host]


@pytest.fixture
def hosts() -> Iterator[None]:
    """Two namespaces, joined."""
    try:
        for host in (FIRST, SECOND):
            ip("netns", "add", host)
            ip("-n", host, "link", "set", "lo", "up")
        ip("link", "add", "cable", "netns", FIRST, "type", "veth", "peer", "name", "cable", "netns", SECOND)
        for host, address in ((FIRST, FIRST_IP), (SECOND, SECOND_IP)):
            ip("-n", host, "address", "add", f"{address}/24", "dev", "cable")
            ip("-n", host, "link", "set", "cable", "up")
    except (OSError, subprocess.SubprocessError) as error:
        remove_hosts()
        pytest.skip(f"Network namespaces cannot be made here: {getattr(error, 'stderr', None) or error}")
    yield
    remove_hosts()


def remove_hosts() -> None:
    for host in (FIRST, SECOND):
        subprocess.run(["ip", "netns", "delete", host], check=False, capture_output=True, timeout=10)


@pytest.fixture
def cluster(hosts: None) -> Iterator[Cluster]:
    place = Path(tempfile.mkdtemp(prefix="ray"))
    cluster = Cluster(place, FIRST_IP, {FIRST_IP: on(FIRST), SECOND_IP: on(SECOND)})
    try:
        cluster.start_head()
        cluster.begin_worker(SECOND_IP, gpus=1)
        wait_until(lambda: cluster.alive() == 2)
        yield cluster
    finally:
        cluster.close()
        shutil.rmtree(place, ignore_errors=True)


def start_on_the_first_host(cluster: Cluster) -> str:
    """Start a run there; the runner that this starts lives there too."""
    done = subprocess.run(
        [*on(FIRST), sys.executable, "-c", START, there(ENDLESS, gpus=1).model_dump_json()],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | SURROUNDINGS | {"RAY_ADDRESS": cluster.address, "RAY_AUTH_TOKEN": TOKEN, "no_proxy": "*"},
        timeout=60,
        check=True,
    )
    return done.stdout.strip()


def test_a_cut_cable_makes_no_run_of_two(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store()
    run_id = start_on_the_first_host(cluster)
    kept(store, run_id)
    assert workers_of(store, run_id)

    ip("-n", FIRST, "link", "set", "cable", "down")
    before = len(steps(store, run_id))
    wait_until(lambda: len(steps(store, run_id)) > before)  # the folder is enough to follow it
    crashed = settled(store, run_id)
    assert crashed.state is State.CRASHED  # for the head lost the second host
    assert "Ray says: " in str(crashed.error)
    wait_until(lambda: not workers_of(store, run_id))  # cut off from Ray, it learns by the folder that it is given up
    control.resume(store, run_id)
    wait_until(lambda: store.run(run_id).handle == f"{run_id}-2")  # it waits for the second host

    ip("-n", FIRST, "link", "set", "cable", "up")
    cluster.kill(SECOND_IP)
    cluster.begin_worker(SECOND_IP, gpus=1)
    (resumed,) = wait_until(lambda: store.events(run_id, "resumed"))
    wait_until(lambda: steps(store, run_id)[-1] > resumed.data["step"])
    assert len(workers_of(store, run_id)) == 1
    numbers = steps(store, run_id)
    assert numbers == sorted(set(numbers))
    control.stop(store, run_id)
    end = settled(store, run_id)
    assert (end.state, end.attempts) == (State.CANCELLED, 2)
    wait_until(lambda: not workers_of(store, run_id))
    assert not (store.folder(run_id) / artifacts.RESULT).exists()
