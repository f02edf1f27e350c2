"""Every test keeps its runs in a folder of its own, reaches no network, and leaves no process behind."""

import ctypes
import gc
import os
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.helpers import ROOT, CommandLine, Finished, end_processes_of
from tests.tools.once import made_once
from tl_core.system.settings import HOME_VARIABLE, SPARE_VARIABLE

NOWHERE = "http://127.0.0.1:9"
"""Nothing listens there, so that whoever goes to the network in a test fails at once."""
ONEDNN_VARIABLE = "TF_ENABLE_ONEDNN_OPTS"
"""TensorFlow looks here when it is imported."""
MALLOC_OPTIONS = {-3: 2**20, -8: 2}
"""glibc's M_MMAP_THRESHOLD and M_ARENA_MAX, see mallopt(3)."""
SLICES = {"full": 20, "process": 8, "browser": 8, "cluster": 8}
"""The tests with a marker are shared among so many commits."""

settings.register_profile("untimed", settings(), deadline=None)  # a busy machine is no mistake of what is tested
settings.load_profile("untimed")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the soak test's length, and the slice of the tests marked `full`."""
    parser.addoption("--soak", type=int, default=40, help="How many runs tests/runs/test_soak.py makes.")
    parser.addoption(
        "--slice", metavar="K", help="Of the tests with a marker, run the K-th slice (0 to 19); `commit` takes a K by HEAD."
    )


def pytest_configure(config: pytest.Config) -> None:
    """Leave oneDNN out of the default tests' own processes: of each shape that it meets it keeps code and buffers, 400 MB after a
    thousand small networks. What tests start computes as users' runs do (see `surroundings`), and so do those with a marker:
    without it TensorFlow has no gradients of grouped convolutions.

    Have glibc give each buffer of a megabyte or more back to the system when it is freed: by itself it soon keeps those of up to
    32 MB, weights among them, 500 MB after the tests of backbones.
    """
    if sys.platform.startswith("linux"):
        for option, value in MALLOC_OPTIONS.items():
            ctypes.CDLL(None).mallopt(option, value)
    if str(config.getoption("markexpr")).startswith("not "):
        os.environ.setdefault(ONEDNN_VARIABLE, "0")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests with a marker that belong to other slices."""
    wanted = config.getoption("--slice")
    if not wanted:
        return
    number = slice_of_commit() if wanted == "commit" else int(wanted)
    others = {item for item in items if not is_in_slice(item, number)}
    config.hook.pytest_deselected(items=list(others))
    items[:] = [item for item in items if item not in others]


def is_in_slice(item: pytest.Item, number: int) -> bool:
    """Return whether `item` is one of the `number`-th slice, as all without a marker are of each."""
    slices = max((count for marker, count in SLICES.items() if item.get_closest_marker(marker)), default=1)
    return (zlib.crc32(item.nodeid.encode()) - number) % slices == 0


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Have TensorFlow compute each step as it comes: to trace a graph takes seconds and memory, and a test trains a few steps.

    Tests of Keras' traps, and those marked `graph` or `full`, trace as users' runs do. Both compute the same, but not to the last
    bit.
    """
    if "tensorflow" in sys.modules:
        import tensorflow

        traced = "test_trap_" in item.name or any(item.get_closest_marker(marker) for marker in ("graph", "full"))
        tensorflow.config.run_functions_eagerly(not traced)


def slice_of_commit() -> int:
    """Return how many commits HEAD has before it, so that each commit takes the next slice; 0 where git does not say."""
    said = subprocess.run(["git", "rev-list", "--count", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return int(said.stdout) if said.returncode == 0 else 0


@pytest.fixture(scope="session", autouse=True)
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What all processes of the tests inherit."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(HOME_VARIABLE, str(tmp_path_factory.mktemp("session") / "home"))
        patch.setenv("KERAS_HOME", str(tmp_path_factory.mktemp("keras")))
        patch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
        patch.setenv(SPARE_VARIABLE, "0")
        patch.delenv(ONEDNN_VARIABLE, raising=False)
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


@pytest.fixture(scope="module", autouse=True)
def keras_forgets(request: pytest.FixtureRequest) -> Iterator[None]:
    """Keras keeps the names and graphs of all models of a process, and a module's caches keep its networks: a laptop has no
    memory for those of a thousand tests.

    What is there already is taken out of Python's search for garbage: among a million objects of TensorFlow's and others' each
    search takes half a second, and every page that is opened sets one off.
    """
    gc.freeze()
    yield
    for own in vars(request.module).values():
        if hasattr(own, "cache_clear") and own.__module__ == request.module.__name__:
            own.cache_clear()
    if "keras" in sys.modules:
        import keras

        gc.unfreeze()
        keras.backend.clear_session()
        gc.collect()
        if sys.platform.startswith("linux"):
            ctypes.CDLL(None).malloc_trim(0)  # else freed memory stays with the process


@pytest.fixture(scope="session")
def default_run(surroundings: None, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """`train` with nothing said, once for all tests: photo_patches, 10 labels a class, 96 px, a linear probe on Lite0."""
    return made_once(tmp_path_factory, "default_run", Finished, lambda place: CommandLine(place / "home").run("train", "--json"))
