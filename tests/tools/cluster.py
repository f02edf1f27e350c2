"""A real Ray cluster on this machine: a head that trains nothing, and workers, each with an address of its own.

Every process is ended by its own id. `ray stop` would end those of others too.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tests.helpers import wait_until

TOKEN = "a-token-that-only-the-tests-know"
QUICK_TO_NOTICE = {
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "1000",
    "RAY_health_check_failure_threshold": "3",
}
"""Settings with which a head notices within some 5 s that a worker is gone."""
ASK = """
import sys, urllib.request
request = urllib.request.Request(sys.argv[1], headers={"Authorization": "Bearer " + sys.argv[2]})
with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=5) as response:
    print(response.read().decode())
"""
PROXIES = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")


def free_port() -> int:
    """A port that nothing listens at now."""
    with socket.socket() as found:
        found.bind(("", 0))
        return int(found.getsockname()[1])


@dataclass
class Cluster:
    """The nodes that were started here. `place` has a short path: sockets lie below it."""

    place: Path
    head_ip: str = "127.0.0.2"
    inside: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """What stands before the command of the node of an address, as in `ip netns exec NAME`."""
    nodes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    dashboard_port: int = field(default_factory=free_port)

    @property
    def address(self) -> str:
        """Where the Jobs API answers."""
        return f"http://{self.head_ip}:{self.dashboard_port}"

    def start_head(self) -> None:
        """The head, which answers when this returns."""
        self.begin(
            *("--head", f"--node-ip-address={self.head_ip}", f"--port={self.port}", "--num-cpus=0", "--include-dashboard=true"),
            *(
                f"--dashboard-host={self.head_ip}",
                f"--dashboard-port={self.dashboard_port}",
                f"--ray-client-server-port={free_port()}",
            ),
            ip=self.head_ip,
        )
        wait_until(lambda: self.alive() >= 1)

    def begin_worker(self, ip: str, *, gpus: int = 0) -> None:
        """A worker with one core; it joins within some 6 s."""
        self.begin(
            *(f"--address={self.head_ip}:{self.port}", f"--node-ip-address={ip}", "--num-cpus=1", f"--num-gpus={gpus}"), ip=ip
        )

    def begin(self, *arguments: str, ip: str) -> None:
        """`ray start` with `arguments` as the node of `ip`."""
        folder = self.place / f"{ip.rpartition('.')[2]}-{len(list(self.place.iterdir()))}"
        folder.mkdir()
        own = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": TOKEN, "RAY_DEDUP_LOGS": "0"}
        ray = str(Path(sys.executable).with_name("ray"))
        always = ("--block", "--include-log-monitor=false", "--object-store-memory=80000000", f"--temp-dir={folder}")
        with (folder / "out").open("wb") as out:
            self.nodes[ip] = subprocess.Popen(
                [*self.inside.get(ip, ()), ray, "start", *always, f"--dashboard-agent-listen-port={free_port()}", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env={name: value for name, value in os.environ.items() if name not in PROXIES} | own | QUICK_TO_NOTICE,
                start_new_session=True,
            )

    def ask(self, path: str) -> Any:
        """What the head answers to somebody on its own host."""
        command = [*self.inside.get(self.head_ip, ()), sys.executable, "-c", ASK, self.address + path, TOKEN]
        done = subprocess.run(command, capture_output=True, timeout=20, check=False)
        return json.loads(done.stdout)

    def alive(self) -> int:
        """How many nodes the head knows to be alive; 0 where it does not answer."""
        with contextlib.suppress(subprocess.TimeoutExpired, ValueError, KeyError):
            nodes = self.ask("/nodes?view=summary")["data"]["summary"]
            return sum(node["raylet"]["state"] == "ALIVE" for node in nodes)
        return 0

    def processes(self, ip: str) -> list[psutil.Process]:
        """All processes of a node."""
        with contextlib.suppress(psutil.NoSuchProcess):
            node = psutil.Process(self.nodes[ip].pid)
            return [node, *node.children(recursive=True)]
        return []

    def signal(self, ip: str, number: signal.Signals) -> None:
        """Send a signal to every process of a node."""
        for process in self.processes(ip):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def kill(self, ip: str) -> None:
        """kill -9 of a whole node."""
        self.signal(ip, signal.SIGKILL)
        self.nodes.pop(ip).wait(timeout=10)

    def close(self) -> None:
        """Kill all nodes that were started here, each process by its own id."""
        for ip in list(self.nodes):
            self.kill(ip)
