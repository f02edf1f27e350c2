"""Every test keeps its runs in a folder of its own, reaches no network, and leaves no process behind."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.helpers import CommandLine, Finished, end_processes_of
from tl_core.settings import HOME_VARIABLE, SPARE_VARIABLE

NOWHERE = "http://127.0.0.1:9"
"""Nothing listens there, so that whoever goes to the network in a test fails at once."""

settings.register_profile("untimed", settings(), deadline=None)  # a busy machine is no mistake of what is tested
settings.load_profile("untimed")


def pytest_addoption(parser: pytest.Parser) -> None:
    """The soak test's length."""
    parser.addoption("--soak", type=int, default=200, help="How many runs tests/runs/test_soak.py makes.")


@pytest.fixture(scope="session", autouse=True)
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What all processes of the tests inherit."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(HOME_VARIABLE, str(tmp_path_factory.mktemp("session") / "home"))
        patch.setenv("KERAS_HOME", str(tmp_path_factory.mktemp("keras")))
        patch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
        patch.setenv(SPARE_VARIABLE, "0")
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            patch.setenv(name, NOWHERE)
        for name in ("no_proxy", "NO_PROXY"):
            patch.setenv(name, "127.0.0.1,localhost")
        yield


@pytest.fixture(autouse=True)
def home(surroundings: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The test's own place for runs; what still runs below it when the test ends is ended."""
    own = tmp_path / "home"
    monkeypatch.setenv(HOME_VARIABLE, str(own))
    yield own
    if own.exists():
        end_processes_of(own)


@pytest.fixture(scope="session")
def default_run(surroundings: None, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """`train` with nothing said, once for all tests: photo_patches, 10 labels a class, 96 px, a linear probe on Lite0."""
    place = tmp_path_factory.mktemp("default") / "home"
    return CommandLine(place).run("train", "--json")
