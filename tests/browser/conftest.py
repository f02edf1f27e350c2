"""A real server and a real browser."""

import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.helpers import HANGS_SECONDS, ROOT, wait_until

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
).split()
IDLE = '[data-test-script-state="notRunning"]'

HANGS = HANGS_SECONDS * 1000
expect.set_options(timeout=HANGS)


class Server:
    """`streamlit run app.py` as a user starts it, on a free port, with its store in `home`."""

    def __init__(self, home: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.log = home.parent / "server.log"
        self.start()

    def start(self) -> None:
        """Start it; again at the same port, where it was killed."""
        port = self.url.rpartition(":")[2]
        command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", port, "--server.headless", "true"]
        with self.log.open("a") as output:
            self.process = subprocess.Popen(command, cwd=ROOT, env=dict(os.environ), stdout=output, stderr=subprocess.STDOUT)
        wait_until(self._answers)

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()
        self.process.wait(timeout=HANGS_SECONDS)

    def _answers(self) -> bool:
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"{self.url}/_stcore/health", timeout=2):
                return True
        except OSError:
            return False

    def loaded_files(self) -> str:
        """The files that the serving process has mapped into its memory."""
        return Path(f"/proc/{self.process.pid}/maps").read_text()

    def stop(self) -> None:
        """End the server, by its own id."""
        self.process.terminate()
        self.process.wait(timeout=HANGS_SECONDS)


@pytest.fixture
def server(home: Path) -> Iterator[Server]:
    home.parent.mkdir(parents=True, exist_ok=True)
    started = Server(home)
    yield started
    started.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, gone when the last test of the file is: it would take its share of the processor from all others."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"no browser on this machine: none of {', '.join(BROWSERS)} is on the PATH")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, args=QUIET)
        yield launched
        launched.close()


class Tab:
    """A page in a browser of its own, which remembers every error it met."""

    def __init__(self, browser: Browser, url: str, width: int = 1280, scheme: Literal["light", "dark"] = "light") -> None:
        self.page: Page = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme).new_page()
        self.page.set_default_timeout(HANGS)  # what waits longer hangs; a busy machine does not
        self.errors: list[str] = []
        self.url = url
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda message: self._note(message.type, message.text, message.location["url"]))

    def _note(self, kind: str, text: str, url: str) -> None:
        # On any address but the root Streamlit's own page first asks below that address where its server is.
        looks_for_server = "/_stcore/" in url and "404" in text
        if kind == "error" and not looks_for_server:
            self.errors.append(f"{text} ({url})")

    def open(self, path: str) -> Page:
        """Go to an address of the app and wait until it is drawn."""
        self.page.goto(self.url + path)
        return self.settled()

    def settled(self) -> Page:
        """Wait until a page is there and its script has ended."""
        self.page.wait_for_selector("h1", timeout=HANGS)
        self.page.wait_for_selector(IDLE, timeout=HANGS)
        return self.page


@pytest.fixture
def tab(browser: Browser, server: Server, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Tab]:
    opened = Tab(browser, server.url)
    context = opened.page.context
    context.tracing.start(screenshots=True, snapshots=True)
    yield opened
    kept = ROOT / "test-artifacts" / f"{request.node.name}.zip" if _failed(request) else tmp_path / "trace.zip"
    context.tracing.stop(path=kept)
    context.close()
    assert not opened.errors


def _failed(request: pytest.FixtureRequest) -> bool:
    return request.session.testsfailed > 0
