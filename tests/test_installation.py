"""Installed by pip, Transfer Lab is a command that works from any folder, and starts the dashboard as it is in a clone."""

import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.helpers import QUICK, ROOT, CommandLine, settings_arguments, wait_until
from tests.tools.crashing import short_training
from tests.tools.environment import Environment, run
from tl_core import __version__

SOURCES = ("app.py", "pages", "tl_core", ".streamlit", "pyproject.toml", "setup.py", "README.md", "LICENSE")
PACK = "from setuptools import build_meta; build_meta.build_sdist('dist')"
OPEN = """
from streamlit.testing.v1 import AppTest
from tl_core.cli.dashboard import script
app = AppTest.from_file(str(script()), default_timeout=600).run()
print(script(), [title.value for title in app.title], list(app.exception), sep="\\n")
"""


@dataclass(frozen=True)
class Installation:
    """An environment with Transfer Lab in it, and a folder that has nothing to do with it."""

    environment: Environment
    elsewhere: Path

    @property
    def package(self) -> Path:
        """Where the package lies."""
        return self.environment.packages / "tl_core"

    def run(self, name: str, *arguments: str) -> str:
        """What a program of the environment prints elsewhere."""
        return run([self.environment.program(name), *arguments], self.elsewhere)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """By pip, from a source distribution."""
    place = tmp_path_factory.mktemp("installed")
    sources, elsewhere = place / "sources", place / "elsewhere"
    sources.mkdir()
    elsewhere.mkdir()
    for name in (*SOURCES, *(file.name for file in ROOT.glob("requirements*.txt"))):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
        copy(ROOT / name, sources / name)
    run([sys.executable, "-c", PACK], sources)
    (archive,) = (sources / "dist").iterdir()
    environment = Environment.make(place / "environment")
    environment.install(archive)
    return Installation(environment, elsewhere)


@pytest.mark.process
@pytest.mark.full
def test_every_file_of_the_package_is_installed(installed: Installation) -> None:
    def files(folder: Path) -> set[str]:
        return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file() and file.suffix != ".pyc"}

    dashboard = {"app.py", ".streamlit/config.toml", *(f"pages/{name}" for name in files(ROOT / "pages"))}
    assert files(installed.package) == files(ROOT / "tl_core") | {f"dashboard/{name}" for name in dashboard}


@pytest.mark.process
@pytest.mark.full
def test_users_need_what_requirements_say_and_no_tools_of_tests(installed: Installation) -> None:
    about = "import importlib.metadata as m; print(m.version('transfer-lab'), *m.requires('transfer-lab'), sep='\\n')"
    version, *needed = installed.run("python", "-c", about).split()
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert version == __version__
    assert needed == [line for line in lines if "==" in line]
    assert not [name for name in needed if name.startswith(("pytest", "ruff", "mypy"))]


@pytest.mark.process
@pytest.mark.full
def test_the_command_trains_from_another_folder(installed: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    short_training(monkeypatch)
    done = installed.run("transfer-lab", "train", "--json", *settings_arguments(QUICK))
    assert '"state": "done"' in done
    as_module = installed.run("python", "-m", "tl_core", "runs", "--json")
    assert as_module == installed.run("transfer-lab", "runs", "--json")


@pytest.mark.process
@pytest.mark.full
def test_the_first_page_opens_in_another_folder(installed: Installation) -> None:
    script, *drawn = installed.run("python", "-P", "-c", OPEN).splitlines()
    assert Path(script) == installed.package / "dashboard" / "app.py"
    assert drawn == ["['Dataset']", "[]"]


@pytest.mark.process
@pytest.mark.full
def test_the_dashboard_has_its_own_settings_wherever_it_is_started(installed: Installation) -> None:
    """Of the folder that it is started in it takes neither Streamlit's settings nor modules."""
    (installed.elsewhere / ".streamlit").mkdir()
    (installed.elsewhere / ".streamlit" / "config.toml").write_text('[server]\naddress = "0.0.0.0"\n')
    (installed.elsewhere / "json.py").write_text("raise RuntimeError")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [installed.environment.program("transfer-lab"), "app", "--server.port", str(port), "--server.headless", "true"]
    with subprocess.Popen(command, cwd=installed.elsewhere, env=dict(os.environ)) as server:
        try:
            assert wait_until(lambda: status(port) or server.poll()) == 200
            listening = [at.laddr for at in psutil.Process(server.pid).net_connections("inet") if at.status == psutil.CONN_LISTEN]
            assert listening == [("127.0.0.1", port)]
        finally:
            server.terminate()


def status(port: int) -> int | None:
    """What the server answers; None while there is none."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        return direct.open(f"http://127.0.0.1:{port}/_stcore/health").status
    except OSError:
        return None


def test_in_a_clone_the_command_starts_the_clones_dashboard(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Sequence[str]] = []
    monkeypatch.setattr(os, "execv", lambda program, arguments: started.append(arguments))
    done = CommandLine(home).call("app", "--server.port", 8600, "--theme.base=dark")
    assert done.code == 0
    options = ["--server.port", "8600", "--theme.base=dark"]
    assert started == [[sys.executable, "-P", "-m", "streamlit", "run", str(ROOT / "app.py"), *options]]
