"""What live pages cost the server: one run, watched by more and more browsers.

    python -m benchmarks.live_page [--pages 1 5 20] [--seconds 30] [--minutes 0]

A real server, a real run that goes on all the while, and real browser pages that look at it. Told are the CPU seconds of
the serving process in percent of one core, how often a page asked (every two seconds, unless the machine is too busy with
the browsers themselves), and the memory before and after. With `--minutes` the last number of pages is watched for so
long, and the memory is told now and then.
"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Page, WebSocket, sync_playwright
from rich.console import Console
from rich.table import Table

from tl_core.runner import control
from tl_core.runs.store import Store
from tl_core.spec import RunSpec
from tl_core.system.settings import HOME_VARIABLE

SETTLE_SECONDS = 10
"""Pages that have just been opened are not measured."""
PARTS = 3
"""A Train page polls for the run, for the queue and for the sidebar."""
LONG = RunSpec().with_settings(
    {
        "dataset.labels_per_class": 40,
        "backbone": "small_cnn",
        "strategy": "from_scratch",
        "strategy.epochs": 10_000,
        "image_size": 64,
    }
)
"""A run of more than an hour, with some thirty batches a second: its curves have all the points they may have."""
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync")


@contextmanager
def served(home: Path) -> Iterator[tuple[str, psutil.Process]]:
    """Serve the dashboard over `home` and yield its address and its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    options = ["--server.port", url.rpartition(":")[2], "--server.headless", "true"]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", *options]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, env=os.environ | {HOME_VARIABLE: str(home)}) as process:
        try:
            wait_for(url)
            yield url, psutil.Process(process.pid)
        finally:
            process.terminate()


def wait_for(url: str) -> None:
    """Wait until the server at `url` answers. Raises `TimeoutError`."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for _ in range(300):
        try:
            direct.open(f"{url}/_stcore/health", timeout=2).close()
            return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError(f"No server at {url}.")


class Asked:
    """Counts what browsers send over their sockets: a message for each part of a page that polls."""

    number = 0

    def listen(self, socket: WebSocket) -> None:
        """Count what is sent over `socket`."""
        socket.on("framesent", self._count)

    def _count(self, _frame: object) -> None:
        self.number += 1


def watching(browser: Browser, url: str, asked: Asked) -> Page:
    """Return a browser page of its own that has drawn the page at `url`."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.on("websocket", asked.listen)
    page.goto(url)
    page.wait_for_selector(".kept-chart .main-svg", timeout=120_000)
    return page


def cores(process: psutil.Process, page: Page, seconds: float) -> float:
    """Return the percent of one core that `process` uses in the next `seconds`, while the browser goes on."""
    before, started = process.cpu_times(), time.monotonic()
    page.wait_for_timeout(1000 * seconds)  # a sleep would stop the browser's own events
    after = process.cpu_times()
    return 100 * (after.user + after.system - before.user - before.system) / (time.monotonic() - started)


def measure(browser: Browser, url: str, process: psutil.Process, arguments: argparse.Namespace, table: Table) -> None:
    """Add a line to the table for each number of pages, and then watch for long.

    Args:
        browser: Opens the pages.
        url: The page that is watched.
        process: The server.
        arguments: Of the command: numbers of pages, seconds a line, minutes of the long watch.
        table: What the lines are added to.
    """
    pages: list[Page] = []
    asked = Asked()

    def add_row(title: str, seconds: float) -> None:
        before, asked.number = megabytes(process), 0
        used = cores(process, pages[0], seconds)
        polls = asked.number / PARTS / seconds / len(pages)
        row = title, f"{used:.1f}", f"{polls:.2f}", f"{before:.0f}", f"{megabytes(process) - before:+.1f}"
        table.add_row(*row)
        Console().print(*row)

    for number in arguments.pages:
        pages += [watching(browser, url, asked) for _ in range(number - len(pages))]
        while probes(process):
            pages[0].wait_for_timeout(1000)
        pages[0].wait_for_timeout(1000 * SETTLE_SECONDS)
        add_row(str(number), arguments.seconds)
    for minute in range(0, arguments.minutes, 5):
        add_row(f"{len(pages)}, after {minute} min", 60 * min(5, arguments.minutes - minute))


def probes(server: psutil.Process) -> list[psutil.Process]:
    """Return what measures for a page how fast this machine is: once, for the first that opens."""
    return [child for child in server.children(recursive=True) if "probe" in child.cmdline()]


def megabytes(process: psutil.Process) -> float:
    """Return the resident memory in megabytes."""
    return float(process.memory_info().rss) / 1e6


def main(given: Sequence[str] | None = None) -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, nargs="+", default=[1, 5, 20])
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--minutes", type=int, default=0)
    arguments = parser.parse_args(given)
    columns = "Pages", "CPU (% of a core)", "Polls of a page a second", "Memory (MB)", "More after it (MB)"
    table = Table(*columns, title="The serving process")
    home = Path(tempfile.mkdtemp(prefix="live_page_"))
    store = Store(home)
    run_id = control.start(store, LONG)
    try:
        while len(store.events(run_id, "epoch")) < 550:
            time.sleep(0.5)
        with served(home) as (url, process), sync_playwright() as playwright:
            found = shutil.which("chromium") or shutil.which("google-chrome")
            browser = playwright.chromium.launch(executable_path=found, args=QUIET)
            measure(browser, f"{url}/train?run={run_id}", process, arguments, table)
            browser.close()
    finally:
        control.stop(store, run_id)
        while store.run(run_id).state.alive:
            time.sleep(0.2)
        shutil.rmtree(home, ignore_errors=True)
    Console().print(table)


if __name__ == "__main__":
    main()
