"""The server behind a proxy of another name: what docs/operations.md says lets its visitors in."""

import http.client
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.helpers import ROOT, wait_until

NAME = "lab.example.com"
pytestmark = pytest.mark.process


@contextmanager
def serving(home: Path, *options: str) -> Iterator[int]:
    """A server on a port of its own, with those options."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true", f"--server.port={port}", *options]
    home.mkdir()
    with (home / "server.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
    try:
        wait_until(lambda: is_up(port))
        yield port
    finally:
        server.terminate()
        server.wait()


def is_up(port: int) -> bool:
    try:
        return asked(port, "/_stcore/health") == 200
    except OSError:
        return False


def asked(port: int, path: str, **headers: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path, headers=headers)
    status = connection.getresponse().status
    connection.close()
    return status


def handshake(port: int, host: str, origin: str) -> int:
    """The status that a WebSocket is answered with: 101 where it opens."""
    more = {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Protocol": "streamlit"}
    return asked(port, "/_stcore/stream", Host=host, Origin=origin, Upgrade="websocket", Connection="Upgrade", **more)


@pytest.mark.parametrize(
    ("option", "passes_its_name"),
    [
        (None, True),
        (None, False),
        (f"--server.allowedHosts={NAME}", True),
        (f"--server.corsAllowedOrigins=https://{NAME}", False),
    ],
)
def test_a_proxy_of_another_name(option: str | None, passes_its_name: bool, home: Path) -> None:
    if option:
        named = option.replace("=", " ")
        assert named in " ".join((ROOT / "docs" / "operations.md").read_text(encoding="utf-8").split())
    with serving(home, *filter(None, [option])) as port:
        host = NAME if passes_its_name else f"localhost:{port}"
        assert handshake(port, host, f"https://{NAME}") == (101 if option else 403)
        assert handshake(port, host, "https://elsewhere.example.org") == 403
