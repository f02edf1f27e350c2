"""Weights are fetched from a server: whole and checked, or not at all; the rest of them where a part has come before."""

import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tl_core.errors import WeightsError
from tl_core.networks import download as fetching
from tl_core.networks.download import download

CONTENT = bytes(range(100))
MD5 = hashlib.md5(CONTENT).hexdigest()


class Server(http.server.BaseHTTPRequestHandler):
    """/good is whole, also from a byte on; /whole is never given from there, /short ends early, everything else is missing."""

    asked: list[str | None] = []

    def do_GET(self) -> None:
        first = self.headers.get("Range")
        self.asked.append(first)
        begin = int(first.removeprefix("bytes=").removesuffix("-")) if first and self.path == "/good" else 0
        if begin >= len(CONTENT):
            self.send_error(416)
            return
        known = self.path in ("/good", "/whole", "/short")
        self.send_response((206 if begin else 200) if known else 404)
        self.send_header("Content-Length", str(len(CONTENT) - begin))
        self.end_headers()
        self.wfile.write(CONTENT[begin : 50 if self.path == "/short" else None])

    def log_message(self, format: str, *args: object) -> None:
        """Tests are quiet."""


@pytest.fixture(scope="module")
def serving() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{served.server_port}"
        served.shutdown()


@pytest.fixture
def server(serving: str) -> str:
    Server.asked.clear()
    return serving


def test_download_leaves_the_whole_file_and_tells_how_far_it_is(server: str, tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    file = download(f"{server}/good", tmp_path / "models" / "weights.h5", MD5, lambda *so_far: told.append(so_far))
    assert file.read_bytes() == CONTENT
    assert list(file.parent.iterdir()) == [file]
    assert told[-1] == (100, 100)


@pytest.mark.parametrize(("path", "md5"), [("/short", None), ("/missing", None), ("/missing", MD5), ("/good", "0" * 32)], ids=str)
def test_download_leaves_nothing_else(server: str, tmp_path: Path, path: str, md5: str | None) -> None:
    with pytest.raises(WeightsError, match=f"Received: {server}{path}"):
        download(f"{server}{path}", tmp_path / "models" / "weights.h5", md5)
    assert list((tmp_path / "models").iterdir()) == []


@pytest.mark.parametrize(("path", "asked"), [("/good", ["bytes=50-"]), ("/whole", ["bytes=50-"])])
def test_what_had_come_before_the_connection_ended_is_not_fetched_again(
    server: str, tmp_path: Path, path: str, asked: list[str | None]
) -> None:
    with pytest.raises(WeightsError, match="the connection ended after 50 of 100 bytes"):
        download(f"{server}/short", tmp_path / "weights.h5", MD5)
    Server.asked.clear()
    assert download(f"{server}{path}", tmp_path / "weights.h5", MD5).read_bytes() == CONTENT
    assert Server.asked == asked
    assert [file.name for file in tmp_path.iterdir()] == ["weights.h5"]


def test_a_part_that_is_longer_than_the_file_is_fetched_anew(server: str, tmp_path: Path) -> None:
    (tmp_path / ".download-weights.h5").write_bytes(CONTENT * 2)
    assert download(f"{server}/good", tmp_path / "weights.h5", MD5).read_bytes() == CONTENT
    assert Server.asked == ["bytes=200-", None]


def test_download_without_a_network(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"could not be fetched.*put it at"):
        download("https://transfer-lab.invalid/weights.h5", tmp_path / "weights.h5")


def test_download_where_nothing_may_be_written(server: str, tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file where the folder should be")
    with pytest.raises(WeightsError, match="could not be fetched"):
        download(f"{server}/good", tmp_path / "models" / "weights.h5")


def test_download_onto_a_disk_that_is_full(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = fetching.shutil.disk_usage(tmp_path)._replace(free=99)
    monkeypatch.setattr(fetching.shutil, "disk_usage", lambda place: full)
    with pytest.raises(WeightsError, match="100 bytes are to come, and 99 are free"):
        download(f"{server}/good", tmp_path / "weights.h5", MD5)
    assert list(tmp_path.iterdir()) == []
